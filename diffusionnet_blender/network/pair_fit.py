"""Unsupervised fit of a network to one pair of shapes, from an initial map between them.

One network on the intrinsic geometry of both shapes can reproduce only that part of a map which the
geometry supports. The map by its features, regularised outside of the network, is the target of the
next round, without derivatives through it (as in test-time adaptation, Cao et al. 2023).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..surface.discretization import Discretization
from .checkpoint import Model
from .contrast import partner_contrast
from .features import input_features
from .frameless import frameless
from .module import DiffusionNet
from .shape import shape_of
from .torch_engine import TorchEngine
from .training import Trainer, TrainingSettings

SETTINGS = TrainingSettings(steps=60, learning_rate=1e-3)
# Vertices of either shape whose partners are looked up in one step.
SAMPLES = 400
TEMPERATURE = 0.07
# Expected error of a teacher, in units of the square root of the area.
TEACHER_WIDTH = 0.02
LEAST_CONFIDENCE = 1e-3


@dataclass(frozen=True, eq=False)
class Teacher:
    """A map from the vertices of one shape to the other, as the target of the contrast.

    Attributes
    ----------
    positions : (V, 3) float
        In the space of the other shape's vertices.
    confidence : (V,) float
        Weight of each vertex.
    """

    positions: np.ndarray
    confidence: np.ndarray


class PairFit(Trainer):
    """Optimisation of a network on one pair of shapes.

    Parameters
    ----------
    start : Model
        Initial weights: those trained on other shapes are a good start. Of one with the input
        `frame` the part that needs none.
    pair : (Discretization, Discretization)
        With the settings of the model's card.
    positions : ((V, 3) float, (V, 3) float)
        Their vertices, each shape at unit area.
    engine : TorchEngine
    settings : TrainingSettings
    """

    def __init__(
        self,
        start: Model,
        pair: tuple[Discretization, Discretization],
        positions: tuple[np.ndarray, np.ndarray],
        engine: TorchEngine,
        settings: TrainingSettings,
    ):
        start = frameless(start)
        # Tensors share the memory of arrays: without copies the model would change as well.
        own = {name: np.array(weight) for name, weight in start.weights.items()}
        module = DiffusionNet(start.card.architecture, engine, own)
        super().__init__(module, start.card.features, settings=settings)
        # Dropout is of no use in a few steps.
        module.eval()
        self._shapes = [shape_of(d, engine) for d in pair]
        self._inputs = [engine.array(input_features(d, self.features)) for d in pair]
        self._positions = [engine.array(own) for own in positions]
        self._area = [d.mass.astype(float) / d.mass.sum(dtype=float) for d in pair]
        self._teachers: tuple[Teacher, Teacher] | None = None

    def follow(self, teachers: tuple[Teacher, Teacher]) -> None:
        """Set the targets: of the first shape on the second, and of the second on the first."""
        self._teachers = teachers

    def learn(self) -> float:
        """One step; the loss before it."""
        if self._teachers is None:
            raise RuntimeError("`follow` comes before `learn`")
        engine = self.module.engine
        found = [
            torch.nn.functional.normalize(self.module(shape, inputs), dim=1)
            for shape, inputs in zip(self._shapes, self._inputs, strict=True)
        ]
        loss = torch.zeros((), dtype=engine.dtype, device=engine.torch_device)
        for own, other in ((0, 1), (1, 0)):
            teacher, area = self._teachers[own], self._area[own]
            queries = self.rng.choice(len(area), min(SAMPLES, len(area)), p=area)
            confidence = engine.array(np.maximum(teacher.confidence[queries], LEAST_CONFIDENCE))
            losses = partner_contrast(
                self._shapes[other].mass,
                found[other],
                self._positions[other],
                found[own][engine.indices(queries)],
                engine.array(teacher.positions[queries]),
                TEMPERATURE,
                TEACHER_WIDTH,
            )
            loss = loss + (confidence * losses).sum() / (2 * confidence.sum())
        self._descend(loss)
        return float(loss.detach())

    def features_of(self, discretization: Discretization) -> np.ndarray:
        """Features of a shape by the present weights, rows of unit length, (V, d) float32."""
        engine = self.module.engine
        inputs = engine.array(input_features(discretization, self.features))
        with torch.no_grad():
            raw = self.module(shape_of(discretization, engine), inputs)
            return engine.to_numpy(torch.nn.functional.normalize(raw, dim=1))
