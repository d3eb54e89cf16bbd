"""Points on a triangle mesh in barycentric coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class SurfacePoints:
    """Points on a mesh: a triangle and barycentric coordinates for each.

    Attributes
    ----------
    face : (N,) int64
    barycentric : (N, 3) float64
        Not below zero, rows add up to 1.
    """

    face: np.ndarray
    barycentric: np.ndarray

    def __len__(self) -> int:
        return len(self.face)

    def __getitem__(self, chosen: slice | np.ndarray) -> SurfacePoints:
        return SurfacePoints(self.face[chosen], self.barycentric[chosen])

    def replaced(self, where: np.ndarray, others: SurfacePoints) -> SurfacePoints:
        """A copy with other points at some places (n,)."""
        face, barycentric = self.face.copy(), self.barycentric.copy()
        face[where], barycentric[where] = others.face, others.barycentric
        return SurfacePoints(face, barycentric)

    def interpolate(self, values: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """Values at vertices (V, ...) interpolated at the points, (N, ...)."""
        corners = values[faces[self.face]]
        return np.einsum("nc,nc...->n...", self.barycentric, corners)

    def nearest_vertex(self, faces: np.ndarray) -> np.ndarray:
        """The corner with the largest share of each point, (N,) int64."""
        return faces[self.face, self.barycentric.argmax(axis=1)]


def points_at_vertices(vertices: np.ndarray, faces: np.ndarray) -> SurfacePoints:
    """Vertices as points on one of the triangles around each.

    Parameters
    ----------
    vertices : (N,) int
        Indices; each is a corner of some triangle.
    faces : (F, 3) int
    """
    corner_of = np.zeros(faces.max() + 1, dtype=np.int64)
    corner_of[faces.ravel()] = np.arange(faces.size)
    corner = corner_of[vertices]
    return SurfacePoints(corner // 3, np.eye(3)[corner % 3])


# Maps of two shapes in both directions: target to source, and source to target.
Maps = tuple[SurfacePoints, SurfacePoints]
