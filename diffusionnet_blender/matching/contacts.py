"""Places of a surface that touch without being neighbours, as two lips, and theirs on another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ..surface.edges import boundary_edges, unique_edges
from ..surface.loose_parts import label_mesh_parts
from ..surface.triangles import compact
from ..surface.winding import vertex_normals
from .closest import ClosestPoints
from .geodesic import geodesic_distances, surface_graph
from .patches import Mesh, Patch
from .points import SurfacePoints

# Two places touch that are nearer than this, in units of the size of a patch, or than this share of
# an edge of a coarse mesh, and so many times as far apart along the surface. Normals of two lips
# differ by more than this cosine; others, but for rims, are neighbours on one of them.
TOUCHING, TOUCHING_EDGE, APART, MOST_ALIKE = 0.035, 0.6, 4.0, 0.5
# Vertices within that distance that are looked at, and most pairs of a key.
NEIGHBOURS, MOST_PAIRS = 24, 600
STARTS_AT_A_TIME = 100
MOST_TURNED = 75.0
# A place of the source without one of the target so near, in units of the size, has no counterpart.
FARTHEST = 0.2


@dataclass(frozen=True, eq=False)
class Contacts:
    """Places of a patch that touch in one key, or at rest.

    Attributes
    ----------
    pairs : (N, 2) int64
        Vertices of the source.
    one, other : SurfacePoints
        Their places on the target, (N,).
    sealed : (N,) bool
        Where the target has one surface in place of the two.
    """

    pairs: np.ndarray
    one: SurfacePoints
    other: SurfacePoints
    sealed: np.ndarray

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, chosen: np.ndarray) -> Contacts:
        return Contacts(
            self.pairs[chosen], self.one[chosen], self.other[chosen], self.sealed[chosen]
        )

    def gaps(self, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """From the one to the other on the target, (N, 3)."""
        return self.one.interpolate(vertices, faces) - self.other.interpolate(vertices, faces)


class ContactFinder:
    """Contacts in keys on a patch.

    Parameters
    ----------
    source, target : (vertices, faces)
        At rest.
    patch : Patch

    Attributes
    ----------
    reach : float
        Distance on the source within which two places touch.
    """

    def __init__(self, source: Mesh, target: Mesh, patch: Patch):
        self._vertices, self._patch = source[0], patch
        inside = np.zeros(len(source[0]), bool)
        inside[patch.source] = True
        # Paths around a slit may leave the patch by a triangle.
        self._own_faces, self._kept = compact(
            len(source[0]), source[1][inside[source[1]].any(axis=1)]
        )
        self._place = np.full(len(source[0]), -1)
        self._place[self._kept] = np.arange(len(self._kept))
        edges, _ = unique_edges(self._own_faces)
        ends = source[0][self._kept[edges]]
        edge = float(np.median(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)))
        self.reach = max(TOUCHING * patch.size, TOUCHING_EDGE * edge)
        self._normals = vertex_normals(*source)
        # Lips without an inside are rims that face alike.
        self._at_rim = np.zeros(len(source[0]), bool)
        self._at_rim[boundary_edges(source[1])] = True
        # An eye touches the lids at all times.
        self._part = label_mesh_parts(len(source[0]), source[1])
        number = np.full(len(target[0]), -1)
        number[patch.target] = np.arange(len(patch.target))
        self._faces = np.flatnonzero((number[target[1]] >= 0).all(axis=1))
        self._local = number[target[1][self._faces]]

    def __call__(
        self, keys: np.ndarray, progress: Callable[[], None] = lambda: None
    ) -> list[Contacts]:
        """The contacts in each of several keys (K, V_s, 3) of the source."""
        near = []
        for key in keys:
            progress()
            near.append(self._near(key))
        every = np.unique(np.concatenate(near), axis=0)
        limit = APART * self.reach
        apart = _apart(self._vertices[self._kept], self._own_faces, self._place[every], limit)
        number = len(self._vertices)
        far = (every @ [number, 1])[apart]
        touching = [
            _nearest(pairs[np.isin(pairs @ [number, 1], far)], key)
            for pairs, key in zip(near, keys, strict=True)
        ]
        progress()
        placed, rows = self._on_target(np.concatenate(touching))
        of_key = np.repeat(np.arange(len(keys)), [len(pairs) for pairs in touching])[rows]
        return [placed[np.flatnonzero(of_key == number)] for number in range(len(keys))]

    def _near(self, key: np.ndarray) -> np.ndarray:
        """Pairs (N, 2) of vertices that are near in a key and turned apart at rest."""
        own = self._patch.source
        count = min(NEIGHBOURS, len(own))
        tree = cKDTree(key[own])
        near = tree.query(key[own], count, distance_upper_bound=self.reach)[1]
        first, column = np.nonzero(near.reshape(len(own), -1) < len(own))
        pairs = np.stack([own[first], own[near[first, column]]], axis=1)
        one, other = (self._normals[pairs[:, side]] for side in (0, 1))
        of_one = self._part[pairs[:, 0]] == self._part[pairs[:, 1]]
        turned = np.einsum("ni,ni->n", one, other) <= MOST_ALIKE
        return pairs[of_one & (turned | self._at_rim[pairs].all(axis=1))]

    def _on_target(self, pairs: np.ndarray) -> tuple[Contacts, np.ndarray]:
        """Contacts of those pairs (N, 2) that have places on the target, and which these are."""
        if not len(self._faces) or not len(pairs):
            none = SurfacePoints(np.zeros(0, np.int64), np.zeros((0, 3)))
            empty = Contacts(np.zeros((0, 2), np.int64), none, none, np.zeros(0, bool))
            return empty, np.zeros(0, np.int64)
        used, place = np.unique(pairs, return_inverse=True)
        place = place.reshape(pairs.shape)
        surface = ClosestPoints(self._patch.warped, self._local)
        points, agrees = surface(self._vertices[used], self._normals[used], MOST_TURNED)
        off = np.linalg.norm(surface.positions(points) - self._vertices[used], axis=1)
        known = agrees & (off < FARTHEST * self._patch.size)
        rows = np.flatnonzero(known[place].all(axis=1))
        one, other = (points[place[rows, side]] for side in (0, 1))
        ends = np.stack([p.nearest_vertex(self._local) for p in (one, other)], axis=1)
        sealed = ~_apart(self._patch.warped, self._local, ends, APART * self.reach)
        one, other = (SurfacePoints(self._faces[p.face], p.barycentric) for p in (one, other))
        return Contacts(pairs[rows], one, other, sealed), rows


def _nearest(pairs: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Of pairs with the same first vertex that with the smallest gap; at most `MOST_PAIRS`."""
    gap = np.linalg.norm(key[pairs[:, 0]] - key[pairs[:, 1]], axis=1)
    pairs = pairs[np.argsort(gap, kind="stable")]
    pairs = pairs[np.unique(pairs[:, 0], return_index=True)[1]]
    return pairs[:: max(1, -(-len(pairs) // MOST_PAIRS))]


def _apart(vertices: np.ndarray, faces: np.ndarray, pairs: np.ndarray, limit: float) -> np.ndarray:
    """Whether pairs (N, 2) of vertices are farther apart along the surface than a limit."""
    straight = np.linalg.norm(vertices[pairs[:, 0]] - vertices[pairs[:, 1]], axis=1)
    apart = straight > limit
    doubtful = np.flatnonzero(~apart)
    if not len(doubtful):
        return apart
    graph = surface_graph(vertices, faces)
    starts, row = np.unique(pairs[doubtful, 0], return_inverse=True)
    for first in range(0, len(starts), STARTS_AT_A_TIME):
        chunk = starts[first : first + STARTS_AT_A_TIME]
        along = geodesic_distances(graph, chunk, limit)
        here = np.flatnonzero((row >= first) & (row < first + len(chunk)))
        apart[doubtful[here]] = along[row[here] - first, pairs[doubtful[here], 1]] > limit
    return apart
