"""Classify objects."""

from __future__ import annotations

import bpy

from ..errors import DiffusionNetError
from ..properties.from_options import ONE_CALL, properties_of
from ..properties.model_lists import NO_MODEL
from ..scene.classes import sort_object, write_class
from ..scene.jobs import ClassifyJobs
from ..session.trouble import note_trouble
from ..settings import settings
from ..tasks.classify.request import ClassifyRequest
from ..tasks.models import path_for
from .background import JobOperator
from .base import ObjectOperator, counted

# Objects that the report names.
NAMED = 3


class ClassifyProperties:
    """Options of a classification, for one call."""

    __annotations__ = properties_of(ClassifyRequest, **ONE_CALL)


class DIFFUSIONNET_OT_classify(ClassifyProperties, JobOperator, ObjectOperator, bpy.types.Operator):
    """Find the class of each mesh: written as custom properties of the object"""

    bl_idname = "diffusionnet.classify"
    bl_label = "Classify"
    bl_options = {"UNDO"}

    def jobs(self, context) -> ClassifyJobs:
        """One for each target."""
        panel, preferences = context.scene.diffusionnet, settings()
        model = self.model or panel.classifier
        if model == NO_MODEL:
            raise DiffusionNetError(
                "There is no model that classifies", "Train one on whole shapes, or import one."
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
        """Write the classes of all objects that are still there."""
        told, failed = [], list(run.failed)
        for item, found in run.done:
            try:
                obj = item.find()
                write_class(obj, found.class_name, found.probability)
            except DiffusionNetError as error:
                failed.append(error)
                continue
            if context.scene.diffusionnet.sort_into_collections:
                sort_object(context.scene, obj, found.class_name)
            told.append(f"{obj.name}: {found.class_name} ({found.probability:.0%})")
        if not told:
            raise failed[0]
        for error in failed:
            note_trouble(error)
            self.report({"WARNING"}, str(error))
        more = len(told) - NAMED
        text = "; ".join(told[:NAMED]) + (f"; and {counted(more, 'mesh')} more" if more > 0 else "")
        self.report({"INFO"}, text)
        return {"FINISHED"}


CLASSES = (DIFFUSIONNET_OT_classify,)
