"""Begin with the weights of a model that was fed less."""

from __future__ import annotations

import numpy as np

from diffusionnet_blender.network.checkpoint import Model
from diffusionnet_blender.network.features import input_width


def weights_for(model: Model, features: tuple[str, ...]) -> dict[str, np.ndarray]:
    """A model's weights for a network that is fed more: at first it makes nothing of the rest.

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
        The model is fed something else.
    """
    own = model.card.features
    if features[: len(own)] != own:
        raise ValueError(f"{model.card.name} is fed {own}, which {features} does not begin with")
    weights = {name: weight.astype(np.float32) for name, weight in model.weights.items()}
    more = input_width(features[len(own) :])
    weights["first.weight"] = np.pad(weights["first.weight"], ((0, 0), (0, more)))
    return weights
