"""UV map by Smart UV Project, for a mesh without one that can be baked into."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix

from .edit_mode import alone_in_edit_mode
from .ownership import PREFIX
from .uv_maps import read_uv

UV_MAP = "UVMap"
# Beside a map of the artist that cannot hold the colours of all faces.
SPARE_UV_MAP = f"{PREFIX} Unwrapped"
ISLAND_MARGIN = 0.004


def unwrapped_uv(obj: bpy.types.Object) -> np.ndarray:
    """UV map of an object's mesh by Smart UV Project, made on a copy of it, (L, 2) float64."""
    copy = bpy.data.objects.new(f"{obj.name} unwrapped", obj.data.copy())
    mesh = copy.data
    try:
        for elements in (mesh.vertices, mesh.edges, mesh.polygons):
            elements.foreach_set("hide", np.zeros(len(elements), dtype=bool))
        for name in mesh.uv_layers.keys():
            mesh.uv_layers.remove(mesh.uv_layers[name])
        mesh.uv_layers.new(name=UV_MAP)
        # Smart UV Project takes small faces for empty ones, whatever the size of the mesh. By a
        # power of two, which keeps all digits.
        size = max(max(map(abs, corner)) for corner in copy.bound_box)
        scale = 2.0 ** -np.round(np.log2(size)) if size > 0 else 1.0
        mesh.transform(Matrix.Scale(scale, 4), shape_keys=True)
        with alone_in_edit_mode(copy):
            bpy.ops.mesh.select_all(action="SELECT")
            bpy.ops.uv.smart_project(island_margin=ISLAND_MARGIN)
        return read_uv(mesh, UV_MAP)
    finally:
        bpy.data.objects.remove(copy)
        bpy.data.meshes.remove(mesh)
