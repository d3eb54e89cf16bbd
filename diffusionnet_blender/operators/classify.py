"""Classification of objects."""

from __future__ import annotations

import bpy

from ..errors import DiffusionNetError
from ..properties.from_options import ONE_CALL, properties_of
from ..properties.model_lists import NO_MODEL
from ..scene.classes import sort_object, write_class
from ..scene.jobs import ClassifyJobs
from ..scene.report_text import counted
from ..scene.transaction import transaction
from ..settings import settings
from ..tasks.classify.request import ClassifyRequest
from ..tasks.models import path_for
from .background import JobOperator
from .base import ObjectOperator

# Number of objects in the report.
NAMED = 3


class ClassifyProperties:
    """Options of a classification, each for one call."""

    __annotations__ = properties_of(ClassifyRequest, **ONE_CALL)


class DIFFUSIONNET_OT_classify(ClassifyProperties, JobOperator, ObjectOperator, bpy.types.Operator):
    """Classify each mesh as a whole, and store its class in custom properties of the object"""

    bl_idname = "diffusionnet.classify"
    bl_label = "Classify"
    bl_options = {"UNDO"}

    def jobs(self, context) -> ClassifyJobs:
        """One job for each target."""
        panel, preferences = context.scene.diffusionnet, settings()
        model = self.model or panel.classifier
        if model == NO_MODEL:
            raise DiffusionNetError(
                "No model for classification is installed",
                "Train a model on whole shapes, or import one.",
            )
        path_for(model, [preferences.model_folder], "classify")
        return ClassifyJobs(
            self.targets(context),
            panel.use_modifiers,
            model=model,
            cache=preferences.cache,
            **preferences.compute,
        )

    def finish(self, context, run):
        """Write the classes of all objects that still exist."""
        sort = context.scene.diffusionnet.sort_into_collections
        lines, errors = [], list(run.failed)
        for item, result in run.done:
            try:
                obj = item.find()
                with transaction(obj):
                    write_class(obj, result.class_name, result.probability)
                    if sort:
                        sort_object(context.scene, obj, result.class_name)
            except DiffusionNetError as error:
                errors.append(error)
                continue
            lines.append(f"{obj.name}: {result.class_name} ({result.probability:.0%})")
        self.report_errors(errors, failed=not lines)
        more = len(lines) - NAMED
        lines = lines[:NAMED] + ([f"and {counted(more, 'mesh')} more"] if more > 0 else [])
        self.report({"INFO"}, "; ".join(lines))
        return {"FINISHED"}


CLASSES = (DIFFUSIONNET_OT_classify,)
