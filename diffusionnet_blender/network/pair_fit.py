"""A network fitted to one pair of shapes, taught by nothing but a rough map between them.

The network sees geometry alone and is the same on both shapes, so that it learns of a map what both
places bear out. The map that its features give, mended outside of the network, is the next teacher,
through which no derivatives run (as in test-time adaptation, Cao et al. 2023).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..surface.discretization import Discretization
from .checkpoint import Model
from .contrast import partner_contrast
from .features import input_features
from .module import DiffusionNet
from .shape import shape_of
from .torch_engine import TorchEngine
from .training import Trainer, TrainingSettings

SETTINGS = TrainingSettings(steps=60, learning_rate=1e-3)
# Vertices of either shape that look for their partners in one step.
SAMPLES = 400
TEMPERATURE = 0.07
# What the teacher is believed to, in units of the square root of the area.
TEACHER_WIDTH = 0.02
LEAST_TRUST = 1e-3


@dataclass(frozen=True, eq=False)
class Teacher:
    """Where the vertices of one shape belong on the other.

    Attributes
    ----------
    places : (V, 3) float
        In the space of the other shape's vertices.
    trust : (V,) float
        How much each counts.
    """

    places: np.ndarray
    trust: np.ndarray


class PairFit(Trainer):
    """Learns from one pair of shapes.

    Parameters
    ----------
    start : Model
        Whose weights to start from: those that know other shapes know what a place looks like.
    pair : (Discretization, Discretization)
        As the model wants them.
    places : ((V, 3) float, (V, 3) float)
        Where their vertices are, each at unit area.
    engine : TorchEngine
    settings : TrainingSettings
    """

    def __init__(
        self,
        start: Model,
        pair: tuple[Discretization, Discretization],
        places: tuple[np.ndarray, np.ndarray],
        engine: TorchEngine,
        settings: TrainingSettings,
    ):
        # Tensors share the memory of arrays: without copies the model would learn along.
        own = {name: np.array(weight) for name, weight in start.weights.items()}
        module = DiffusionNet(start.card.architecture, engine, own)
        super().__init__(module, start.card.features, settings=settings)
        # A few steps have no use for chance of their own.
        module.eval()
        self._shapes = [shape_of(d, engine) for d in pair]
        self._inputs = [engine.array(input_features(d, self.features)) for d in pair]
        self._places = [engine.array(own) for own in places]
        self._area = [d.mass.astype(float) / d.mass.sum(dtype=float) for d in pair]
        self._teachers: tuple[Teacher, Teacher] | None = None

    def follow(self, teachers: tuple[Teacher, Teacher]) -> None:
        """Learn from these from now on: of the first shape on the second, and the other way."""
        self._teachers = teachers

    def learn(self) -> float:
        """One step; the loss before it."""
        engine = self.module.engine
        found = [
            torch.nn.functional.normalize(self.module(shape, inputs), dim=1)
            for shape, inputs in zip(self._shapes, self._inputs, strict=True)
        ]
        loss = 0.0
        for own, other in ((0, 1), (1, 0)):
            teacher, area = self._teachers[own], self._area[own]
            asking = self.rng.choice(len(area), min(SAMPLES, len(area)), p=area)
            trust = engine.array(np.maximum(teacher.trust[asking], LEAST_TRUST))
            losses = partner_contrast(
                self._shapes[other],
                found[other],
                self._places[other],
                found[own][engine.indices(asking)],
                engine.array(teacher.places[asking]),
                TEMPERATURE,
                TEACHER_WIDTH,
            )
            loss = loss + (trust * losses).sum() / (2 * trust.sum())
        self._descend(loss)
        return float(loss.detach())

    def features_of(self, discretization: Discretization) -> np.ndarray:
        """What the network says of a shape now, rows of unit length, (V, d) float32."""
        engine = self.module.engine
        inputs = engine.array(input_features(discretization, self.features))
        with torch.no_grad():
            raw = self.module(shape_of(discretization, engine), inputs)
            return engine.to_numpy(torch.nn.functional.normalize(raw, dim=1))
