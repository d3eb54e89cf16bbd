"""Live Match: a modifier on the target that reads the source through the match."""

import bpy
from bpy.props import FloatProperty, StringProperty

from ..scene.edit_mode import whole_undo
from ..scene.live import write_live
from ..scene.matches import current_match
from ..scene.pair import outside_edit_modes
from .pair import PairOperator


class DIFFUSIONNET_OT_live_match(PairOperator, bpy.types.Operator):
    """Give the target a modifier that follows the source."""

    bl_description = (
        "Keep the match on the target, with a modifier that reads colors and the posed surface of "
        "the source through it, now and whenever they change"
    )
    bl_idname = "diffusionnet.live_match"
    bl_label = "Live Match"
    bl_options = {"REGISTER", "UNDO"}

    attribute: StringProperty(
        name="Attribute",
        description="Attribute or vertex group of the source to read. Empty: its active colors",
    )
    follow: FloatProperty(
        name="Follow",
        description="How far the target moves with the surface of the source, as the source is "
        "posed. A target in place keeps its distance to the source",
        min=0.0,
        max=1.0,
        default=0.0,
        subtype="FACTOR",
    )

    def run(self, context):
        """Write attributes and modifier."""
        source, target = self.pair(context)
        match = current_match(source, target)
        members = [*source.members, *target.members]
        with whole_undo(members), outside_edit_modes(*members):
            written, errors = write_live(source, target, match, self.attribute, self.follow)
        names = ", ".join(obj.name for obj in written)
        found = match.correspondence
        level = "WARNING" if found.uncertain else "INFO"
        self.report({level}, f"{found.doubt}{names}: modifier Live Match reads {source.name}")
        self.report_errors(errors, failed=False)
        return {"FINISHED"}


CLASSES = (DIFFUSIONNET_OT_live_match,)
