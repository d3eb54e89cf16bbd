"""UV maps of meshes."""

from __future__ import annotations

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


def read_uv(mesh: bpy.types.Mesh, name: str) -> np.ndarray:
    """UVs at the corners, (L, 2) float64."""
    return read_values(mesh.attributes[name].data, "vector", np.float32, 2).astype(np.float64)


def write_uv(mesh: bpy.types.Mesh, name: str, uv: np.ndarray) -> None:
    """Write UVs at the corners (L, 2) into a UV map, which is added if missing."""
    if name not in mesh.uv_layers:
        mesh.uv_layers.new(name=name, do_init=False)
    flat = np.ascontiguousarray(uv, dtype=np.float32).ravel()
    mesh.attributes[name].data.foreach_set("vector", flat)
