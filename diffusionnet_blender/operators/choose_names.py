"""Check boxes of the lists of vertex groups and shape keys that are moved."""

import bpy
from bpy.props import EnumProperty, StringProperty

from ..errors import DiffusionNetError
from ..properties.name_lists import only, toggled
from ..scene.moved_names import group_names_of, key_names_of
from ..scene.pair import character_for
from .base import ReportingOperator

# By the kind of names: the setting of the panel, and the names that a source has.
SETTINGS = {"GROUP": ("group_names", group_names_of), "KEY": ("key_names", key_names_of)}


class DIFFUSIONNET_OT_choose_names(ReportingOperator, bpy.types.Operator):
    """Choose the vertex groups or shape keys that are moved."""

    bl_description = (
        "Choose whether this is moved, by the names and patterns above. With no names there, all "
        "are moved"
    )
    bl_idname = "diffusionnet.choose_names"
    bl_label = "Choose"
    bl_options = {"INTERNAL", "UNDO"}

    kind: EnumProperty(
        items=[("GROUP", "Vertex Groups", ""), ("KEY", "Shape Keys", "")], options={"HIDDEN"}
    )
    action: EnumProperty(
        items=[("TOGGLE", "Toggle", ""), ("ONLY", "Only This", ""), ("ALL", "All", "")],
        options={"HIDDEN"},
    )
    name: StringProperty(options={"HIDDEN"})

    def run(self, context):
        """Write the names as a list."""
        panel = context.scene.diffusionnet.transfer
        if panel.source is None:
            raise DiffusionNetError("No source is chosen", "Pick one in the Transfer panel.")
        setting, names_of = SETTINGS[self.kind]
        existing = names_of(character_for(context, panel.source).members)
        text: str | None = only(self.name) if self.action == "ONLY" else ""
        if self.action == "TOGGLE":
            text = toggled(getattr(panel, setting), self.name, existing)
        if text is None:
            raise DiffusionNetError(
                "At least one has to be chosen", "Or switch this kind of data off."
            )
        setattr(panel, setting, text)
        return {"FINISHED"}


CLASSES = (DIFFUSIONNET_OT_choose_names,)
