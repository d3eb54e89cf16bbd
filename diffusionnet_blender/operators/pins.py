"""Pins added and removed; source and target swapped."""

import bpy

from ..errors import DiffusionNetError
from ..scene.pair import required_pair
from ..scene.pins import add_pins_by_empties, add_pins_by_vertices, swap_pair
from ..scene.report_text import counted
from ..scene.targets import selected_objects
from .base import ReportingOperator


class DIFFUSIONNET_OT_add_pin(ReportingOperator, bpy.types.Operator):
    """Add pins."""

    bl_idname = "diffusionnet.add_pin"
    bl_label = "Add Pin"
    bl_description = (
        "Pin points of the source to points of the target: select two empties, one on each "
        "mesh, or Shift-click vertices in Edit Mode, in the same order on both meshes"
    )
    bl_options = {"REGISTER", "UNDO"}

    def run(self, context):
        """Pin the selected empties, or else the selected vertices."""
        chosen = context.scene.diffusionnet.transfer
        context.view_layer.update()
        pair = required_pair(context, chosen.source, chosen.target)
        empties = [obj for obj in selected_objects(context) if obj.type == "EMPTY"]
        if empties:
            count = add_pins_by_empties(chosen, *pair, empties)
        else:
            count = add_pins_by_vertices(chosen, *pair)
        self.report({"INFO"}, f"{counted(count, 'pin')} added")
        return {"FINISHED"}


class DIFFUSIONNET_OT_remove_pin(ReportingOperator, bpy.types.Operator):
    """Remove the active pin; its empties stay in the scene"""

    bl_idname = "diffusionnet.remove_pin"
    bl_label = "Remove Pin"
    bl_options = {"REGISTER", "UNDO"}

    all: bpy.props.BoolProperty(name="All", description="Remove all pins", options={"SKIP_SAVE"})

    def run(self, context):
        """Remove one pin or all."""
        chosen = context.scene.diffusionnet.transfer
        if not chosen.pins:
            raise DiffusionNetError("There are no pins", "Add a pin first.")
        if self.all:
            chosen.pins.clear()
        else:
            chosen.pins.remove(min(chosen.active_pin, len(chosen.pins) - 1))
        chosen.active_pin = max(min(chosen.active_pin, len(chosen.pins) - 1), 0)
        return {"FINISHED"}


class DIFFUSIONNET_OT_swap_pair(ReportingOperator, bpy.types.Operator):
    """Swap source and target, along with their pins"""

    bl_idname = "diffusionnet.swap_pair"
    bl_label = "Swap"
    bl_options = {"REGISTER", "UNDO"}

    def run(self, context):
        """Swap the pickers of the panel."""
        swap_pair(context.scene.diffusionnet.transfer)
        return {"FINISHED"}


CLASSES = (DIFFUSIONNET_OT_add_pin, DIFFUSIONNET_OT_remove_pin, DIFFUSIONNET_OT_swap_pair)
