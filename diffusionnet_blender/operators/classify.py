"""Say what kind of thing each object is."""

from __future__ import annotations

import bpy
from bpy.props import StringProperty

from ..errors import DiffusionNetError
from ..preferences import settings
from ..properties.model_lists import NO_MODEL
from ..scene.classes import sort_object, write_class
from ..scene.read import read_object
from ..tasks.models import model_path
from ..translations import worded
from ..worker import classify as classify_job
from .background import BackgroundOperator, the_worker
from .base import ObjectOperator, counted
from .segment_run import Target
from .trouble import forget_trouble, note_trouble
from .worker_run import WorkerRun


class DIFFUSIONNET_OT_classify(BackgroundOperator, ObjectOperator, bpy.types.Operator):
    """Say what kind of thing each mesh is: written as custom properties of the object"""

    bl_idname = "diffusionnet.classify"
    bl_label = "Classify"
    bl_options = {"UNDO"}

    model: StringProperty(
        name="Model",
        description="Name of a model, or path of a .safetensors file. Empty: the panel's",
        options={"SKIP_SAVE"},
    )

    def run(self, context):
        """Classify in this process."""
        from ..worker.classify import run

        forget_trouble()
        targets, request = self._request(context)
        answer = run(request, lambda stage, fraction: None)
        return self._write(context, targets, answer)

    def begin(self, context) -> WorkerRun:
        """Have the worker do it."""
        forget_trouble()
        self._targets, request = self._request(context)
        text = worded("Classifying {count} meshes", count=len(self._targets))
        return WorkerRun(the_worker(), "classify", request, text)

    def finish(self, context, run: WorkerRun):
        """Write what it found."""
        return self._write(context, self._targets, run.answer)

    def _request(self, context) -> tuple[list[Target], dict]:
        preferences = settings()
        name = self.model or context.scene.diffusionnet.classifier
        if name == NO_MODEL:
            raise DiffusionNetError(
                "There is no model that classifies", "Train one on whole shapes, or import one."
            )
        model_path(name, [preferences.model_folder])
        context.view_layer.update()
        depsgraph = None
        if context.scene.diffusionnet.use_modifiers:
            depsgraph = context.evaluated_depsgraph_get()
        objects = self.targets(context)
        request = classify_job.request(
            [read_object(obj, depsgraph).surface for obj in objects],
            model=name,
            model_folders=[preferences.model_folder],
            engine=preferences.engine,
            device=preferences.device,
            cache_folder=preferences.cache_folder,
        )
        return [Target.of(obj) for obj in objects], request

    def _write(self, context, targets: list[Target], answer: dict):
        told = []
        results = zip(targets, answer["classes"], answer["probabilities"], strict=True)
        for target, name, probability in results:
            try:
                obj = target.find()
                write_class(obj, name, probability)
            except DiffusionNetError as error:
                note_trouble(error)
                self.report({"WARNING"}, str(error))
                continue
            if context.scene.diffusionnet.sort_into_collections:
                sort_object(context.scene, obj, name)
            told.append(f"{obj.name}: {name} ({probability:.0%})")
        more = len(told) - 3
        text = "; ".join(told[:3]) + (f"; and {counted(more, 'mesh')} more" if more > 0 else "")
        self.report({"INFO"}, text or "Nothing was written")
        return {"FINISHED"}


CLASSES = (DIFFUSIONNET_OT_classify,)
