"""One object for each part."""

import bpy

from ..scene.edit_mode import outside_edit_mode
from ..scene.relabel import read_labels
from ..scene.separate import separate_parts
from .base import ObjectOperator, counted


class DIFFUSIONNET_OT_separate_parts(ObjectOperator, bpy.types.Operator):
    """Make an object of each part, with all that the mesh has; the object itself stays, hidden"""

    bl_idname = "diffusionnet.separate_parts"
    bl_label = "Separate by Part"
    bl_options = {"REGISTER", "UNDO"}

    def run(self, context):
        """Copy, and select the copies."""
        targets = self.targets(context)
        results = [read_labels(obj) for obj in targets]
        pieces = []
        for obj, result in zip(targets, results, strict=True):
            with outside_edit_mode(obj.data):
                pieces += separate_parts(obj, result)
        if context.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        for obj in targets:
            obj.select_set(False)
            obj.hide_set(True)
        for piece in pieces:
            piece.select_set(True)
        context.view_layer.objects.active = pieces[0]
        self.report({"INFO"}, f"{counted(len(pieces), 'object')} made")
        return {"FINISHED"}


CLASSES = (DIFFUSIONNET_OT_separate_parts,)
