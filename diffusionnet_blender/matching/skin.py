"""Heights above the skin of a body."""

from __future__ import annotations

import numpy as np

from ..surface.winding import vertex_normals
from .closest import ClosestPoints
from .points import SurfacePoints


class Skin:
    """A surface, and heights above it.

    Parameters
    ----------
    vertices : (V, 3) float
    faces : (F, 3) int
        Facing outward.
    """

    def __init__(self, vertices: np.ndarray, faces: np.ndarray):
        self.surface = ClosestPoints(vertices, faces)
        self.faces, self._normals = faces, vertex_normals(vertices, faces)

    def outward(self, points: SurfacePoints) -> np.ndarray:
        """Unit normals at points, (N, 3)."""
        outward = points.interpolate(self._normals, self.faces)
        length = np.linalg.norm(outward, axis=1, keepdims=True)
        return outward / np.maximum(length, np.finfo(float).tiny)

    def above(
        self, points: SurfacePoints, vertices: np.ndarray, normals: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Distance (N,), below zero beneath the skin, and cosine of the normals there, (N,)."""
        away = vertices - self.surface.positions(points)
        outward = self.outward(points)
        distance = np.linalg.norm(away, axis=1)
        height = np.copysign(distance, np.einsum("vi,vi->v", away, outward))
        return height, np.einsum("vi,vi->v", normals, outward)
