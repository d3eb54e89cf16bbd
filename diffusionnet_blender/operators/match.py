"""Match two objects, and look at the result."""

import bpy
from bpy.props import EnumProperty, FloatProperty

from ..properties.from_options import ONE_CALL, properties_of
from ..properties.model_lists import NO_MODEL
from ..scene.edit_mode import whole_undo
from ..scene.jobs import MatchJobs
from ..scene.matches import current_match
from ..scene.pair import outside_edit_modes
from ..scene.preview import select_uncertain, write_preview
from ..scene.viewport import show_colours_in
from ..settings import settings
from ..tasks.match.request import Correspondence, MatchRequest
from ..tasks.models import path_for
from ..translations import worded
from .background import JobOperator
from .base import counted
from .pair import PairOperator, pins_of


class MatchProperties:
    """Options of a match, for one call."""

    __annotations__ = properties_of(MatchRequest, **ONE_CALL)


class DIFFUSIONNET_OT_match(MatchProperties, JobOperator, PairOperator, bpy.types.Operator):
    """Find each vertex of the target on the source; data is moved along this match"""

    bl_idname = "diffusionnet.match"
    bl_label = "Match"
    # Nothing in the file changes.
    bl_options = set()

    def jobs(self, context) -> MatchJobs:
        """One, of the pair."""
        source, target = self.pair(context)
        preferences = settings()
        options = self.chosen(MatchRequest, context.scene.diffusionnet.transfer)
        if options["model"] == NO_MODEL:
            options["model"] = None
        else:
            path_for(options["model"], [preferences.model_folder], "match")
        pins = pins_of(context, source, target)
        return MatchJobs(source, target, pins, **{**options, **preferences.compute})

    def finish(self, context, run):
        """Report on the match, which is kept."""
        found = run.result
        source, target = run.jobs.items[0].find()
        text = f"{target.name} found on {source.name}: {found.sure:.0%} of the vertices sure"
        seconds = sum(found.seconds.values())
        self.report({"INFO"}, f"{text}, {method_of(found)}, in {seconds:.1f} s")
        if found.fit == "no torch":
            self.report({"INFO"}, without_torch())
        if found.judgement.mirrored:
            self.report(
                {"WARNING"},
                "Left and right seem swapped; set three pins or more and match again",
            )
        return {"FINISHED"}


def method_of(found: Correspondence) -> str:
    """How a match was found, in the language of the interface."""
    if found.fit == "kept":
        return worded("by a network that was fitted to this pair")
    if found.model_name:
        return worded("with model {model}", model=found.model_name)
    return worded("without a model: by distances alone")


def without_torch() -> str:
    """Why no network was fitted to a match, in the language of the interface."""
    return worded("Without PyTorch no network was fitted: the guide says how to get it")


class DIFFUSIONNET_OT_preview_match(PairOperator, bpy.types.Operator):
    """Paint both meshes so that what belongs together has one color, or how sure the match is"""

    bl_idname = "diffusionnet.preview_match"
    bl_label = "Preview Match"
    bl_options = {"REGISTER", "UNDO"}

    show: EnumProperty(
        name="Show",
        items=(
            ("POSITION", "Position", "The source's position as colors, on both"),
            (
                "CONFIDENCE",
                "Confidence",
                "The target, green where it is sure and red where not",
            ),
        ),
        default="POSITION",
    )

    def run(self, context):
        """Write both layers, and show one."""
        source, target = self.pair(context)
        match = current_match(source, target)
        with whole_undo([source, target]), outside_edit_modes(source, target):
            written = write_preview(source, target, match, self.show)
        show_colours_in(context)
        self.report({"INFO"}, f"Written: {', '.join(written)}")
        return {"FINISHED"}


class DIFFUSIONNET_OT_select_uncertain(PairOperator, bpy.types.Operator):
    """Select the vertices of the target that the match is not sure of"""

    bl_idname = "diffusionnet.select_uncertain"
    bl_label = "Select Uncertain"
    bl_options = {"REGISTER", "UNDO"}

    below: FloatProperty(
        name="Below",
        description="Confidence below which a vertex is selected",
        min=0.0,
        max=1.0,
        default=0.5,
        subtype="FACTOR",
    )

    def run(self, context):
        """Select."""
        source, target = self.pair(context)
        match = current_match(source, target)
        count = select_uncertain(target, match.correspondence.confidence < self.below)
        self.report({"INFO"}, f"{target.name}: {counted(count, 'vertex')} selected")
        return {"FINISHED"}


CLASSES = (
    DIFFUSIONNET_OT_match,
    DIFFUSIONNET_OT_preview_match,
    DIFFUSIONNET_OT_select_uncertain,
)
