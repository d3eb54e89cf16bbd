"""Presets of outputs, stored like Blender's own presets."""

import bpy
from bl_operators.presets import AddPresetBase

from ..properties.outputs import OUTPUT_NAMES

FOLDER = "diffusionnet/outputs"
PANEL = "DIFFUSIONNET_PT_presets"


class DIFFUSIONNET_OT_add_preset(AddPresetBase, bpy.types.Operator):
    """Add or remove a preset of outputs"""

    bl_idname = "diffusionnet.add_preset"
    bl_label = "Add Output Preset"
    preset_menu = PANEL
    preset_subdir = FOLDER
    preset_defines = ["settings = bpy.context.scene.diffusionnet"]
    preset_values = [f"settings.{name}" for name in (*OUTPUT_NAMES, "clean")]


CLASSES = (DIFFUSIONNET_OT_add_preset,)
