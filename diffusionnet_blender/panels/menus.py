"""Entries in Blender's own menus."""

import bpy


def _draw_segment(menu, context) -> None:
    menu.layout.separator()
    # As the button of the panel: in the worker, with progress bar and Esc.
    menu.layout.operator_context = "INVOKE_DEFAULT"
    menu.layout.operator("diffusionnet.segment", text="Segment into Parts", icon="MOD_EXPLODE")


def _menus() -> tuple[type, ...]:
    return bpy.types.VIEW3D_MT_object, bpy.types.VIEW3D_MT_object_context_menu


def add_entries() -> None:
    """Append the entries."""
    for menu in _menus():
        menu.append(_draw_segment)


def remove_entries() -> None:
    """Remove the entries."""
    for menu in _menus():
        menu.remove(_draw_segment)
