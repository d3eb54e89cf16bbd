"""Point location by walking over a mesh from triangle to triangle."""

from __future__ import annotations

import numpy as np

from ..surface.edges import face_neighbours
from .points import SurfacePoints
from .pointwise import nearest_in_triangle

# A walk over more triangles than this ends where it is.
MOST_STEPS = 64
# A share this little below zero is still inside.
INSIDE = 1e-9
POINTS_AT_A_TIME = 262_144
# How far beyond a rim a point may lie: largest difference of a share from that of the middle.
BEYOND = 5 / 3


class SurfaceWalk:
    """Triangles of a mesh with their neighbours, for point location.

    A walk cannot jump: a point over a finger stays on that finger, however near the next one is.
    It is also the fastest method for millions of points with a good first guess.

    Parameters
    ----------
    vertices : (V, 3) float
    faces : (F, 3) int
    neighbours : (F, 3) int, optional
        Those of `face_neighbours`, with -1 at edges that a walk must not cross.
    """

    def __init__(
        self, vertices: np.ndarray, faces: np.ndarray, neighbours: np.ndarray | None = None
    ):
        corners = np.asarray(vertices, float)[faces]
        b, c = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        self._bb, self._bc, self._cc = (np.einsum("fi,fi->f", *p) for p in ((b, b), (b, c), (c, c)))
        self._origin, self._b, self._c = corners[:, 0], b, c
        determinant = self._bb * self._cc - np.square(self._bc)
        # Triangles without an area are walked over as very thin ones.
        least = np.maximum(1e-12 * self._bb * self._cc, np.finfo(float).tiny)
        inverse = 1.0 / np.maximum(determinant, least)
        # Rows that give the shares of b and c of a point, and their value at the first corner.
        to_b = (self._cc[:, None] * b - self._bc[:, None] * c) * inverse[:, None]
        to_c = (self._bb[:, None] * c - self._bc[:, None] * b) * inverse[:, None]
        self._rows = np.stack([to_b, to_c], axis=1)
        self._offset = np.einsum("fri,fi->fr", self._rows, corners[:, 0])
        self._neighbour = face_neighbours(faces) if neighbours is None else neighbours

    def __call__(
        self, start: np.ndarray, positions: np.ndarray, beyond: bool = False
    ) -> SurfacePoints:
        """The points of the mesh next to positions in space.

        Parameters
        ----------
        start : (N,) int
            A triangle near each.
        positions : (N, 3) float
        beyond : bool
            Let a point whose walk ends at a rim lie beyond it, in the plane of its last
            triangle and by no more than that triangle's size: shares may then be below zero.

        Returns
        -------
        SurfacePoints
            Where a walk ends at a rim or on a ridge, the nearest point of its last triangle.
        """
        face = np.asarray(start, dtype=np.int64).copy()
        barycentric = np.empty((len(face), 3))
        for first in range(0, len(face), POINTS_AT_A_TIME):
            chunk = slice(first, first + POINTS_AT_A_TIME)
            face[chunk], barycentric[chunk] = self._walk(face[chunk], positions[chunk], beyond)
        return SurfacePoints(face, barycentric)

    def _walk(
        self, face: np.ndarray, positions: np.ndarray, beyond: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Triangle (N,) and barycentric coordinates (N, 3) at the end of each walk."""
        shares = np.empty((len(face), 3))
        stuck = np.zeros(len(face), dtype=bool)
        active = np.arange(len(face))
        before = np.full(len(face), -1)
        current, at = face, positions
        for _ in range(MOST_STEPS):
            bc = np.einsum("nri,ni->nr", self._rows[current], at) - self._offset[current]
            b, c = bc[:, 0], bc[:, 1]
            share = np.stack([1 - b - c, b, c], axis=1)
            shares[active], face[active] = share, current
            # Edge i of `face_neighbours` lies opposite of corner i. At a rim the walk goes on
            # along it, where it can.
            onward = self._neighbour[current]
            outward = np.where((onward < 0) | (onward == before[:, None]), np.inf, share)
            lowest = outward.argmin(axis=1)
            row = np.arange(len(current))
            goes = outward[row, lowest] < -INSIDE
            leaves = share.min(axis=1) < -INSIDE
            stuck[active[leaves & ~goes]] = True
            before, active, at = current[goes], active[goes], at[goes]
            current = onward[row, lowest][goes]
            if not len(active):
                break
        stuck[active] = True
        if beyond:
            away = shares - 1 / 3
            farthest = np.abs(away).max(axis=1, keepdims=True)
            return face, 1 / 3 + away * np.minimum(1.0, BEYOND / np.maximum(farthest, BEYOND))
        end = np.flatnonzero(stuck)
        if len(end):
            f = face[end]
            away = positions[end] - self._origin[f]
            pb = np.einsum("ni,ni->n", away, self._b[f])
            pc = np.einsum("ni,ni->n", away, self._c[f])
            b, c = nearest_in_triangle(self._bb[f], self._bc[f], self._cc[f], pb, pc)
            shares[end] = np.stack([1 - b - c, b, c], axis=1)
        shares = np.clip(shares, 0.0, 1.0)
        return face, shares / shares.sum(axis=1, keepdims=True)
