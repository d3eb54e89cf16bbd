"""One network that learns parts, fine parts and layers at once, in frames and without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from diffusionnet_blender.network.module import DiffusionNet
from diffusionnet_blender.network.shape import shape_of
from diffusionnet_blender.network.training import (
    IGNORED,
    Trainer,
    TrainingSettings,
    mirrored,
    scaled,
)
from diffusionnet_blender.network.votes import OTHER, OWN, TURNED, VOTES
from diffusionnet_blender.surface.discretization import Discretization
from training.meshes import LAYER_NAMES
from training.parts import ANIMALS, FINE_NAMES, FINE_OF_LABEL, PART_NAMES, PEOPLE
from training.precision import in_halves
from training.views import (
    ANIMAL_SHARES,
    ANIMAL_STRETCH,
    ANIMAL_TILT,
    FEATURES,
    STRETCH,
    View,
    inputs_in,
    sample_view,
)

# Classes of each model; their rows of the last layer follow one another, then those of votes.
CLASSES = {
    "body_parts": PART_NAMES,
    "body_parts_fine": FINE_NAMES,
    "body_layers": LAYER_NAMES,
}
OUTPUTS = sum(map(len, CLASSES.values())) + VOTES
# Of the terms of the loss, beside that of the coarse parts.
FINE_SHARE, LAYER_SHARE, VOTE_SHARE = 0.7, 0.6, 1.0


def rows_of(name: str) -> np.ndarray:
    """Rows of the common last layer that a model keeps: its classes, and the votes."""
    names = list(CLASSES)
    start = sum(len(CLASSES[before]) for before in names[: names.index(name)])
    return np.r_[start : start + len(CLASSES[name]), OUTPUTS - VOTES : OUTPUTS]


@dataclass(frozen=True, eq=False)
class LabelledFigure:
    """A figure that stands along +z and faces -y, to learn from.

    Attributes
    ----------
    discretization : Discretization
    integral : (V, 24) float
        Its integral invariants, which take longer than a step.
    label : (V,) int
        Index into `Anatomy.part_of_label`.
    layer : (V,) int
        Index into `LAYER_NAMES`, `IGNORED` where it is not known.
    """

    discretization: Discretization
    integral: np.ndarray
    label: np.ndarray
    layer: np.ndarray


class FigureTrainer(Trainer):
    """Trains on labelled figures, each seen in some frame or in none, see `views`.

    Parameters
    ----------
    module : DiffusionNet
        With the inputs `FEATURES`, and outputs for all classes of all `HEADS` and for the votes.
    settings : TrainingSettings
    frames : bool
        Otherwise all are seen in none.
    """

    ANATOMY: ClassVar = PEOPLE
    # Numbers of classes, those of the parts first.
    HEADS: ClassVar = tuple(map(len, CLASSES.values()))
    STRETCH: ClassVar[float | tuple[float, float, float]] = STRETCH

    def __init__(self, module: DiffusionNet, settings: TrainingSettings, frames: bool = True):
        super().__init__(module, FEATURES, None, settings)
        self.frames = frames
        # Whether the sides of each figure in a frame were decided right, for reports.
        self.sides_right: list[bool] = []

    def _learn_from(self, example: LabelledFigure) -> tuple[float, float]:
        rng, engine = self.rng, self.module.engine
        discretization, label = example.discretization, example.label
        mirrored_label = self.ANATOMY.mirrored_label
        if rng.random() < 0.5:
            discretization, label = mirrored(discretization), mirrored_label[label]
        view = self._view() if self.frames else View(None, None)
        if view.swaps_sides:
            label = mirrored_label[label]
        discretization = scaled(
            discretization, np.exp(rng.uniform(-1, 1) * self.settings.scale_jitter)
        )
        features = inputs_in(view, discretization, example.integral, rng, self.STRETCH)
        shape = shape_of(discretization, engine)
        with in_halves(engine.torch_device.type):
            outputs = self.module(shape, engine.array(features)).float()
        share = shape.mass / shape.mass.sum()
        loss, right = self._judged(outputs, share, label, example.layer, view.vote)
        self._descend(loss)
        return float(loss.detach()), right

    def _view(self) -> View:
        return sample_view(self.rng)

    def _judged(
        self,
        outputs: torch.Tensor,
        share: torch.Tensor,
        label: np.ndarray,
        layer: np.ndarray,
        vote: int | None,
    ) -> tuple[torch.Tensor, float]:
        """The loss, and the share of the area whose coarse part is right."""
        coarse, *others, votes = outputs.split([*self.HEADS, VOTES], dim=1)
        part = self.ANATOMY.part_of_label[label]
        right = float(share @ (coarse.argmax(dim=1) == _tensor(part, outputs)).to(share.dtype))
        loss = outputs.new_zeros(())
        # In a frame that is no figure's, left and right mean nothing.
        if vote != OTHER:
            loss = loss + self._mean(coarse, part, share)
        loss = loss + self._of_other_heads(others, share, label, layer, vote)
        if vote is not None:
            cast = np.full(len(label), vote)
            loss = loss + VOTE_SHARE * self._mean(votes, cast, share)
            if vote != OTHER:
                mean = share @ torch.log_softmax(votes.detach(), dim=1)
                self.sides_right.append(bool(mean[vote] > mean[OWN + TURNED - vote]))
        return loss, right

    def _of_other_heads(
        self,
        outputs: Sequence[torch.Tensor],
        share: torch.Tensor,
        label: np.ndarray,
        layer: np.ndarray,
        vote: int | None,
    ) -> torch.Tensor | float:
        """The loss of what is learnt beside parts and votes."""
        fine, layers = outputs
        loss = LAYER_SHARE * self._mean(layers, layer, share)
        if vote != OTHER:
            loss = loss + FINE_SHARE * self._mean(fine, FINE_OF_LABEL[label], share)
        return loss

    def _mean(self, outputs: torch.Tensor, target: np.ndarray, share: torch.Tensor):
        """Mean loss over the area of known classes."""
        wanted = _tensor(target, outputs)
        loss, _ = self.judge(outputs, wanted)
        known = share * (wanted != IGNORED)
        return (loss * known).sum() / known.sum().clamp(min=1e-6)


class AnimalTrainer(FigureTrainer):
    """Trains on labelled animals, whose parts alone are known."""

    ANATOMY: ClassVar = ANIMALS
    HEADS: ClassVar = (len(ANIMALS.part_names),)
    STRETCH = ANIMAL_STRETCH

    def _view(self) -> View:
        return sample_view(self.rng, ANIMAL_SHARES, ANIMAL_TILT)

    def _of_other_heads(self, outputs, share, label, layer, vote) -> float:
        return 0.0


def _tensor(values: np.ndarray, like: torch.Tensor) -> torch.Tensor:
    return torch.as_tensor(values, dtype=torch.int64, device=like.device)
