"""Train a new model on meshes that the artist has labelled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy

from ..properties.from_options import values_of
from ..properties.model_lists import reload_models
from ..scene.jobs import Item, OneJob
from ..scene.training_objects import read_training_set
from ..session.computing import the_run
from ..session.curve_icon import forget_curve, show_curve
from ..settings import settings
from ..tasks.train import job as train_job
from ..tasks.train.curve import Curve
from ..tasks.train.request import BY_KIND, FRESH, TrainRequest
from ..translations import worded
from .background import JobOperator
from .base import ReportingOperator


class TrainJob(OneJob):
    """A training, whose curve is drawn as it grows."""

    def note(self, partial: Curve) -> str:
        """Draw the curve; the best accuracy so far."""
        show_curve(partial)
        return worded(", {share:.1%} right", share=partial.best) if len(partial.rows) else ""

    def farewell(self, done: Sequence[Item]) -> str:
        """The checkpoint stays."""
        return "Training was stopped; started again as it is set now, it goes on from there"


class DIFFUSIONNET_OT_train(JobOperator, bpy.types.Operator):
    """Train a new model on the labels of these meshes; it is then in the list of models"""

    bl_idname = "diffusionnet.train"
    bl_label = "Start Training"
    stops_on_escape = False

    def jobs(self, context) -> TrainJob:
        """One, on all meshes."""
        request = TrainRequest(read_training_set(context), **_options(context))
        forget_curve()
        return TrainJob(train_job, request.model_name, request)

    def finish(self, context, run):
        """Choose the new model in the list that it belongs to."""
        trained = run.result
        show_curve(trained.curve)
        reload_models()
        chosen = context.scene.diffusionnet
        if chosen.training.learn == "SHAPES":
            chosen.classifier_name = trained.card.name
        else:
            chosen.model_name = trained.card.name
        self.report({"INFO"}, trained.summary)
        return {"FINISHED"}


class DIFFUSIONNET_OT_stop_training(ReportingOperator, bpy.types.Operator):
    """End the training now, and keep the best weights so far as the new model"""

    bl_idname = "diffusionnet.stop_training"
    bl_label = "Stop and Keep Best"

    @classmethod
    def poll(cls, context) -> bool:
        """A network must be in training."""
        if not is_training() or the_run().ending:
            cls.poll_message_set(worded("No training is going on"))
            return False
        if not _has_weights(the_run()):
            cls.poll_message_set(worded("There are no trained weights yet"))
            return False
        return True

    def run(self, context):
        """Ask the worker."""
        the_run().keep_best()
        return {"FINISHED"}


def is_training() -> bool:
    """Whether a training is going on."""
    run = the_run()
    return isinstance(getattr(run, "jobs", None), TrainJob)


def _has_weights(run) -> bool:
    """Whether a training has validated any weights."""
    return run.partial is not None and len(run.partial.rows) > 0


def _options(context) -> dict[str, Any]:
    """Options of `TrainRequest`, as the panel and the preferences have them."""
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
