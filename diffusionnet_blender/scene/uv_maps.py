"""UV maps of meshes."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

from ..errors import DiffusionNetError
from .attributes import read_values

# Blender's limit.
MOST_UV_MAPS = 8


def source_uv_name(obj: bpy.types.Object) -> str:
    """Name of the UV map that renders use.

    Raises
    ------
    DiffusionNetError
        If there is none.
    """
    layers = obj.data.uv_layers
    if not layers:
        raise DiffusionNetError(
            f"{obj.name!r} has no UV map, which Texture and UV Map need",
            "Unwrap it, or switch Texture and UV Map off.",
        )
    return next((layer.name for layer in layers if layer.active_render), layers[0].name)


def mapped_name(objects: Sequence[bpy.types.Object]) -> str:
    """Name of the UV map that renders use of the first of some objects that has any."""
    return source_uv_name(next(obj for obj in objects if obj.data.uv_layers))


def read_uv(mesh: bpy.types.Mesh, name: str) -> np.ndarray:
    """UVs at the corners, (L, 2) float64."""
    return read_values(mesh.attributes[name].data, "vector", np.float32, 2).astype(np.float64)


def write_uv(mesh: bpy.types.Mesh, name: str, uv: np.ndarray) -> None:
    """Write UVs at the corners (L, 2) into a UV map, which is added if missing.

    Raises
    ------
    DiffusionNetError
        If the mesh has as many as it can have.
    """
    if name not in mesh.uv_layers:
        if len(mesh.uv_layers) == MOST_UV_MAPS:
            raise DiffusionNetError(
                f"{mesh.name!r} has the maximum number of UV maps", "Remove one of its UV maps."
            )
        mesh.uv_layers.new(name=name, do_init=False)
    flat = np.ascontiguousarray(uv, dtype=np.float32).ravel()
    mesh.attributes[name].data.foreach_set("vector", flat)
