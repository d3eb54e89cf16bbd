"""The section of the preferences on PyTorch."""

from __future__ import annotations

from .choice import torch_choice
from .operators import download_text, found_build


def draw(preferences, layout) -> None:
    """Draw variant and index, the build that was found, and the buttons.

    Parameters
    ----------
    preferences : bpy.types.AddonPreferences
    layout : bpy.types.UILayout
    """
    choice, stored = torch_choice(), preferences.extras.torch
    layout.label(text="PyTorch (optional)")
    column = layout.column()
    column.active = not preferences.environment
    column.row().prop(stored, "variant", expand=True)
    column.prop(stored, "index")
    build = found_build(choice)
    if build:
        text = f"PyTorch {build.version}: {download_text(build)}"
        column.label(text=text, icon="INFO", translate=False)
    row = column.row()
    row.operator("diffusionnet.find_torch", icon="VIEWZOOM")
    if build:
        row.operator("diffusionnet.install_torch", icon="IMPORT")
    if choice.installed:
        row.operator("diffusionnet.remove_torch", icon="TRASH")
