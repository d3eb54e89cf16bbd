"""Pins: points that the artist knows to belong together; and the two objects swapped."""

import bpy

from ..errors import DiffusionNetError
from ..scene.pair import require_pair
from ..scene.pins import add_pins_by_empties, add_pins_by_vertices
from ..scene.targets import selected_objects
from .base import ReportingOperator, counted


class DIFFUSIONNET_OT_add_pin(ReportingOperator, bpy.types.Operator):
    """Add pins."""

    bl_idname = "diffusionnet.add_pin"
    bl_label = "Add Pin"
    bl_description = (
        "Pin points together: two selected empties, one on the source and one on the target; or, "
        "in Edit Mode, the vertices that were clicked with Shift held on both, in the same order"
    )
    bl_options = {"REGISTER", "UNDO"}

    def run(self, context):
        """Take the empties that are selected, else the vertices."""
        chosen = context.scene.diffusionnet.transfer
        context.view_layer.update()
        require_pair(chosen.source, chosen.target)
        empties = [obj for obj in selected_objects(context) if obj.type == "EMPTY"]
        if empties:
            count = add_pins_by_empties(chosen, empties)
        else:
            count = add_pins_by_vertices(chosen)
        self.report({"INFO"}, f"{counted(count, 'pin')} added")
        return {"FINISHED"}


class DIFFUSIONNET_OT_remove_pin(ReportingOperator, bpy.types.Operator):
    """Remove the pin that is highlighted; empties stay in the scene"""

    bl_idname = "diffusionnet.remove_pin"
    bl_label = "Remove Pin"
    bl_options = {"REGISTER", "UNDO"}

    all: bpy.props.BoolProperty(name="All", description="Remove all pins", options={"SKIP_SAVE"})

    def run(self, context):
        """Remove."""
        chosen = context.scene.diffusionnet.transfer
        if not chosen.pins:
            raise DiffusionNetError("There are no pins", "Add some first.")
        if self.all:
            chosen.pins.clear()
        else:
            chosen.pins.remove(min(chosen.active_pin, len(chosen.pins) - 1))
        chosen.active_pin = max(min(chosen.active_pin, len(chosen.pins) - 1), 0)
        return {"FINISHED"}


class DIFFUSIONNET_OT_swap_pair(ReportingOperator, bpy.types.Operator):
    """Make the source the target and the target the source; pins are turned with them"""

    bl_idname = "diffusionnet.swap_pair"
    bl_label = "Swap"
    bl_options = {"REGISTER", "UNDO"}

    def run(self, context):
        """Swap."""
        chosen = context.scene.diffusionnet.transfer
        chosen.source, chosen.target = chosen.target, chosen.source
        for pin in chosen.pins:
            for what in ("object", "empty", "vertex"):
                here, there = (getattr(pin, f"{side}_{what}") for side in ("source", "target"))
                setattr(pin, f"source_{what}", there)
                setattr(pin, f"target_{what}", here)
        return {"FINISHED"}


CLASSES = (DIFFUSIONNET_OT_add_pin, DIFFUSIONNET_OT_remove_pin, DIFFUSIONNET_OT_swap_pair)
