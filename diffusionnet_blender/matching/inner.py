"""Inner surfaces of a mesh: mouth bags, gums, eyes behind their lids."""

from __future__ import annotations

import numpy as np

from ..surface.loose_parts import label_mesh_parts
from ..surface.outer_skin import FINE, make_skin
from ..surface.surface import Surface, vertex_areas
from .closest import ClosestPoints
from .points import SurfacePoints

# Depth in units of the square root of the area, about the width of a cell, and the share of it that
# a counterpart has at least.
DEEP, AS_DEEP = 0.008, 0.5
# Folds of a pose, as armpits, are matched more surely than what has no counterpart; loose parts, of
# which so much is inner, as surely as what is around them.
SURE, MOSTLY = 0.9, 0.5


def depth_beneath_skin(surface: Surface) -> np.ndarray:
    """Distance (V,) of vertices from the outer skin of a mesh, in units of the square root of the
    area; zeros where it encloses nothing.
    """
    skin = make_skin(surface, *FINE)
    if skin is None:
        return np.zeros(len(surface.vertices))
    closest = ClosestPoints(skin.surface.vertices, skin.surface.faces)
    nearest = closest.positions(closest(surface.vertices)[0])
    size = np.sqrt(vertex_areas(surface.vertices, surface.faces).sum())
    return np.linalg.norm(nearest - surface.vertices, axis=1) / size


def is_inner_alone(
    mesh: Surface, shape: Surface, points: SurfacePoints, confidence: np.ndarray
) -> np.ndarray:
    """Which vertices lie beneath the skin of a mesh where the shape has nothing beneath its own.

    Parameters
    ----------
    mesh, shape : Surface
    points : SurfacePoints
        On the shape, of each vertex of the mesh.
    confidence : (V,) float
        Of these.

    Returns
    -------
    (V,) bool
    """
    depth = depth_beneath_skin(mesh)
    inner = depth > DEEP
    if not inner.any():
        return inner
    there = points.interpolate(depth_beneath_skin(shape)[:, None], shape.faces)[:, 0]
    inner &= there < AS_DEEP * depth
    part = label_mesh_parts(len(mesh.vertices), mesh.faces)
    mostly = np.bincount(part, inner) > MOSTLY * np.bincount(part)
    return mostly[part] | inner & (confidence < SURE)
