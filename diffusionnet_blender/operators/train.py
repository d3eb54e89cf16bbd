"""Training of a new model on labelled meshes."""

from __future__ import annotations

from typing import Any

import bpy

from ..errors import DiffusionNetError
from ..properties.from_options import values_of
from ..properties.model_lists import reload_models
from ..scene.report_text import listed
from ..scene.training_objects import read_training_set, training_characters
from ..session.computing import the_run
from ..session.curve_icon import forget_curve, show_curve
from ..session.training import TrainJob, has_weights, is_training
from ..settings import settings
from ..tasks.train import job as train_job
from ..tasks.train.request import BY_KIND, FRESH, TrainRequest
from ..translations import worded
from .background import JobOperator
from .base import ReportingOperator


class DIFFUSIONNET_OT_train(JobOperator, bpy.types.Operator):
    """Train a new model on the labels of these meshes, and add it to the list of models"""

    bl_idname = "diffusionnet.train"
    bl_label = "Start Training"
    stops_on_escape = False

    def jobs(self, context) -> TrainJob:
        """One job on all characters."""
        told: list[DiffusionNetError] = []
        request = TrainRequest(read_training_set(context, told), **_options(context))
        self.report_errors(told, failed=False)
        self._left_out = [out for one in training_characters(context) for out in one.told]
        forget_curve()
        return TrainJob(train_job, request.model_name, request)

    def finish(self, context, run):
        """Choose the new model in its list."""
        trained = run.result
        show_curve(trained.curve)
        reload_models()
        chosen = context.scene.diffusionnet
        if chosen.training.learn == "SHAPES":
            chosen.classifier_name = trained.card.name
        else:
            chosen.model_name = trained.card.name
        left_out = f" (left out: {listed(self._left_out)})" if self._left_out else ""
        self.report({"INFO"}, f"{trained.summary}{left_out}")
        return {"FINISHED"}


class DIFFUSIONNET_OT_stop_training(ReportingOperator, bpy.types.Operator):
    """End the training now, and keep the best weights so far as the new model"""

    bl_idname = "diffusionnet.stop_training"
    bl_label = "Stop and Keep Best"

    @classmethod
    def poll(cls, context) -> bool:
        """A training must be running, and have validated once."""
        if not is_training() or the_run().ending:
            cls.poll_message_set(worded("No training is running"))
            return False
        if not has_weights():
            cls.poll_message_set(worded("No trained weights yet"))
            return False
        return True

    def run(self, context):
        """End the training with its best weights."""
        the_run().keep_best()
        return {"FINISHED"}


def _options(context) -> dict[str, Any]:
    """Options of `TrainRequest`, from the panel and the preferences."""
    panel, preferences = context.scene.diffusionnet.training, settings()
    from_character = panel.subject == "CHARACTER" and panel.learn == "PARTS"
    options = values_of(TrainRequest, panel)
    return {
        **options,
        "model_name": options["model_name"].strip(),
        "start": BY_KIND if from_character else FRESH,
        "device": preferences.device,
        "model_folder": preferences.model_folder,
        "checkpoint_folder": preferences.checkpoint_folder,
    }


CLASSES = (DIFFUSIONNET_OT_train, DIFFUSIONNET_OT_stop_training)
