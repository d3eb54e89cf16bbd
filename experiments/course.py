"""A training over several sittings: its checkpoint, and its accuracy over hours."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.module import DiffusionNet
from diffusionnet_blender.network.torch_engine import TorchEngine
from diffusionnet_blender.network.training import LabelledShape, Trainer, TrainingSettings

Weights = dict[str, np.ndarray]


@dataclass(frozen=True)
class Point:
    """One measurement on the curve of a training.

    Attributes
    ----------
    epochs : float
        Passes over the training shapes.
    hours : float
        Of processor time, all threads together; that of a device counts as it passes.
    loss : float
        Mean since the point before.
    accuracy : float
        Of the running mean of the weights on unseen shapes, 0 to 1.
    """

    epochs: float
    hours: float
    loss: float
    accuracy: float


def is_begun(folder: Path) -> bool:
    """Whether a folder has the curve of a training."""
    return _points_in(folder).exists()


def _points_in(folder: Path) -> Path:
    return folder / "curve.json"


class _TimeIsUp(Exception):
    """The hours of this sitting are over."""


class Course:
    """A training that goes on from its checkpoint.

    Parameters
    ----------
    architecture : Architecture
    features : tuple of str
    settings : TrainingSettings
        Its `report_every` is the number of steps between two points of the curve.
    folder : Path
        Of checkpoint and curve.
    start : dict of str to array, optional
        Weights to start from.
    device : str
        As for `find_device`.
    mirrored_class : sequence of int, optional
        As of `Trainer`: with it, mirrored copies are learned from as well.
    make : callable
        The network, from architecture, engine and weights to start from.
    trainer : type of Trainer
        For another loss than that of classes.

    Attributes
    ----------
    curve : list of Point
    """

    def __init__(
        self,
        architecture: Architecture,
        features: tuple[str, ...],
        settings: TrainingSettings,
        folder: Path,
        start: Weights | None = None,
        device: str = "auto",
        mirrored_class: Sequence[int] | None = None,
        make: Callable[[Architecture, TorchEngine, Weights | None], DiffusionNet] = DiffusionNet,
        trainer: type[Trainer] = Trainer,
    ):
        torch.manual_seed(settings.seed)
        self.folder = folder
        module = make(architecture, TorchEngine(device), start)
        self.trainer = trainer(module, features, mirrored_class, settings)
        self.curve: list[Point] = []
        folder.mkdir(parents=True, exist_ok=True)
        if self._checkpoint.exists():
            self.trainer.resume(self._checkpoint)
            points = json.loads(self._points.read_text()) if self._points.exists() else []
            self.curve = [Point(**point) for point in points]

    @property
    def _checkpoint(self) -> Path:
        return self.folder / "run.pt"

    @property
    def _points(self) -> Path:
        return _points_in(self.folder)

    @property
    def finished(self) -> bool:
        """Whether all steps are taken."""
        return self.trainer.step >= self.trainer.settings.steps

    def run(
        self,
        shapes: Sequence[LabelledShape],
        measure: Callable[[Weights], float],
        hours: float | None = None,
    ) -> None:
        """Train until all steps are taken, or until the hours of this sitting are over.

        Parameters
        ----------
        shapes : sequence of LabelledShape
        measure : callable
            From weights to the accuracy on unseen shapes.
        hours : float, optional
            By the clock.
        """
        began = time.monotonic()
        before, clock = self.curve[-1].hours if self.curve else 0.0, self._clock()

        def after_some_steps(step: int, loss: float, _: float) -> None:
            nonlocal before, clock
            spent = before + (self._clock() - clock) / 3600
            weights = self.trainer.averaged_weights()
            point = Point(step / len(shapes), spent, loss, measure(weights))
            self.curve.append(point)
            # What measuring takes is no training.
            before, clock = spent, self._clock()
            self._keep()
            print(
                f"epoch {point.epochs:6.2f}  {spent:5.2f} h  loss {loss:.3f}  "
                f"accuracy {100 * point.accuracy:.1f} %",
                flush=True,
            )
            if hours is not None and time.monotonic() - began > 3600 * hours:
                raise _TimeIsUp

        try:
            # Checkpoints are written with the curve, so that both are of one step.
            self.trainer.run(shapes, None, after_some_steps)
            # The last steps may come after the last point.
            self._keep()
        except _TimeIsUp:
            pass

    def _keep(self) -> None:
        temporary = self._points.with_suffix(".part")
        temporary.write_text(json.dumps([asdict(point) for point in self.curve], indent=1))
        self.trainer.save(self._checkpoint)
        os.replace(temporary, self._points)

    def _clock(self) -> float:
        """Seconds of work: of the processor, or by the clock where a device does it."""
        on_processor = self.trainer.module.engine.torch_device.type == "cpu"
        return time.process_time() if on_processor else time.monotonic()
