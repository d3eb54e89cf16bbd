"""Target objects of operators: the selected ones, or the one picked in the panel."""

from __future__ import annotations

from collections.abc import Sequence

import bpy

from ..errors import DiffusionNetError


def target_meshes(context) -> list[bpy.types.Object]:
    """Selected meshes, or else the one picked in the panel; one object for each mesh.

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
        # Reading a curve or an armature raises an error with the fix for its type.
        return selected[:1]
    raise DiffusionNetError("No mesh is selected", "Select one, or pick one in the panel.")


def selected_objects(context) -> list[bpy.types.Object]:
    """Selected objects; one that was just deleted is listed as None until an update."""
    return [obj for obj in context.view_layer.objects.selected if obj]


def select_only(context, objects: Sequence[bpy.types.Object]) -> None:
    """Select these objects and no others, in Object Mode; the first becomes active."""
    if context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    for obj in selected_objects(context):
        obj.select_set(False)
    for obj in objects:
        obj.select_set(True)
    context.view_layer.objects.active = objects[0]


def has_parts(context) -> bool:
    """Whether any mesh in the view layer has been segmented."""
    objects = (obj for obj in context.view_layer.objects if obj and obj.type == "MESH")
    return any(obj.data.diffusionnet.parts for obj in objects)
