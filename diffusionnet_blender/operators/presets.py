"""Presets of outputs and of transfers, stored like Blender's own presets."""

from pathlib import Path

import bpy
from bl_operators.presets import AddPresetBase

from ..properties.outputs import OUTPUT_NAMES
from ..properties.transfer import TRANSFER_NAMES

FOLDER = "diffusionnet/outputs"
PANEL = "DIFFUSIONNET_PT_presets"
TRANSFER_FOLDER = "diffusionnet/transfer"
TRANSFER_PANEL = "DIFFUSIONNET_PT_transfer_presets"


class AddPreset(AddPresetBase):
    """Adds or removes a preset whose name stays within its folder."""

    preset_defines = ["settings = bpy.context.scene.diffusionnet"]

    def execute(self, context):
        """Add or remove it; Blender itself removes what a name such as ../x leads to."""
        name = self.name.strip()
        if self.remove_name:
            is_name = Path(self.name).name == self.name
        else:
            is_name = self.remove_active or not name or bool(self.as_filename(name))
        if not is_name:
            self.report({"ERROR"}, f"{self.name!r} is no name for a preset")
            return {"CANCELLED"}
        return super().execute(context)


class DIFFUSIONNET_OT_add_preset(AddPreset, bpy.types.Operator):
    """Add or remove a preset of outputs"""

    bl_idname = "diffusionnet.add_preset"
    bl_label = "Add Output Preset"
    preset_menu = PANEL
    preset_subdir = FOLDER
    preset_values = [f"settings.{name}" for name in (*OUTPUT_NAMES, "clean")]


class DIFFUSIONNET_OT_add_transfer_preset(AddPreset, bpy.types.Operator):
    """Add or remove a preset of what is moved, where and how"""

    bl_idname = "diffusionnet.add_transfer_preset"
    bl_label = "Add Transfer Preset"
    preset_menu = TRANSFER_PANEL
    preset_subdir = TRANSFER_FOLDER
    preset_values = [f"settings.transfer.{name}" for name in TRANSFER_NAMES]


CLASSES = (DIFFUSIONNET_OT_add_preset, DIFFUSIONNET_OT_add_transfer_preset)
