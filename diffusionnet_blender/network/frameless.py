"""The part of a network that needs no frame: what a training for other classes starts from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .checkpoint import Model
from .features import FEATURES, FRAME, input_width


def frameless(model: Model) -> Model:
    """The same model without the input `frame` and its votes.

    Where no frame is known that input is zero, so that its weights have no effect: outputs are the
    same. A model without this input is itself.
    """
    names = model.card.features
    if FRAME not in names:
        return model
    architecture = model.card.architecture
    first = input_width(names[: names.index(FRAME)])
    frame = range(first, first + FEATURES[FRAME].width)
    classes = architecture.outputs - model.card.votes
    weights = {
        **model.weights,
        "first.weight": np.delete(model.weights["first.weight"], frame, axis=1),
        "last.weight": model.weights["last.weight"][:classes],
        "last.bias": model.weights["last.bias"][:classes],
    }
    card = replace(
        model.card,
        features=tuple(name for name in names if name != FRAME),
        architecture=replace(
            architecture, inputs=architecture.inputs - len(frame), outputs=classes
        ),
    )
    return Model(card, weights)
