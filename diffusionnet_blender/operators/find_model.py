"""Choice of models by the family of the figures."""

from __future__ import annotations

import bpy

from ..errors import DiffusionNetError
from ..properties.model_lists import model_card
from ..scene.family_jobs import FamilyJobs
from ..session.families import family_text, keep_proposal, needs_own_model
from ..settings import settings
from ..translations import worded
from .background import JobOperator
from .base import ObjectOperator


class DIFFUSIONNET_OT_find_model(JobOperator, ObjectOperator, bpy.types.Operator):
    """Find out whether it is a person, a four-legged animal or neither, and choose the models"""

    bl_idname = "diffusionnet.find_model"
    bl_label = "Find Model"
    bl_options = {"UNDO"}

    def jobs(self, context) -> FamilyJobs:
        """One job for each character."""
        preferences = settings()
        return FamilyJobs(
            self.characters(context),
            context.scene.diffusionnet.use_modifiers,
            cache=preferences.cache,
            **preferences.compute,
        )

    def finish(self, context, run):
        """Choose the models, if there are any for all figures."""
        self.report_errors([*run.failed, *run.jobs.errors], failed=not run.done)
        models, lines, own = set(), [], False
        for item, proposal in run.done:
            for member in item.members:
                keep_proposal((member.object_uid, member.mesh_uid), proposal)
            models.add((proposal.model, proposal.match_model))
            own = own or needs_own_model(proposal)
            lines.append(f"{item.name}: {family_text(proposal)}")
        if len(models) > 1:
            raise DiffusionNetError(
                f"One model is not for all of them. {'; '.join(lines)}",
                "Find the model for each of them by itself, and segment them one after the other.",
            )
        ((model, match_model),) = models
        scene = context.scene.diffusionnet
        for properties, name in ((scene, model), (scene.transfer, match_model)):
            if name is not None and model_card(name) is not None:
                properties.model = name
        if own:
            lines.append(worded("Label some of its parts, then Train"))
        self.report({"INFO"} if model else {"WARNING"}, "; ".join(lines))
        return {"FINISHED"}


CLASSES = (DIFFUSIONNET_OT_find_model,)
