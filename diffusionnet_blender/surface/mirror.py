"""The mirror plane of a mesh that is its own mirror image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

# A vertex is the mirror image of another within this share of the height; the mesh is its own
# mirror image where this share of its area is.
SAME, LEAST_SHARE = 1e-3, 0.8
# Vertices by which the plane is found, and the distance of what counts in each step, in heights.
SAMPLE, STEPS = 4000, (0.1, 0.05, 0.05, 0.03, 0.03, 0.02, 0.02, 0.01, 0.005, 0.002)
# Share of the squared distances of twins that is along one direction, where sides can be alike.
EVEN = 0.95


@dataclass(frozen=True, eq=False)
class Mirror:
    """The mirror plane of a mesh.

    Attributes
    ----------
    normal : (3,) float64
        Of unit length, to the left of the figure.
    offset : float
        Of the plane along it.
    twin : (V,) int64
        The mirror image of each vertex, which may be itself; -1 for none.
    """

    normal: np.ndarray
    offset: float
    twin: np.ndarray

    def image(self, points: np.ndarray) -> np.ndarray:
        """Mirror images (..., 3) of points."""
        return _image(points, self.normal, self.offset)

    def evened(self, moved: np.ndarray) -> np.ndarray | None:
        """Vertices (V, 3) of the mesh in another shape, both sides made alike.

        The plane of the other shape is the one that is the best for its pairs of twins; vertices
        without a twin stay. None where twins lie apart in all directions: a posed figure.
        """
        pairs = np.flatnonzero((self.twin >= 0) & (self.twin != np.arange(len(self.twin))))
        mutual = pairs[self.twin[self.twin[pairs]] == pairs]
        on_plane = np.flatnonzero(self.twin == np.arange(len(self.twin)))
        way = moved[mutual] - moved[self.twin[mutual]]
        # A pair counts by how far apart it is; half of the ways point the other way.
        strength, directions = np.linalg.eigh(way.T @ way)
        if strength[-1] < EVEN * strength.sum():
            return None
        normal = directions[:, -1]
        offset = float(np.median((moved[mutual] + moved[self.twin[mutual]]) @ normal)) / 2
        found = moved.copy()
        for own in (mutual, on_plane):
            found[own] = (moved[own] + _image(moved[self.twin[own]], normal, offset)) / 2
        return found


def mirror_of(
    vertices: np.ndarray, areas: np.ndarray, left: np.ndarray, height: float
) -> Mirror | None:
    """The mirror plane of a figure; None where the mesh is not its own mirror image.

    Parameters
    ----------
    vertices : (V, 3) float
    areas : (V,) float
    left : (3,) float
        About to the left of the figure.
    height : float
    """
    used = np.flatnonzero(areas > 0)
    chosen = vertices[used[:: max(1, len(used) // SAMPLE)]]
    tree = cKDTree(vertices[used])
    normal = np.asarray(left, float)
    across = vertices[used] @ normal
    offset = float(across.min() + across.max()) / 2
    for reach in STEPS:
        away, near = tree.query(_image(chosen, normal, offset), distance_upper_bound=reach * height)
        pairs = np.isfinite(away)
        if pairs.mean() < LEAST_SHARE / 2:
            return None
        one, two = chosen[pairs], vertices[used[near[pairs]]]
        way = one - two
        # Half of them point the other way.
        total = (way * np.sign(way @ normal)[:, None]).sum(axis=0)
        if np.linalg.norm(total) > 0:
            normal = total / np.linalg.norm(total)
        offset = float(np.median((one + two) @ normal)) / 2
    away, near = tree.query(_image(vertices, normal, offset), distance_upper_bound=SAME * height)
    there = np.isfinite(away)
    if areas[there].sum() < LEAST_SHARE * areas.sum():
        return None
    twin = np.full(len(vertices), -1)
    twin[there] = used[near[there]]
    return Mirror(normal, offset, twin)


def _image(points: np.ndarray, normal: np.ndarray, offset: float) -> np.ndarray:
    return points - 2 * (points @ normal - offset)[..., None] * normal
