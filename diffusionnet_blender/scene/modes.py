"""Modes of the active object."""

import bpy


def set_mode(mode: str) -> None:
    """Set the mode of the view layer's active object, whatever a script has put in its place."""
    active = bpy.context.view_layer.objects.active
    with bpy.context.temp_override(object=active, active_object=active):
        bpy.ops.object.mode_set(mode=mode)
