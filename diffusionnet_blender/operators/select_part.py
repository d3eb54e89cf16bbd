"""Select a part."""

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty

from ..scene.selection import select_part
from ..scene.targets import selected_objects
from .base import ObjectOperator, counted
from .edit_labels import name_of, number_of, segmented


class DIFFUSIONNET_OT_select_part(ObjectOperator, bpy.types.Operator):
    """Select the faces of this part in Edit Mode. Shift: add them to the selection"""

    bl_idname = "diffusionnet.select_part"
    bl_label = "Select Part"
    bl_options = {"REGISTER", "UNDO"}

    part: StringProperty(name="Part", description="Name of the part; takes the place of its number")
    index: IntProperty(name="Number", description="Number of the part in the legend", min=0)
    extend: BoolProperty(name="Extend", description="Keep what is selected")
    edit_mode: BoolProperty(
        name="Edit Mode", description="Enter Edit Mode, where the selection shows", default=True
    )

    def invoke(self, context, event):
        """Shift extends, as everywhere in Blender."""
        self.extend = event.shift
        return self.execute(context)

    def run(self, context):
        """Select on each target."""
        targets = segmented(self.targets(context))
        labels = [number_of(obj, self.part, self.index) for obj in targets]
        if self.edit_mode and not all(obj.data.is_editmode for obj in targets):
            _enter_edit_mode(context, targets)
        count = sum(
            select_part(obj, label, self.extend) for obj, label in zip(targets, labels, strict=True)
        )
        names = {name_of(obj, label) for obj, label in zip(targets, labels, strict=True)}
        faces = sum(len(obj.data.polygons) for obj in targets)
        selected = counted(count, "face" if faces else "vertex")
        self.report({"INFO"}, f"{', '.join(sorted(names))}: {selected} selected")
        return {"FINISHED"}


def _enter_edit_mode(context, objects) -> None:
    """Edit Mode with face selection, on these objects alone."""
    if context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    for obj in selected_objects(context):
        obj.select_set(False)
    for obj in objects:
        obj.select_set(True)
    context.view_layer.objects.active = objects[0]
    points = not any(len(obj.data.polygons) for obj in objects)
    context.tool_settings.mesh_select_mode = (points, False, not points)
    bpy.ops.object.mode_set(mode="EDIT")


CLASSES = (DIFFUSIONNET_OT_select_part,)
