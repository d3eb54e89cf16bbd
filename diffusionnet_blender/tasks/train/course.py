"""Training loop: steps, validation, and a checkpoint with the best weights so far."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...network.checkpoint import Model, load_model, save_model
from ..progress import Progress
from ..sides import mirrored_classes
from .curve import Curve
from .plan import Plan

if TYPE_CHECKING:
    from ...network.training import LabelledShape, Trainer

# Validations of a training, and the least number of steps between two.
VALIDATIONS = 40
LEAST_STEPS = 10
# Stem of the files of the best weights in the folder of a checkpoint.
BEST = "best"


class _Enough(Exception):  # noqa: N818
    """The user ended the training with the best weights so far."""


class Course:
    """A training: its network, its curve, and the best weights so far.

    It resumes from the checkpoint in the folder, if that can be read.

    Parameters
    ----------
    plan : Plan
    learned, validated : list of LabelledShape
    folder : Path
        Of the checkpoint.
    device : str
        As for `engines.choose_engine`.

    Attributes
    ----------
    curve : Curve
    trainer : Trainer
    resumed_at : int
        Step of the checkpoint; 0 without.
    """

    def __init__(
        self,
        plan: Plan,
        learned: Sequence[LabelledShape],
        validated: Sequence[LabelledShape],
        folder: Path,
        device: str,
    ):
        self._plan, self._learned, self._validated = plan, learned, validated
        self._folder, self._device = folder, device
        self._interval = max(plan.steps // VALIDATIONS, LEAST_STEPS)
        self.curve = Curve(plan.steps, np.zeros((0, 4)))
        self._best: Model | None = None
        self.trainer = self._new_trainer()
        self._resume()
        self.resumed_at = self.trainer.step

    def _new_trainer(self) -> Trainer:
        import torch

        from ...network.module import DiffusionNet
        from ...network.torch_engine import TorchEngine
        from ...network.training import Trainer, TrainingSettings

        torch.manual_seed(0)
        plan, card = self._plan, self._plan.card
        of_shapes = card.architecture.output_at == "shape"
        return Trainer(
            DiffusionNet(card.architecture, TorchEngine(self._device), plan.start_weights or None),
            card.features,
            None if of_shapes else mirrored_classes(card.class_names),
            TrainingSettings(
                steps=plan.steps,
                learning_rate=plan.learning_rate,
                schedule="quarters",
                label_smoothing=plan.label_smoothing,
                weight_decay=0.0,
                averaging=0.99,
                checkpoint_every=2 * self._interval,
                report_every=1,
            ),
        )

    @property
    def _checkpoint(self) -> Path:
        return self._folder / "run.pt"

    def _resume(self) -> None:
        """Resume from the last checkpoint, if that can be read."""
        if not self._checkpoint.exists():
            return
        try:
            rows = np.load(self._folder / "curve.npy")
            best = load_model(self._folder / f"{BEST}.safetensors")
            self.trainer.resume(self._checkpoint)
        except Exception:
            # A checkpoint that is damaged in any respect costs only the time to repeat its steps.
            self.trainer = self._new_trainer()
            return
        card = replace(best.card, name=self._plan.card.name, title=self._plan.card.title)
        self._best = Model(card, best.weights)
        self.curve = Curve(self._plan.steps, rows[rows[:, 0] <= self.trainer.step])

    def run(self, progress: Progress[Curve]) -> Model:
        """Train until all steps are taken, or `progress.enough`.

        Returns
        -------
        Model
            With the best weights in validation.

        Raises
        ------
        OSError
            If the checkpoint cannot be written.
        """
        losses: list[float] = []
        accuracies: list[float] = []

        def after_step(step: int, loss: float, accuracy: float) -> None:
            losses.append(loss)
            accuracies.append(accuracy)
            stop = progress.enough
            if stop or step % self._interval == 0 or step == self._plan.steps:
                self._validate(step, float(np.mean(losses)), float(np.mean(accuracies)))
                losses.clear()
                accuracies.clear()
                progress.report(self.curve)
            if stop:
                raise _Enough
            progress("learning", step / self._plan.steps)

        progress.report(self.curve)
        progress("learning", self.trainer.step / self._plan.steps)
        try:
            self.trainer.run(self._learned, self._checkpoint, after_step)
        except _Enough:
            pass
        if self._best is None:
            raise RuntimeError("a training of no steps has no model")
        return self._best

    def _validate(self, step: int, loss: float, accuracy: float) -> None:
        """Add a row to the curve, and save the weights if none before were better."""
        validation = self.trainer.accuracy(self._validated)
        self.curve = Curve(
            self._plan.steps, np.vstack([self.curve.rows, (step, loss, accuracy, validation)])
        )
        if self._best is None or validation >= _accuracy_of(self._best):
            subject = next(iter(self._plan.card.accuracy))
            card = replace(
                self._plan.card,
                accuracy={subject: round(validation, 4)},
                training_data=f"{self._plan.card.training_data}; {step} steps.",
            )
            self._best = Model(card, self.trainer.averaged_weights())
            save_model(Model(replace(card, name=BEST), self._best.weights), self._folder)
        with tempfile.TemporaryDirectory(dir=self._folder) as staged:
            np.save(Path(staged) / "curve.npy", self.curve.rows)
            os.replace(Path(staged) / "curve.npy", self._folder / "curve.npy")


def _accuracy_of(model: Model) -> float:
    """The one accuracy in the card of a model of this training."""
    return next(iter(model.card.accuracy.values()))
