"""One object for each part."""

import bpy
from bpy.props import EnumProperty

from ..scene.edit_mode import outside_edit_mode
from ..scene.labels import read_labels
from ..scene.separate import remove_object, separate_parts
from ..scene.targets import selected_objects
from ..scene.write import require_writable
from .base import counted
from .edit_labels import PartOperator, segmented


class DIFFUSIONNET_OT_separate_parts(PartOperator, bpy.types.Operator):
    """Make an object of each part."""

    bl_description = (
        "Make an object of each part, with all that the mesh has there: materials, UV maps, "
        "vertex groups, shape keys, modifiers"
    )

    bl_idname = "diffusionnet.separate_parts"
    bl_label = "Separate by Part"

    original: EnumProperty(
        name="Original",
        description="What becomes of the object itself",
        items=(
            ("HIDE", "Hide", "It stays as it is, hidden in the viewport"),
            ("KEEP", "Keep", "It stays as it is, where the parts are, too"),
            ("REMOVE", "Remove", "Only its parts stay"),
        ),
        default="HIDE",
    )

    def run(self, context):
        """Copy, and select the copies."""
        targets = segmented(self.targets(context))
        for obj in targets:
            require_writable(obj)
        pieces = []
        for obj in targets:
            with outside_edit_mode(obj.data):
                pieces += separate_parts(obj, read_labels(obj))
        if context.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        for obj in selected_objects(context):
            obj.select_set(False)
        for obj in targets:
            if self.original == "HIDE":
                obj.hide_set(True)
            elif self.original == "REMOVE":
                remove_object(obj)
        for piece in pieces:
            piece.select_set(True)
        context.view_layer.objects.active = pieces[0]
        self.report({"INFO"}, f"{counted(len(pieces), 'object')} made")
        return {"FINISHED"}

    def draw(self, context):
        """Draw the redo panel."""
        self.layout.use_property_split = True
        self.layout.prop(self, "original", expand=True)


CLASSES = (DIFFUSIONNET_OT_separate_parts,)
