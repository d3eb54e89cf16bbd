"""The two sides of a slit, as lips that touch: a map keeps to that on which its neighbours are."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from ..surface.edges import unique_edges
from ..surface.triangles import compact
from .geodesic import geodesic_distances, surface_graph
from .patches import Mesh, Patch
from .points import SurfacePoints, points_at_vertices
from .walk import SurfaceWalk

# Images nearer to a slit than so many times the distance within which its sides touch may be on the
# wrong side; paths along the surface are looked for within so many times that distance, those to
# neighbours on the same side at first within fewer.
DOUBTFUL, FARTHEST, NEARBY = 3.0, 12.0, 2.0
# The other side is chosen if its paths to the neighbours are shorter than this share.
SHORTER = 0.6
STARTS_AT_A_TIME = 100


def on_their_sides(
    patch: Patch, source: Mesh, target: Mesh, touching: np.ndarray, reach: float
) -> SurfacePoints:
    """The points of a patch, those near a slit on the side that is nearer along the surface.

    From what is certain towards the slit, ring by ring: each vertex of the target takes the side
    from which the paths to the images of its neighbours in the rings before are the shortest.

    Parameters
    ----------
    patch : Patch
    source, target : (vertices, faces)
    touching : (N, 2) int
        Vertices of the source that touch at rest, either first.
    reach : float
        Distance within which they do.

    Returns
    -------
    SurfacePoints
        On the source, one for each of `patch.target`.
    """
    if not len(touching):
        return patch.points
    points, vertices = patch.points, source[0]
    off, near = cKDTree(vertices[touching[:, 0]]).query(points.interpolate(*source))
    doubtful = off < DOUBTFUL * reach
    beside = _neighbours(patch, target)
    ring = _rings(doubtful, beside)
    paths = _Paths(source, np.unique(touching), FARTHEST * reach)
    walk = SurfaceWalk(*source)
    beginning = [points_at_vertices(touching[near, side], source[1]).face for side in (0, 1)]
    for number in range(1, ring.max() + 1):
        own = np.flatnonzero(ring == number)
        known = beside[own].tocoo()
        earlier = (ring[known.col] >= 0) & (ring[known.col] < number)
        row, column = known.row[earlier], known.col[earlier]
        choices = [points[own], *(walk(face[own], patch.warped[own]) for face in beginning)]
        goals = points[column].nearest_vertex(source[1])
        starts = np.stack([choice.nearest_vertex(source[1]) for choice in choices])
        every, nearby = np.ones(len(own), bool), NEARBY * reach
        most = paths(starts[:1], row, goals, every, nearby)[0]
        # A sum below that limit has no longer path in it.
        far = most >= nearby
        most[far] = paths(starts[:1], row, goals, far)[0]
        most *= SHORTER
        # Nearly all stay where they are: for them straight lines tell it, at no cost.
        unsure = paths.at_least(starts[1:], row, goals).min(axis=0) < most
        lengths = paths(starts[1:], row, goals, unsure)
        best, own, most = lengths.argmin(axis=0), own[unsure], most[unsure]
        for other in (0, 1):
            turned = (best == other) & (lengths[other] < most)
            points = points.replaced(own[turned], choices[1 + other][unsure][turned])
    return points


def _neighbours(patch: Patch, target: Mesh) -> sparse.csr_matrix:
    """Which vertices of a patch (m, m) share an edge."""
    number = np.full(len(target[0]), -1)
    number[patch.target] = np.arange(len(patch.target))
    edges = number[unique_edges(target[1])[0]]
    edges = edges[(edges >= 0).all(axis=1)]
    ends = np.concatenate([edges, edges[:, ::-1]])
    count = len(patch.target)
    return sparse.csr_matrix((np.ones(len(ends)), ends.T), shape=(count, count))


def _rings(doubtful: np.ndarray, beside: sparse.csr_matrix) -> np.ndarray:
    """Edges to what is certain, (m,) int; -1 where no way leads there."""
    certain = np.flatnonzero(~doubtful)
    if not len(certain):
        return np.full(len(doubtful), -1)
    steps = csgraph.dijkstra(beside, unweighted=True, indices=certain, min_only=True)
    return np.where(np.isfinite(steps), steps, -1).astype(np.int64)


class _Paths:
    """Lengths of paths on a surface around some vertices (n,), none longer than a limit."""

    def __init__(self, mesh: Mesh, around: np.ndarray, limit: float):
        vertices, faces = mesh
        tree = cKDTree(vertices[around])
        near = np.isfinite(tree.query(vertices, distance_upper_bound=limit)[0])
        faces, kept = compact(len(vertices), faces[near[faces].all(axis=1)])
        self._graph = surface_graph(vertices[kept], faces)
        self._vertices = vertices
        self._place = np.full(len(vertices), -1)
        self._place[kept] = np.arange(len(kept))
        self._limit = limit

    def __call__(
        self,
        starts: np.ndarray,
        row: np.ndarray,
        goals: np.ndarray,
        chosen: np.ndarray,
        limit: float = np.inf,
    ) -> np.ndarray:
        """Sums (C, m) of the paths from starts (C, n) to goals (E,) of their rows (E,).

        Of the m chosen of the rows (n,), each path no longer than a `limit` beside the other one.
        """
        limit, kept = min(limit, self._limit), chosen[row]
        starts, goals = starts[:, chosen], goals[kept]
        row = (np.cumsum(chosen) - 1)[row[kept]]
        begin, end = self._place[starts], self._place[goals]
        used, number = np.unique(begin[begin >= 0], return_inverse=True)
        of_start = np.full(begin.shape, -1)
        of_start[begin >= 0] = number
        length = np.full((len(starts), len(row)), limit)
        for first in range(0, len(used), STARTS_AT_A_TIME):
            chunk = used[first : first + STARTS_AT_A_TIME]
            along = geodesic_distances(self._graph, chunk, limit)
            local = of_start[:, row] - first
            choice, edge = np.nonzero((local >= 0) & (local < len(chunk)) & (end >= 0))
            found = along[local[choice, edge], end[edge]]
            length[choice, edge] = np.minimum(found, limit)
        return _sums(length, row, starts.shape[1])

    def at_least(self, starts: np.ndarray, row: np.ndarray, goals: np.ndarray) -> np.ndarray:
        """Below what none of these sums (C, n) of all rows is: those of straight lines."""
        straight = self._vertices[starts[:, row]] - self._vertices[goals]
        length = np.minimum(np.linalg.norm(straight, axis=2), self._limit)
        return _sums(length, row, starts.shape[1])


def _sums(values: np.ndarray, row: np.ndarray, count: int) -> np.ndarray:
    """Sums (C, count) of values (C, E) by their rows (E,)."""
    return np.stack([np.bincount(row, own, count) for own in values])
