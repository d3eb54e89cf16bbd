"""The course of one training: steps, looks at the validation shapes, the best so far on disk."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...network.checkpoint import Model, load_model, save_model
from ..progress import Progress
from ..sides import mirrored_classes
from .curve import Curve
from .plan import Plan

# Looks at the validation shapes, and steps between two at least.
LOOKS = 40
LEAST_STEPS = 10
# Name of the best so far among the files of a checkpoint.
BEST = "best"


class _Enough(Exception):  # noqa: N818
    """The user is content with what there is."""


class Course:
    """One training: the network, where it is, and the best so far.

    It goes on from the checkpoint in the folder, if there is one that can be read.

    Parameters
    ----------
    plan : Plan
    learned, validated : list of LabelledShape
    folder : Path
        Of the checkpoint.
    device : str
        As for `engines.choose_engine`.
    """

    def __init__(self, plan: Plan, learned, validated, folder: Path, device: str):
        self._plan, self._learned, self._validated = plan, learned, validated
        self._folder, self._device = folder, device
        self._look_every = max(plan.steps // LOOKS, LEAST_STEPS)
        self.curve = Curve(plan.steps, np.zeros((0, 4)))
        self.best: Model | None = None
        self.trainer = self._new_trainer()
        self._resume()
        self.resumed_at = self.trainer.step

    def _new_trainer(self):
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
                checkpoint_every=2 * self._look_every,
                report_every=1,
            ),
        )

    @property
    def _checkpoint(self) -> Path:
        return self._folder / "run.pt"

    def _resume(self) -> None:
        """Go on from the last checkpoint, if there is one that can be read."""
        if not self._checkpoint.exists():
            return
        try:
            rows = np.load(self._folder / "curve.npy")
            best = load_model(self._folder / f"{BEST}.safetensors")
            self.trainer.resume(self._checkpoint)
        except Exception:
            # Whatever is wrong with what was left behind, it can be done again.
            self.trainer = self._new_trainer()
            return
        card = replace(best.card, name=self._plan.card.name, title=self._plan.card.title)
        self.best = Model(card, best.weights)
        self.curve = Curve(self._plan.steps, rows[rows[:, 0] <= self.trainer.step])

    def run(self, progress: Progress[Curve]) -> None:
        """Train until all steps are taken, or `progress` has enough.

        Raises
        ------
        OSError
            If the checkpoint cannot be written.
        """
        losses, accuracies = [], []

        def after_step(step: int, loss: float, accuracy: float) -> None:
            losses.append(loss)
            accuracies.append(accuracy)
            stop = progress.enough
            if stop or step % self._look_every == 0 or step == self._plan.steps:
                self._look(step, float(np.mean(losses)), float(np.mean(accuracies)))
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

    def _look(self, step: int, loss: float, accuracy: float) -> None:
        """Validate, and keep the weights if they are as good as any before."""
        found = self.trainer.accuracy(self._validated)
        self.curve = Curve(
            self._plan.steps, np.vstack([self.curve.rows, (step, loss, accuracy, found)])
        )
        if self.best is None or found >= self._best_so_far():
            what = next(iter(self._plan.card.accuracy))
            card = replace(
                self._plan.card,
                accuracy={what: round(found, 4)},
                training_data=f"{self._plan.card.training_data}; {step} steps.",
            )
            self.best = Model(card, self.trainer.averaged_weights())
            save_model(Model(replace(card, name=BEST), self.best.weights), self._folder)
        with tempfile.TemporaryDirectory(dir=self._folder) as staged:
            np.save(Path(staged) / "curve.npy", self.curve.rows)
            os.replace(Path(staged) / "curve.npy", self._folder / "curve.npy")

    def _best_so_far(self) -> float:
        return next(iter(self.best.card.accuracy.values()))
