"""Parts of two surfaces that look alike, as two faces, and a sharper map between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_matrix, csgraph
from scipy.spatial import cKDTree

from ..surface.loose_parts import label_mesh_parts
from ..surface.surface import triangle_areas
from ..surface.winding import vertex_normals
from .closest import ClosestPoints
from .points import SurfacePoints
from .similarity import similarity
from .warp import Points, Similarity, laid_on, warped

Mesh = tuple[np.ndarray, np.ndarray]

# A patch is what is moved and what is so near to it: in units of the size of what is moved, and at
# least of the square root of the area.
MARGIN, LEAST_MARGIN = 0.5, 0.06
# Places that are no farther apart than so many of the latter are one part: an eye and a mouth.
NEIGHBOURS = 3.0
# Residual of the similarity, in units of the size, above which two patches are not alike: faces of
# people have 0.03 to 0.08.
ALIKE = 0.11
# The places as the two meshes stand are taken instead of the map if their residual is so much less.
MUCH_BETTER = 0.8
# Vertices farther than this from a patch that was laid on them lie elsewhere, in units of its size.
REACH = 0.35
MOST_TURNED = 60.0
# Weight of what is not moved, in the turn and the scale of a patch.
LEAST = 0.05
# A loose part of the target lies on each loose part of the source with such a share of its image.
SHARE = 0.1


@dataclass(frozen=True, eq=False)
class Patch:
    """A part of the source and its counterpart on the target.

    Attributes
    ----------
    source, target : (n,), (m,) int64
        Vertices.
    points : SurfacePoints
        On the source, one for each of `target`.
    warped : (m, 3) float64
        The target's vertices bent onto the source.
    to_source : Similarity
        That lays the target's part on the source's.
    size : float
        Of the source's part, see `Points.size`.
    """

    source: np.ndarray
    target: np.ndarray
    points: SurfacePoints
    warped: np.ndarray
    to_source: Similarity
    size: float

    def without(self, vertices: np.ndarray) -> Patch:
        """The same less some vertices (n,) of the target."""
        kept = np.isin(self.target, vertices, invert=True)
        return replace(
            self, target=self.target[kept], points=self.points[kept], warped=self.warped[kept]
        )


def moved_parts(source: Mesh, moved: np.ndarray, keys: np.ndarray) -> list[np.ndarray]:
    """Vertices around those that are moved and where they go, one array for each place.

    Parameters
    ----------
    source : (vertices, faces)
    moved : (K, V) bool
        By each of several keys.
    keys : (K, V, 3) float
    """
    vertices = source[0]
    least = LEAST_MARGIN * np.sqrt(triangle_areas(*source).sum())
    near = np.zeros(len(vertices), bool)
    cell = least
    for own, key in zip(moved, keys, strict=True):
        if not own.any():
            continue
        margin = max(MARGIN * Points(vertices[own], vertices[own]).size, least)
        tree = cKDTree(np.concatenate([vertices[own], key[own]]))
        near |= tree.query(vertices, distance_upper_bound=margin)[0] < np.inf
    near &= np.isin(np.arange(len(vertices)), source[1])
    near = np.flatnonzero(near)
    cells, number = np.unique(np.floor(vertices[near] / cell), axis=0, return_inverse=True)
    beside = cKDTree(cells).query_pairs(NEIGHBOURS, output_type="ndarray")
    graph = coo_matrix((np.ones(len(beside)), beside.T), shape=(len(cells), len(cells)))
    label = csgraph.connected_components(graph, directed=False)[1][number.ravel()]
    return [near[label == part] for part in range(label.max(initial=-1) + 1)]


def patch_of(
    part: np.ndarray,
    moved: np.ndarray,
    source: Mesh,
    target: Mesh,
    target_to_source: SurfacePoints,
    progress: Callable[[], None] = lambda: None,
) -> Patch | None:
    """The counterpart of a part of the source, or None if the target has nothing alike.

    Parameters
    ----------
    part : (n,) int
        Vertices of the source.
    moved : (V,) bool
        Those of the source by which turn and scale are told.
    source, target : (vertices, faces)
    target_to_source : SurfacePoints
        The map as it is.
    progress : callable
        Called between steps; may raise to stop.
    """
    normals = [vertex_normals(*mesh) for mesh in (source, target)]
    goal = Points(source[0][part], normals[0][part])
    if len(part) < 4 or goal.size == 0:
        return None
    whole = Points(target[0], normals[1])
    inside = np.zeros(len(source[0]))
    inside[part] = 1.0
    mapped = np.flatnonzero(target_to_source.interpolate(inside, source[1]) > 0.5)
    image = target_to_source.interpolate(source[0], source[1])
    starts = [Similarity.between(target[0][mapped], image[mapped])] if len(mapped) > 3 else []
    starts.append(_as_they_stand(source[0], target[0]))
    fits = []
    for start in starts:
        progress()
        fits.append(_fitted(goal, source[0], part, whole, start))
    found = fits[0]
    if len(fits) > 1 and fits[1][2] < MUCH_BETTER * fits[0][2]:
        found = fits[1]
    to_source, own, residual = found
    if residual > ALIKE:
        return None
    progress()
    bent = warped(goal, Points(target[0][own], normals[1][own]).moved(to_source))
    facing = normals[1][own] @ to_source.rotation.T
    points = _on_parts(bent, facing, own, source, target[1], target_to_source)
    weight = LEAST + points.interpolate(moved.astype(float), source[1])
    to_source = Similarity(*similarity(target[0][own], bent, weight))
    return Patch(part, own, points, bent, to_source, goal.size)


def _as_they_stand(source: np.ndarray, target: np.ndarray) -> Similarity:
    """The boxes of vertices (V, 3), (W, 3) laid on one another."""
    low = source.min(axis=0), target.min(axis=0)
    extent = source.max(axis=0) - low[0], target.max(axis=0) - low[1]
    middle = low[0] + extent[0] / 2, low[1] + extent[1] / 2
    lengths = [float(np.linalg.norm(own)) for own in extent]
    scale = lengths[0] / max(lengths[1], float(np.finfo(float).tiny))
    return Similarity(np.eye(3), scale, middle[0] - scale * middle[1])


def _fitted(
    goal: Points, source: np.ndarray, part: np.ndarray, whole: Points, start: Similarity
) -> tuple[Similarity, np.ndarray, float]:
    """Similarity of the target's vertices that lie on a part of the source, those, and residual.

    The residual is that of either on the other, the larger one.
    """
    found, residual = start, np.inf
    own = np.zeros(0, np.int64)
    tree = cKDTree(source)
    inside = np.zeros(len(source), bool)
    inside[part] = True
    low, high = (f(goal.positions, axis=0) for f in (np.min, np.max))
    reach = REACH * goal.size
    for _ in range(2):
        at = found(whole.positions)
        close = np.flatnonzero(((at > low - reach) & (at < high + reach)).all(axis=1))
        off, near = tree.query(at[close], distance_upper_bound=reach)
        on_part = np.isfinite(off)
        on_part[on_part] = inside[near[on_part]]
        own = close[on_part]
        if len(own) < 4:
            return found, own, np.inf
        points = Points(whole.positions[own], whole.normals[own])
        found, residual = laid_on(goal, points, found)
    back = cKDTree(found(points.positions)).query(goal.some().positions)[0]
    back = back[back <= np.quantile(back, 0.85)]
    return found, own, max(residual, float(np.sqrt(np.square(back).mean())) / goal.size)


def _on_parts(
    at: np.ndarray,
    facing: np.ndarray,
    own: np.ndarray,
    source: Mesh,
    target_faces: np.ndarray,
    target_to_source: SurfacePoints,
) -> SurfacePoints:
    """Closest points (m,) of the source that face alike; an eye stays on an eye.

    A loose part of the target keeps to those loose parts of the source that the map leads it to.
    """
    part_of_face = label_mesh_parts(len(source[0]), source[1])[source[1][:, 0]]
    part = label_mesh_parts(len(target_to_source), target_faces)[own]
    goal = part_of_face[target_to_source.face[own]]
    face, barycentric = np.empty(len(own), np.int64), np.empty((len(own), 3))
    for number in np.unique(part):
        here = part == number
        share = np.bincount(goal[here]) / np.count_nonzero(here)
        faces = np.flatnonzero(np.isin(part_of_face, np.flatnonzero(share >= SHARE)))
        surface = ClosestPoints(source[0], source[1][faces])
        found, _ = surface(at[here], facing[here], MOST_TURNED)
        face[here], barycentric[here] = faces[found.face], found.barycentric
    return SurfacePoints(face, barycentric)
