"""Small networks that are trained and measured alike and differ in one thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.features import input_features
from diffusionnet_blender.network.forward import forward
from diffusionnet_blender.network.numpy_engine import NumpyEngine
from diffusionnet_blender.network.shape import shape_of
from diffusionnet_blender.network.training import LabelledShape, Trainer, TrainingSettings
from diffusionnet_blender.tasks.sides import mirrored_classes

from .heads import LabelledFigure
from .parts import PART_NAMES
from .shares import Shares, mean_shares, shares_of

FEATURES = ("hks",)


Labelled = TypeVar("Labelled", LabelledShape, LabelledFigure)


def truncated(shape: Labelled, k: int) -> Labelled:
    """The same shape with its first k eigenpairs only."""
    cut = replace(
        shape.discretization,
        eigenvalues=shape.discretization.eigenvalues[:k],
        eigenvectors=np.ascontiguousarray(shape.discretization.eigenvectors[:, :k]),
    )
    return replace(shape, discretization=cut)


def trained_weights(
    architecture: Architecture,
    shapes: Sequence[LabelledShape],
    steps: int,
    checkpoint: Path,
) -> dict[str, np.ndarray]:
    """Weights after so many steps, all else as for the bundled model; goes on from a checkpoint.

    Parameters
    ----------
    architecture : Architecture
    shapes : sequence of LabelledShape
    steps : int
    checkpoint : Path
    """
    import torch

    from diffusionnet_blender.network.module import DiffusionNet
    from diffusionnet_blender.network.torch_engine import TorchEngine

    torch.set_num_threads(1)
    torch.manual_seed(0)
    module = DiffusionNet(architecture, TorchEngine("auto"))
    trainer = Trainer(module, FEATURES, mirrored_classes(PART_NAMES), TrainingSettings(steps=steps))
    if checkpoint.exists():
        trainer.resume(checkpoint)
    trainer.run(shapes, checkpoint)
    return trainer.averaged_weights()


def measured(
    architecture: Architecture, weights: dict[str, np.ndarray], shapes: Sequence[LabelledShape]
) -> Shares:
    """How much of shapes a network labels right."""
    engine = NumpyEngine()
    found = []
    for example in shapes:
        shape = example.discretization
        features = input_features(shape, FEATURES)
        outputs = forward(architecture, weights, shape_of(shape, engine), features, engine)
        labels = outputs.argmax(axis=1)
        found.append(shares_of(labels, example.labels, shape.mass, PART_NAMES))
    return mean_shares(found)
