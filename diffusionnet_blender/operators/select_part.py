"""Selection of the faces of a part."""

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty

from ..scene.edit_mode import enter_edit_mode
from ..scene.parts import part_name, part_number, segmented_objects
from ..scene.report_text import counted
from ..scene.selection import select_part
from .base import ObjectOperator


class DIFFUSIONNET_OT_select_part(ObjectOperator, bpy.types.Operator):
    """Select the faces of this part in Edit Mode. Shift: extend the selection"""

    bl_idname = "diffusionnet.select_part"
    bl_label = "Select Part"
    bl_options = {"REGISTER", "UNDO"}

    part: StringProperty(name="Part", description="Name of the part, in place of its number")
    index: IntProperty(name="Number", description="Number of the part in the list", min=0)
    extend: BoolProperty(name="Extend", description="Extend the existing selection")
    edit_mode: BoolProperty(
        name="Edit Mode", description="Switch to Edit Mode to show the selection", default=True
    )

    def invoke(self, context, event):
        """Shift extends, as everywhere in Blender."""
        self.extend = event.shift
        return self.execute(context)

    def run(self, context):
        """Select the part on each target."""
        targets = segmented_objects(self.members(context))
        numbers = [part_number(obj, self.part, self.index) for obj in targets]
        pairs = list(zip(targets, numbers, strict=True))
        # Of a character, only the members that have the part come into Edit Mode.
        pairs = [pair for pair in pairs if _has(*pair)] or pairs
        targets = [obj for obj, _ in pairs]
        if self.edit_mode and not all(obj.data.is_editmode for obj in targets):
            enter_edit_mode(context, targets)
        count = sum(select_part(obj, number, self.extend) for obj, number in pairs)
        names = sorted({part_name(obj, number) for obj, number in pairs})
        faces = sum(len(obj.data.polygons) for obj in targets)
        selected = counted(count, "face" if faces else "vertex")
        self.report({"INFO"}, f"{', '.join(names)}: {selected} selected")
        return {"FINISHED"}


def _has(obj: bpy.types.Object, number: int) -> bool:
    part = obj.data.diffusionnet.parts[number]
    return part.face_count > 0 or part.vertex_count > 0


CLASSES = (DIFFUSIONNET_OT_select_part,)
