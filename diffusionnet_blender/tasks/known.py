"""Probabilities of parts that are known before a network is asked, as from bones."""

from __future__ import annotations

import numpy as np

from ..errors import DiffusionNetError
from ..network.card import ModelCard


def require_known(known: np.ndarray, vertices: int, card: ModelCard, name: str = "known") -> None:
    """Check known probabilities.

    Parameters
    ----------
    known : (V, C) float
    vertices : int
        V of the surface.
    card : ModelCard
        Of the classes.
    name : str
        Of the argument, for the message.

    Raises
    ------
    DiffusionNetError
        If they do not fit the surface and the classes, or are no numbers from 0 to 1.
    """
    if not isinstance(known, np.ndarray) or known.dtype.kind not in "biuf":
        raise DiffusionNetError(
            f"The known probabilities {name} are no array of numbers", "Give a NumPy array."
        )
    expected = vertices, len(card.class_names)
    if known.shape != expected:
        raise DiffusionNetError(
            f"The known probabilities {name} are {known.shape}, not {expected}",
            f"Give a row for each vertex, with a column for each class of {card.name}.",
        )
    if not ((known >= 0) & (known <= 1)).all():
        raise DiffusionNetError(
            f"The known probabilities {name} are not all numbers from 0 to 1",
            "Give a row of zeros where nothing is known.",
        )
