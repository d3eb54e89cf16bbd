"""Joints of two figures that correspond, each told by the skin around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .points import SurfacePoints


@dataclass(frozen=True, eq=False)
class JointRing:
    """Points on a surface whose weighted mean is a joint, whatever the surface's pose and place.

    Attributes
    ----------
    points : SurfacePoints
    weights : (n,) float64
        They add up to 1.
    """

    points: SurfacePoints
    weights: np.ndarray

    def centre(self, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """The joint (3,) on a surface in this topology."""
        return self.weights @ self.points.interpolate(vertices, faces)


# On source and target.
JointPair = tuple[JointRing, JointRing]
