"""Teach a new model from meshes that the artist has labelled."""

from __future__ import annotations

import bpy

from ..errors import Cancelled
from ..preferences import settings
from ..properties.model_lists import reload_models
from ..tasks.models import DEFAULT_MODEL
from ..translations import worded
from ..worker import train as train_job
from ..worker.client import Answer, Worker
from .background import BackgroundOperator, the_run, the_worker
from .base import ReportingOperator
from .curve_icon import forget_curve, show_curve
from .progress import Progress, TimeLeft, duration
from .training_objects import read_training_set
from .trouble import forget_trouble

# Share of the bar that is for the copies and their matrices.
COPYING = 0.25


class TrainRun:
    """Trains in the worker; see `background.BackgroundOperator` for what a run is.

    Parameters
    ----------
    worker : Worker
    request : dict
        Of `worker.train`.
    """

    touches_data = False
    farewell = "Training was stopped; started again as it is set now, it goes on from there"

    def __init__(self, worker: Worker, request: dict):
        self._worker = worker
        self._time_left = TimeLeft()
        self.cancelled = self.ending = False
        self.answer: dict | None = None
        self.progress = Progress(0.0, worded("Training: starting"))
        self._shown = 0
        worker.submit("train", request)

    @property
    def finished(self) -> bool:
        """Whether the worker has answered."""
        return self.cancelled or self.answer is not None

    @property
    def has_learned(self) -> bool:
        """Whether there is a best so far to keep."""
        return self._shown > 0

    def advance(self, context) -> None:
        """Look how it is getting on."""
        try:
            found = self._worker.poll()
        except Cancelled:
            self.cancelled = True
            return
        if isinstance(found, Answer):
            self.answer = found.content
            return
        curve = train_job.curve_of(found.details) if found.details else None
        if curve and len(curve.rows) != self._shown:
            self._shown = len(curve.rows)
            show_curve(curve)
        self.progress = self._progress(found.stage, found.fraction, curve)

    def keep_best(self) -> None:
        """End it with the best weights so far."""
        self.ending = True
        self._worker.enough()

    def cancel(self) -> None:
        """Stop it; its checkpoint stays."""
        if not self.finished:
            self._worker.stop()
        self.cancelled = True

    def _progress(self, stage: str, fraction: float, curve) -> Progress:
        if stage != "learning":
            text = worded("Training: making copies, {share:.0%}", share=fraction)
            return Progress(COPYING * fraction, text)
        if self.ending:
            return Progress(1.0, worded("Training: ending with the best so far"))
        factor = COPYING + (1 - COPYING) * fraction
        text = worded("Training: {share:.0%}", share=factor)
        if curve and len(curve.rows):
            text += worded(", {share:.1%} right", share=curve.best)
        seconds = self._time_left.at(fraction)
        if seconds is not None:
            text += worded(", {time} left", time=duration(seconds))
        return Progress(factor, text)


class DIFFUSIONNET_OT_train(BackgroundOperator, bpy.types.Operator):
    """Teach a new model what the labels on these meshes are; it is then in the list of models"""

    bl_idname = "diffusionnet.train"
    bl_label = "Start Training"
    stops_on_escape = False

    def run(self, context):
        """Train in this process."""
        from ..tasks.train.pipeline import train

        forget_trouble()
        given, options = read_training_set(context), train_options(context)
        manager = context.window_manager
        manager.progress_begin(0.0, 1.0)
        try:
            found = train(
                given,
                **options,
                progress=lambda stage, fraction: manager.progress_update(fraction),
                report=show_curve,
            )
        finally:
            manager.progress_end()
        return self._tell(context, found.card.name, found.summary)

    def begin(self, context) -> TrainRun:
        """Have the worker do it."""
        forget_trouble()
        request = train_job.request(read_training_set(context), **train_options(context))
        forget_curve()
        return TrainRun(the_worker(), request)

    def finish(self, context, run: TrainRun):
        """Put the new model where it can be used."""
        show_curve(train_job.curve_of(run.answer["curve"]))
        return self._tell(context, run.answer["name"], run.answer["summary"])

    def _tell(self, context, name: str, summary: str):
        """Choose the new model in the list that it belongs to."""
        reload_models()
        chosen = context.scene.diffusionnet
        if chosen.training.learn == "SHAPES":
            chosen.classifier_name = name
        else:
            chosen.model_name = name
        self.report({"INFO"}, summary)
        return {"FINISHED"}


class DIFFUSIONNET_OT_stop_training(ReportingOperator, bpy.types.Operator):
    """End the training now, and keep the best weights so far as the new model"""

    bl_idname = "diffusionnet.stop_training"
    bl_label = "Stop and Keep Best"

    @classmethod
    def poll(cls, context) -> bool:
        """Something must be learning."""
        run = the_run()
        if not isinstance(run, TrainRun) or run.ending:
            cls.poll_message_set(worded("Nothing is learning"))
            return False
        if not run.has_learned:
            cls.poll_message_set(worded("Nothing has been learned yet"))
        return run.has_learned

    def run(self, context):
        """Ask the worker."""
        the_run().keep_best()
        return {"FINISHED"}


def is_training() -> bool:
    """Whether a training is going on."""
    return isinstance(the_run(), TrainRun)


def train_options(context) -> dict:
    """Options of `tasks.train.train`, as the panel and the preferences have them."""
    chosen, preferences = context.scene.diffusionnet.training, settings()
    from_character = chosen.subject == "CHARACTER" and chosen.learn == "PARTS"
    return {
        "name": chosen.model_name.strip(),
        "model_folder": preferences.model_folder,
        "checkpoint_folder": preferences.checkpoint_folder,
        "size": chosen.size,
        "start": DEFAULT_MODEL if from_character else "",
        "validation_share": chosen.validation_share,
        "replace_model": chosen.replace,
        "device": preferences.device,
    }


CLASSES = (DIFFUSIONNET_OT_train, DIFFUSIONNET_OT_stop_training)
