"""Classification of objects."""

from __future__ import annotations

import bpy

from ..errors import DiffusionNetError
from ..properties.from_options import ONE_CALL, properties_of
from ..properties.model_lists import NO_MODEL
from ..scene.classes import write_class_of_character
from ..scene.classify_jobs import ClassifyJobs
from ..scene.report_text import listed
from ..settings import settings
from ..tasks.classify.request import ClassifyRequest
from ..tasks.models import path_for
from .background import JobOperator
from .base import ObjectOperator

# Number of characters in the report.
NAMED = 3


class ClassifyProperties:
    """Options of a classification, each for one call."""

    __annotations__ = properties_of(ClassifyRequest, **ONE_CALL)


class DIFFUSIONNET_OT_classify(ClassifyProperties, JobOperator, ObjectOperator, bpy.types.Operator):
    """Classify each mesh or character as a whole, and store its class in custom properties"""

    bl_idname = "diffusionnet.classify"
    bl_label = "Classify"
    bl_options = {"UNDO"}

    def jobs(self, context) -> ClassifyJobs:
        """One job for each character."""
        panel, preferences = context.scene.diffusionnet, settings()
        model = self.model or panel.classifier
        if model == NO_MODEL:
            raise DiffusionNetError(
                "No model for classification is installed",
                "Train a model on whole shapes, or import one.",
            )
        path_for(model, [preferences.model_folder], "classify")
        characters = self.shapes(context)
        self._left_out = [out for character in characters for out in character.told]
        return ClassifyJobs(
            characters,
            panel.use_modifiers,
            model=model,
            cache=preferences.cache,
            **preferences.compute,
        )

    def finish(self, context, run):
        """Write the classes of all objects that still exist."""
        panel = context.scene.diffusionnet
        sort_in = context.scene if panel.sort_into_collections else None
        lines, errors = [], [*run.failed, *run.jobs.errors]
        for item, result in run.done:
            found = result.class_name, result.probability
            try:
                errors += write_class_of_character(item.find(), *found, sort_in)
            except DiffusionNetError as error:
                errors.append(error)
                continue
            lines.append(f"{item.name}: {result.class_name} ({result.probability:.0%})")
        self.report_errors(errors, failed=not lines)
        more = len(lines) - NAMED
        lines = lines[:NAMED] + ([f"and {more:,} more"] if more > 0 else [])
        if self._left_out:
            lines.append(f"left out: {listed(self._left_out)}")
        self.report({"INFO"}, "; ".join(lines))
        return {"FINISHED"}


CLASSES = (DIFFUSIONNET_OT_classify,)
