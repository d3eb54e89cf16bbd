"""What a network finds on shapes, and how much of it is right."""

from __future__ import annotations

import numpy as np
import torch

from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.features import input_features
from diffusionnet_blender.network.forward import forward
from diffusionnet_blender.network.shape import shape_of
from diffusionnet_blender.network.torch_engine import TorchEngine
from diffusionnet_blender.network.training import IGNORED
from diffusionnet_blender.surface.discretization import Discretization

from .course import Weights
from .matrices import Shapes


def network_outputs(
    architecture: Architecture,
    weights: Weights,
    features: tuple[str, ...],
    shape: Discretization,
    engine: TorchEngine,
) -> np.ndarray:
    """Outputs of a network, (n, C) float32, before any softmax."""
    on_device = {name: engine.array(weight) for name, weight in weights.items()}
    with engine.inference():
        matrices = shape_of(shape, engine)
        values = engine.array(input_features(shape, features))
        return engine.to_numpy(forward(architecture, on_device, matrices, values, engine))


def share_right(found: np.ndarray, labels: np.ndarray) -> float:
    """Share of the labelled places (n,) whose class was found, each alike, as the paper counts."""
    known = labels != IGNORED
    return float((found[known] == labels[known]).mean())


def accuracy_at_vertices(
    architecture: Architecture,
    weights: Weights,
    features: tuple[str, ...],
    shapes: Shapes,
    most: int | None = None,
) -> float:
    """Share of all vertices of the shapes, 0 to 1, that get their class.

    Parameters
    ----------
    architecture : Architecture
    weights : dict of str to array
    features : tuple of str
    shapes : Shapes
    most : int, optional
        So many of them alone, spread over the list.
    """
    engine, threads = TorchEngine("auto"), torch.get_num_threads()
    chosen = np.linspace(0, len(shapes) - 1, min(most or len(shapes), len(shapes)), dtype=int)
    right = total = 0.0
    for index in chosen:
        prepared, labels = shapes.prepared(int(index))
        outputs = prepared.to_user_vertices(
            network_outputs(architecture, weights, features, prepared.discretization, engine)
        )
        count = np.count_nonzero(labels != IGNORED)
        right += count * share_right(outputs.argmax(axis=1), labels)
        total += count
    torch.set_num_threads(threads)
    return right / total
