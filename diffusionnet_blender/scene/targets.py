"""Objects to work on: the selected ones, and the one picked in the panel."""

from __future__ import annotations

import bpy

from ..errors import DiffusionNetError


def meshes_to_work_on(context) -> list[bpy.types.Object]:
    """Selected meshes, else the one picked in the panel; a mesh of several objects once.

    Raises
    ------
    DiffusionNetError
        If there is none.
    """
    selected = selected_objects(context)
    picked = context.scene.diffusionnet.object
    by_mesh: dict[bpy.types.Mesh, bpy.types.Object] = {}
    for obj in selected:
        if obj.type == "MESH":
            by_mesh.setdefault(obj.data, obj)
    if by_mesh:
        return list(by_mesh.values())
    if picked:
        return [picked]
    if selected:
        # Reading it raises the error that says what to do with a curve or an armature.
        return selected[:1]
    raise DiffusionNetError("No mesh is selected", "Select one, or pick one in the panel.")


def selected_objects(context) -> list[bpy.types.Object]:
    """Selected objects; one that was just deleted is listed as None until an update."""
    return [obj for obj in context.view_layer.objects.selected if obj]


def has_parts(context) -> bool:
    """Whether any mesh in the view layer has been segmented."""
    objects = (obj for obj in context.view_layer.objects if obj and obj.type == "MESH")
    return any(obj.data.diffusionnet.parts for obj in objects)
