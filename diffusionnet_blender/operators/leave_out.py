"""Objects left out of their character, or taken in again."""

import bpy
from bpy.props import StringProperty

from ..errors import DiffusionNetError
from ..scene.character import characters_of
from ..scene.shown import forget_shown
from ..scene.targets import named_object
from .base import ReportingOperator


class DIFFUSIONNET_OT_leave_out(ReportingOperator, bpy.types.Operator):
    """Leave this object out of its character, or take it in. This is saved with the file"""

    bl_idname = "diffusionnet.leave_out"
    bl_label = "Leave Out"
    bl_options = {"REGISTER", "UNDO"}

    object_name: StringProperty(name="Object", description="Name of the object", options={"HIDDEN"})

    def run(self, context):
        """Exchange in and out."""
        obj = named_object(context.scene.objects, self.object_name)
        if obj is None:
            raise DiffusionNetError(
                f"There is no object {self.object_name!r} in the scene",
                "Give the name of a mesh object.",
            )
        (character,) = characters_of([obj], context.view_layer)
        choice = obj.diffusionnet
        is_member = obj in character.members
        choice.membership = "AUTO"
        (automatic,) = characters_of([obj], context.view_layer)
        if (obj in automatic.members) == is_member:
            choice.membership = "OUT" if is_member else "IN"
        forget_shown()
        state = "left out" if is_member else "taken in"
        self.report({"INFO"}, f"{obj.name}: {state}")
        return {"FINISHED"}


CLASSES = (DIFFUSIONNET_OT_leave_out,)
