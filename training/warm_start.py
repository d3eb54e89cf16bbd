"""Begin with the weights of a model of fewer inputs, or narrower."""

from __future__ import annotations

import re

import numpy as np

from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.checkpoint import Model
from diffusionnet_blender.network.features import input_width
from diffusionnet_blender.network.module import fresh_weights


def weights_for(model: Model, features: tuple[str, ...]) -> dict[str, np.ndarray]:
    """A model's weights for a network of more inputs: at first these have no effect.

    Parameters
    ----------
    model : Model
    features : tuple of str
        Inputs of the network, the model's own first.

    Returns
    -------
    dict of str to float32 array

    Raises
    ------
    ValueError
        If the model has other inputs.
    """
    own = model.card.features
    if features[: len(own)] != own:
        raise ValueError(f"{model.card.name} has inputs {own}, {features} does not begin with them")
    weights = {name: weight.astype(np.float32) for name, weight in model.weights.items()}
    more = input_width(features[len(own) :])
    weights["first.weight"] = np.pad(weights["first.weight"], ((0, 0), (0, more)))
    return weights


def widened(
    weights: dict[str, np.ndarray], architecture: Architecture, width: int
) -> dict[str, np.ndarray]:
    """Weights of the same outputs with more channels, from torch's generator.

    The first channels are those of the given weights, and the others do not reach them; they begin
    with weights of their own and are learnt from there.

    Parameters
    ----------
    weights : dict of str to array
        Of a network with a hidden layer of the width of its channels.
    architecture : Architecture
        As it is to be: its width and that of its hidden layers is that of the result.
    width : int
        Channels of the given weights.

    Returns
    -------
    dict of str to float32 array
    """
    wide = fresh_weights(architecture)
    for name, value in weights.items():
        target = wide[name]
        rows = slice(0, len(value))
        if value.ndim == 1:
            target[rows] = value
            continue
        # Pieces side by side, each of the channels of one network.
        pieces = value.shape[1] // width if re.search("mlp|last|gradient", name) else 1
        narrow, new = value.shape[1] // pieces, target.shape[1] // pieces
        for piece in range(pieces):
            columns = slice(piece * new, piece * new + narrow)
            target[rows, piece * new : (piece + 1) * new] = 0.0
            target[rows, columns] = value[:, piece * narrow : (piece + 1) * narrow]
    return wide
