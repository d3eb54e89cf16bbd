"""Refit: the source's garments fitted to the target's body, as new objects."""

import bpy
from bpy.props import StringProperty

from ..errors import DiffusionNetError
from ..properties.refit import FittingProperties
from ..scene.pins import pins_of_pair
from ..scene.refit_jobs import RefitJobs
from ..scene.report_text import counted, listed
from ..scene.targets import named_object
from ..tasks.refit.request import Fitting
from .background import JobOperator
from .match import MatchProperties
from .pair import PairOperator


class DIFFUSIONNET_OT_refit(
    MatchProperties, FittingProperties, JobOperator, PairOperator, bpy.types.Operator
):
    """Fit copies of what the source wears to the target's body: garments, hair, shoes"""

    bl_idname = "diffusionnet.refit"
    bl_label = "Refit"
    bl_options = {"UNDO"}

    body: StringProperty(
        name="Body",
        description="Name of the source's body. Empty: the panel's, or it is found",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    def jobs(self, context) -> RefitJobs:
        """One job on the pair."""
        source, target = self.pair(context)
        panel = context.scene.diffusionnet
        body = panel.refit.body
        if self.body:
            body = named_object(context.scene.objects, self.body)
            if body is None or body.type != "MESH":
                raise DiffusionNetError(
                    f"There is no mesh {self.body!r} in the scene",
                    "Give the name of a mesh object.",
                )
        # Where the bodies stand decides nothing.
        options = self.match_options(context) | {"method": "MATCH"}
        fitting = self.chosen_options(Fitting, panel.refit)
        pins = pins_of_pair(panel.transfer, source, target)
        return RefitJobs(source, target, body, pins, fitting, **options)

    def finish(self, context, run):
        """Make the new objects, and report what was fitted and what was not."""
        if run.failed:
            raise run.failed[0]
        made, found, wardrobe = run.jobs.write(), run.jobs.result, run.jobs.wardrobe
        self.report_errors(run.jobs.errors, failed=False)
        seconds = sum(found.seconds.values())
        doubt, uncertain = "", False
        if found.correspondence is not None:
            doubt, uncertain = found.correspondence.doubt, found.correspondence.uncertain
        self.report(
            {"WARNING" if uncertain else "INFO"},
            f"{doubt}{counted(len(made), 'object')} of {wardrobe.body.name} fitted to "
            f"{run.jobs.target.name}, in {seconds:.1f} s",
        )
        if found.left_out:
            names = [wardrobe.garments[number].name for number in found.left_out]
            self.report({"WARNING"}, f"Left out, the target lacks what they cover: {listed(names)}")
        if wardrobe.of_face:
            names = [obj.name for obj in wardrobe.of_face]
            self.report({"INFO"}, f"Left out, every face has its own: {listed(names)}")
        return {"FINISHED"}


CLASSES = (DIFFUSIONNET_OT_refit,)
