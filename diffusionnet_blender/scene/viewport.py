"""Shading of viewports."""

from __future__ import annotations


def show_colours_in(context, area: int | None = None) -> None:
    """Let a viewport show the active colour attribute in solid shading.

    Parameters
    ----------
    context : bpy.types.Context
    area : int, optional
        Pointer of the viewport's area; by default the one of the context.
    """
    areas = [each for window in context.window_manager.windows for each in window.screen.areas]
    spaces = [each.spaces.active for each in areas if each.as_pointer() == area]
    for space in spaces if area else [context.space_data]:
        if space and space.type == "VIEW_3D" and space.shading.type == "SOLID":
            space.shading.color_type = "VERTEX"
