"""The UV layout and the size of the images that channels of an object are baked into."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import bpy
import numpy as np

from ..surface.atlas import atlas_side, polygon_atlas
from ..tasks.transfer.job import is_one_to_one
from ..tasks.transfer.layers import MeshShape
from .attributes import read_values
from .materials import slots_of_polygons
from .uv_maps import read_uv, source_uv_name

# Sides of images whose size no image of the source gives, and of those that are baked.
DEFAULT_SIDE = 1024
LARGEST_BAKE = 4096


def bake_layout(
    obj: bpy.types.Object, shape: MeshShape, slots: set[int], sizes: Iterable[tuple[int, int]]
) -> tuple[np.ndarray, int, int]:
    """UVs (L, 2) to bake some slots into, with height and width of the image.

    The layout that renders keeps each texel of an image where it is; where it overlaps, leaves
    the unit square or has no room for some, each polygon gets a place of its own.
    """
    mesh = obj.data
    chosen = np.isin(slots_of_polygons(obj), list(slots))
    height, width = max(sizes, key=math.prod)
    if mesh.uv_layers:
        uv = read_uv(mesh, source_uv_name(obj))
        if is_one_to_one(_part(shape, chosen), uv, height, width):
            return uv, height, width
    counts = read_values(mesh.polygons, "loop_total", np.int32)
    side = atlas_side(counts[chosen], max(height, width, DEFAULT_SIDE), LARGEST_BAKE)
    return polygon_atlas(counts.astype(np.int64), _extents(mesh), chosen, side), side, side


def _part(shape: MeshShape, chosen: np.ndarray) -> MeshShape:
    """A mesh with the triangles of some polygons (P,) bool alone."""
    here = chosen[shape.polygon_of_triangle]
    return replace(
        shape,
        triangles=shape.triangles[here],
        corners=shape.corners[here],
        polygon_of_triangle=shape.polygon_of_triangle[here],
    )


def _extents(mesh: bpy.types.Mesh) -> np.ndarray:
    """Diagonal of the box around each polygon, (P,)."""
    places = read_values(mesh.vertices, "co", np.float32, 3)
    vertices = read_values(mesh.loops, "vertex_index", np.int32)
    starts = read_values(mesh.polygons, "loop_start", np.int32)
    corners = places[vertices]
    low, high = (reduce.reduceat(corners, starts) for reduce in (np.minimum, np.maximum))
    return np.linalg.norm((high - low).astype(np.float64), axis=1)
