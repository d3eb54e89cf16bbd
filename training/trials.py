"""Small networks that are trained and measured alike and differ in one thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.features import input_features
from diffusionnet_blender.network.forward import forward
from diffusionnet_blender.network.numpy_engine import NumpyEngine
from diffusionnet_blender.network.shape import shape_of
from diffusionnet_blender.network.training import LabelledShape, Trainer, TrainingSettings
from diffusionnet_blender.tasks.sides import mirrored_classes

from .parts import PART_NAMES

FEATURES = ("hks",)


@dataclass(frozen=True)
class Shares:
    """Shares of the area of unseen shapes, means over the shapes.

    Attributes
    ----------
    right : sides included;  either_side : left and right taken as one.
    """

    right: float
    either_side: float


def truncated(shape: LabelledShape, k: int) -> LabelledShape:
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
    fixed_time: float | None = None,
) -> dict[str, np.ndarray]:
    """Weights after so many steps, all else as for the bundled model; goes on from a checkpoint.

    Parameters
    ----------
    architecture : Architecture
    shapes : sequence of LabelledShape
    steps : int
    checkpoint : Path
    fixed_time : float, optional
        Of every channel's diffusion, which is then not learned.
    """
    import torch

    from diffusionnet_blender.network.module import DiffusionNet
    from diffusionnet_blender.network.torch_engine import TorchEngine

    torch.set_num_threads(1)
    torch.manual_seed(0)
    module = DiffusionNet(architecture, TorchEngine("auto"))
    if fixed_time is not None:
        for name, weight in module.named_weights().items():
            if name.endswith(".time"):
                weight.requires_grad_(False).fill_(fixed_time)
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
    merge = np.array([min(i, m) for i, m in enumerate(mirrored_classes(PART_NAMES))])
    right, either = [], []
    for example in shapes:
        shape = example.discretization
        features = input_features(shape, FEATURES)
        outputs = forward(architecture, weights, shape_of(shape, engine), features, engine)
        found = outputs.argmax(axis=1)
        right.append(np.average(found == example.labels, weights=shape.mass))
        either.append(np.average(merge[found] == merge[example.labels], weights=shape.mass))
    return Shares(float(np.mean(right)), float(np.mean(either)))
