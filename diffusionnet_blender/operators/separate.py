"""Separation of an object by parts."""

import bpy
from bpy.props import EnumProperty

from ..scene.edit_mode import outside_edit_mode
from ..scene.labels import read_labels
from ..scene.parts import segmented_objects
from ..scene.report_text import counted
from ..scene.separate import discard_object, separate_parts
from ..scene.targets import select_only
from ..scene.transaction import transaction
from ..scene.write import require_writable
from .part import PartOperator


class DIFFUSIONNET_OT_separate_parts(PartOperator, bpy.types.Operator):
    """Make an object of each part."""

    bl_description = (
        "Make a separate object of each part, with its materials, UV maps, vertex groups, shape "
        "keys and modifiers"
    )

    bl_idname = "diffusionnet.separate_parts"
    bl_label = "Separate by Part"

    original: EnumProperty(
        name="Original",
        description="Handling of the original object",
        items=(
            ("HIDE", "Hide", "Keep the original, hidden in the viewport"),
            ("KEEP", "Keep", "Keep the original visible, in the same place as the parts"),
            ("REMOVE", "Remove", "Delete the original and keep only its parts"),
        ),
        default="HIDE",
    )

    def run(self, context):
        """Make an object of each part, and select them."""
        targets = segmented_objects(self.members(context))
        for obj in targets:
            require_writable(obj)
        pieces = []
        with transaction(*targets) as change:
            for obj in targets:
                with outside_edit_mode(obj.data):
                    pieces += separate_parts(obj, read_labels(obj))
            select_only(context, pieces)
            for obj in targets:
                if self.original == "HIDE":
                    obj.hide_set(True)
                elif self.original == "REMOVE":
                    discard_object(obj, change)
        self.report({"INFO"}, f"{counted(len(pieces), 'object')} made")
        return {"FINISHED"}

    def draw(self, context):
        """Draw the redo panel."""
        self.layout.use_property_split = True
        self.layout.prop(self, "original", expand=True)


CLASSES = (DIFFUSIONNET_OT_separate_parts,)
