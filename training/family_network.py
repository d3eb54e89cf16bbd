"""The network of `weights/figure_family`: what whole shapes are, people, four legs or neither."""

from __future__ import annotations

import numpy as np
import torch

from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.card import ModelCard
from diffusionnet_blender.network.checkpoint import Model
from diffusionnet_blender.network.features import input_features, input_width
from diffusionnet_blender.network.module import DiffusionNet, fresh_weights
from diffusionnet_blender.network.shape import shape_of
from diffusionnet_blender.network.torch_engine import TorchEngine
from diffusionnet_blender.network.training import Trainer, TrainingSettings, mirrored
from diffusionnet_blender.tasks.family import FAMILIES, FOUR_LEGS, NEITHER, PEOPLE
from diffusionnet_blender.tasks.models import FAMILY_MODEL

from .precision import in_halves
from .prepared import SETTINGS, Prepared

# The family of each source of figures.
SOURCES = {
    "generated": PEOPLE,
    "rigged": PEOPLE,
    "animals": FOUR_LEGS,
    "things": NEITHER,
}
# The integral invariants are the stored ones, which take longer than a step.
FEATURES = ("hks", "integral")
COUNT, STEPS, WIDTH = 700, 4000, 48
COLOURS = ((0.35, 0.55, 0.85), (0.9, 0.6, 0.25), (0.6, 0.6, 0.6))
ARCHITECTURE = Architecture(
    inputs=input_width(FEATURES), outputs=len(FAMILIES), width=WIDTH, output_at="shape"
)


class FamilyTrainer(Trainer):
    """Trains on examples of `Prepared` by the families of their sources."""

    def _learn_from(self, example) -> tuple[float, float]:
        figure, family = example
        engine, discretization = self.module.engine, figure.discretization
        if self.rng.random() < 0.5:
            discretization = mirrored(discretization)
        features = np.concatenate(
            [input_features(discretization, FEATURES[:1]), figure.integral], axis=1
        )
        with in_halves(engine.torch_device.type):
            outputs = self.module(shape_of(discretization, engine), engine.array(features))
        target = torch.as_tensor([family], device=engine.torch_device)
        loss, right = self.judge(outputs.float().reshape(1, -1), target)
        self._descend(loss.sum())
        return float(loss.detach()), float(right)


class Families(Prepared):
    """Prepared figures, each with the index of its family."""

    def __getitem__(self, index: int):
        return super().__getitem__(index), FAMILIES.index(SOURCES[self.examples[index][1]])


def trained(count: int, steps: int, threads: int) -> Model:
    """The model, trained on so many figures of each source."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    trainer = FamilyTrainer(
        DiffusionNet(ARCHITECTURE, TorchEngine("auto"), fresh_weights(ARCHITECTURE)),
        FEATURES,
        None,
        TrainingSettings(steps=steps, learning_rate=2e-3, label_smoothing=0.05, report_every=200),
    )
    figures = Families({source: range(count) for source in SOURCES})
    trainer.run(
        figures,
        report=lambda step, loss, right: print(
            f"step {step} loss {loss:.3f} accuracy {right:.3f}", flush=True
        ),
    )
    return Model(card_of(count, steps), trainer.averaged_weights())


def card_of(count: int, steps: int) -> ModelCard:
    """The card of the model, not yet measured."""
    return ModelCard(
        name=FAMILY_MODEL,
        title="Family of figures",
        description="Whole shapes: people, four-legged animals, or neither.",
        class_names=FAMILIES,
        class_colours=COLOURS,
        features=FEATURES,
        architecture=ARCHITECTURE,
        discretization=SETTINGS,
        training_data=f"{count} each of generated people, people of Kay Lousberg and Quaternius "
        "(CC0), animals as of animal_parts, and things made by training/things.py; all posed, "
        f"damaged and remeshed by training/; {steps} steps.",
        licence="CC0-1.0",
    )
