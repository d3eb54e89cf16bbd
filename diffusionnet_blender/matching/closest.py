"""Closest-point queries on a triangle mesh, with compatible normals if wanted."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from ..surface.edges import side_lengths
from ..surface.surface import triangle_vectors
from .points import SurfacePoints
from .pointwise import nearest_in_triangle

# Samples nearest to a query whose triangles are tried.
CANDIDATES = 8
# Most samples along the edge of one triangle.
FINEST = 24
QUERIES_AT_A_TIME = 100_000


class ClosestPoints:
    """Search structure for the closest points of a mesh.

    Triangles much larger than the rest are sampled more than once, so that the triangles of the
    samples nearest to a query are good candidates.

    Parameters
    ----------
    vertices : (V, 3) float
    faces : (F, 3) int
    """

    def __init__(self, vertices: np.ndarray, faces: np.ndarray):
        self.vertices, self.faces = np.asarray(vertices, float), faces
        corners = self.vertices[faces]
        self._origin = corners[:, 0]
        self._b = corners[:, 1] - corners[:, 0]
        self._c = corners[:, 2] - corners[:, 0]
        self._bb = np.einsum("fi,fi->f", self._b, self._b)
        self._bc = np.einsum("fi,fi->f", self._b, self._c)
        self._cc = np.einsum("fi,fi->f", self._c, self._c)
        normals = triangle_vectors(self.vertices, faces)
        length = np.linalg.norm(normals, axis=1, keepdims=True)
        self.normals = normals / np.maximum(length, np.finfo(float).tiny)
        points, self._owner = _samples(corners)
        # With tight boxes, queries far from the mesh take three to ten times as long.
        self._tree = cKDTree(points, compact_nodes=False, balanced_tree=False)

    def __call__(
        self, queries: np.ndarray, normals: np.ndarray | None = None, most_turned: float = 90.0
    ) -> tuple[SurfacePoints, np.ndarray]:
        """The closest point of the mesh to each query.

        Parameters
        ----------
        queries : (N, 3) float
        normals : (N, 3) float, optional
            Normals at the queries. Triangles turned further from them than `most_turned` are
            passed over, as long as there are others among the candidates.
        most_turned : float
            Degrees.

        Returns
        -------
        points : SurfacePoints
        agrees : (N,) bool
            Whether the normal of the triangle found is within `most_turned` of the query's.
        """
        face = np.empty(len(queries), dtype=np.int64)
        barycentric = np.empty((len(queries), 3))
        agrees = np.ones(len(queries), dtype=bool)
        for start in range(0, len(queries), QUERIES_AT_A_TIME):
            chunk = slice(start, start + QUERIES_AT_A_TIME)
            at = None if normals is None else normals[chunk]
            face[chunk], barycentric[chunk], agrees[chunk] = self._closest(
                np.asarray(queries[chunk], float), at, np.cos(np.radians(most_turned))
            )
        return SurfacePoints(face, barycentric), agrees

    def _closest(
        self, queries: np.ndarray, normals: np.ndarray | None, least_cosine: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Face (N,), barycentric coordinates (N, 3) and agreement (N,) of queries (N, 3)."""
        face, barycentric, _ = self._among(CANDIDATES, queries)
        if normals is None:
            return face, barycentric, np.ones(len(queries), dtype=bool)
        agrees = np.einsum("ni,ni->n", self.normals[face], normals) >= least_cosine
        # Where the nearest triangle of all faces elsewhere, the nearest that does not.
        other = np.flatnonzero(~agrees)
        if len(other):
            face[other], barycentric[other], agrees[other] = self._among(
                4 * CANDIDATES, queries[other], normals[other], least_cosine
            )
        return face, barycentric, agrees

    def _among(
        self,
        count: int,
        queries: np.ndarray,
        normals: np.ndarray | None = None,
        least_cosine: float = -1.0,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As `_closest`, among the triangles of so many nearest samples."""
        count = min(count, self._tree.n)
        candidate = self._owner[self._tree.query(queries, count)[1].reshape(len(queries), -1)]
        b, c, distance = self._project(queries[:, None], candidate)
        agrees = np.ones(candidate.shape, dtype=bool)
        if normals is not None:
            facing = np.einsum("nci,ni->nc", self.normals[candidate], normals)
            agrees = facing >= least_cosine
            # Beyond any real distance, and still in the order of the distances.
            distance = np.where(agrees, distance, distance + 1e6 * (1 + distance.max()))
        row = np.arange(len(queries))
        best = distance.argmin(axis=1)
        b, c = b[row, best], c[row, best]
        return (
            candidate[row, best],
            np.clip(np.stack([1 - b - c, b, c], axis=1), 0.0, 1.0),
            agrees[row, best],
        )

    def _project(
        self, queries: np.ndarray, face: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Shares of corners b and c and squared distances, (N, m), of queries (N, 1, 3)."""
        away = queries - self._origin[face]
        pb = np.einsum("...i,...i->...", away, self._b[face])
        pc = np.einsum("...i,...i->...", away, self._c[face])
        b, c = nearest_in_triangle(self._bb[face], self._bc[face], self._cc[face], pb, pc)
        away = away - b[..., None] * self._b[face] - c[..., None] * self._c[face]
        return b, c, np.einsum("...i,...i->...", away, away)

    def positions(self, points: SurfacePoints) -> np.ndarray:
        """Positions of points on the mesh, (N, 3)."""
        return points.interpolate(self.vertices, self.faces)


def _samples(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Samples (S, 3) of triangles (F, 3, 3), more of large ones, and the triangle of each (S,)."""
    longest = side_lengths(corners).max(axis=1)
    pieces = np.clip(np.ceil(longest / np.median(longest)), 1, FINEST).astype(int)
    points, owners = [], []
    for n in np.unique(pieces):
        i, j = np.divmod(np.arange(n * n), n)
        inside = i + j < n
        b, c = (i[inside] + 1 / 3) / n, (j[inside] + 1 / 3) / n
        shares = np.stack([1 - b - c, b, c], axis=1)
        owner = np.flatnonzero(pieces == n)
        points.append(np.einsum("sc,fci->fsi", shares, corners[owner]).reshape(-1, 3))
        owners.append(np.repeat(owner, len(shares)))
    return np.concatenate(points), np.concatenate(owners)
