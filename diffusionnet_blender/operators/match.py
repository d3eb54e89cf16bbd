"""Match of two objects, its preview, and the selection of uncertain vertices."""

from typing import Any

import bpy
from bpy.props import EnumProperty, FloatProperty

from ..properties.from_options import ONE_CALL, properties_of
from ..properties.model_lists import NO_MODEL
from ..scene.edit_mode import whole_undo
from ..scene.match_jobs import MatchJobs
from ..scene.matches import current_match
from ..scene.pair import outside_edit_modes, writable
from ..scene.pins import pins_of_pair
from ..scene.preview import select_in_character, write_preview
from ..scene.report_text import counted
from ..scene.viewport import show_colours_in
from ..session.match_text import fit_without_torch, match_method
from ..settings import settings
from ..tasks.match.request import MatchRequest
from ..tasks.models import path_for
from .background import JobOperator
from .pair import PairOperator


class MatchProperties:
    """Options of a match, each for one call."""

    __annotations__ = properties_of(MatchRequest, **ONE_CALL)

    def match_options(self, context) -> dict[str, Any]:
        """Fields of `MatchRequest`, without shapes and pins.

        Raises
        ------
        ModelError
            If there is no such model, or it does not match shapes.
        """
        preferences = settings()
        options = self.chosen_options(MatchRequest, context.scene.diffusionnet.transfer)
        if options["model"] == NO_MODEL:
            options["model"] = None
        else:
            path_for(options["model"], [preferences.model_folder], "match")
        return {**options, **preferences.compute}


class DIFFUSIONNET_OT_match(MatchProperties, JobOperator, PairOperator, bpy.types.Operator):
    """Find the point on the source for each vertex of the target. Transfer uses this match"""

    bl_idname = "diffusionnet.match"
    bl_label = "Match"
    # Nothing in the file changes.
    bl_options = set()

    def jobs(self, context) -> MatchJobs:
        """One job on the pair."""
        source, target = self.pair(context)
        options = self.match_options(context)
        pins = pins_of_pair(context.scene.diffusionnet.transfer, source, target)
        return MatchJobs(source, target, pins, **options)

    def finish(self, context, run):
        """Report on the match; the run has kept it."""
        found = run.result
        source, target = run.jobs.items[0].find()
        share = f"confident on {found.confident_share:.0%} of vertices"
        text = f"{found.doubt}{target.name} matched to {source.name}: {share}"
        seconds = sum(found.seconds.values())
        level = "WARNING" if found.uncertain else "INFO"
        self.report({level}, f"{text}, {match_method(found)}, in {seconds:.1f} s")
        for shape, repairs in zip((source, target), found.repairs, strict=True):
            if repairs.stray_vertices:
                self.report({"WARNING"}, f"{shape.name}: {repairs.stray()}")
        self.report_errors(run.jobs.errors, failed=False)
        if found.fit == "no torch":
            self.report({"INFO"}, fit_without_torch())
        if found.judgement.mirrored:
            self.report(
                {"WARNING"},
                "Left and right seem swapped; set three or more pins and match again",
            )
        return {"FINISHED"}


class DIFFUSIONNET_OT_preview_match(PairOperator, bpy.types.Operator):
    """Show the match as color attributes: matching points in the same color, or the confidence"""

    bl_idname = "diffusionnet.preview_match"
    bl_label = "Preview Match"
    bl_options = {"REGISTER", "UNDO"}

    show: EnumProperty(
        name="Show",
        items=(
            ("POSITION", "Position", "Color both meshes by position on the source"),
            (
                "CONFIDENCE",
                "Confidence",
                "Color the target by confidence, from red (low) to green (high)",
            ),
        ),
        default="POSITION",
    )

    def run(self, context):
        """Write the color attributes, and show them."""
        source, target = self.pair(context)
        match = current_match(source, target)
        members = [*source.members, *target.members]
        with whole_undo(members), outside_edit_modes(*members):
            written = write_preview(source, target, match, self.show)
        show_colours_in(context)
        self.report({"INFO"}, f"Written: {', '.join(written)}")
        errors = [error for shape in (source, target) for error in writable(shape)[1]]
        self.report_errors(errors, failed=False)
        return {"FINISHED"}


class DIFFUSIONNET_OT_select_uncertain(PairOperator, bpy.types.Operator):
    """Select the vertices of the target with low confidence"""

    bl_idname = "diffusionnet.select_uncertain"
    bl_label = "Select Uncertain"
    bl_options = {"REGISTER", "UNDO"}

    below: FloatProperty(
        name="Below",
        description="Select the vertices below this confidence",
        min=0.0,
        max=1.0,
        default=0.5,
        subtype="FACTOR",
    )

    def run(self, context):
        """Select vertices of the target."""
        source, target = self.pair(context)
        match = current_match(source, target)
        count = select_in_character(target, match.correspondence.confidence < self.below)
        self.report({"INFO"}, f"{target.name}: {counted(count, 'vertex')} selected")
        return {"FINISHED"}


CLASSES = (
    DIFFUSIONNET_OT_match,
    DIFFUSIONNET_OT_preview_match,
    DIFFUSIONNET_OT_select_uncertain,
)
