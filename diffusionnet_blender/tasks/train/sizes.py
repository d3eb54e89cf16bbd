"""How large a network to train, and how long. Imports nothing heavy: the panel lists them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """A preset.

    Attributes
    ----------
    title : str
    width : int
        Channels of the network, where it starts with fresh weights; a network that starts from
        another model has the width of that one.
    k : int
        Eigenpairs, likewise.
    steps : int
        Each on one shape.
    copies : int
        Varied copies of the labelled meshes to learn from, all meshes together.
    learning_rate : float
        Of Adam, halved after every quarter of the steps (paper 5).
    """

    title: str
    width: int
    k: int
    steps: int
    copies: int
    learning_rate: float = 1e-3


SIZES = {
    "fast": Size("Fast", width=64, k=64, steps=300, copies=24),
    "balanced": Size("Balanced", width=96, k=128, steps=1000, copies=48),
    "best": Size("Best", width=128, k=128, steps=4000, copies=96),
}
# Of every network; the paper's for shapes of this kind.
BLOCKS = 4
