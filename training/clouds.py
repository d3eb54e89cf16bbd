"""Point clouds of labelled bodies, with normals or without."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diffusionnet_blender.surface.surface import triangle_vectors
from diffusionnet_blender.surface.winding import vertex_normals

from .meshes import Body, surface_points
from .voxels import outer_skin


@dataclass(frozen=True, eq=False)
class Cloud:
    """Points of a surface.

    Attributes
    ----------
    points, normals : (N, 3);  fine, layers : (N,) int32, as of a `Body`.
    """

    points: np.ndarray
    normals: np.ndarray
    fine: np.ndarray
    layers: np.ndarray


def point_cloud(body: Body, count: int, rng: np.random.Generator, seen: bool = False) -> Cloud:
    """Scatter points over the area, with outward normals.

    Parameters
    ----------
    count : how many points.
    seen : only the outside, as scanners see it, and not what clothes hide.
    """
    if seen:
        body = outer_skin(body, 120, shrink_wrap=True)
    points, face, corner = surface_points(body.vertices, body.faces, count, rng)
    if rng.uniform() < 0.5:
        normals = vertex_normals(body.vertices, body.faces)[corner]
    else:
        normals = triangle_vectors(body.vertices, body.faces)[face]
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    noise = rng.choice([0.0, rng.uniform(0, 0.0015)]) * np.ptp(points, axis=0).max()
    points = points + rng.normal(0, 1, points.shape) * noise
    return Cloud(points, normals, body.fine[corner], body.layers[corner])
