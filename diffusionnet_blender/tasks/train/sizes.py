"""Presets of a training: size of the network, number of steps. Imports nothing heavy: the panel
lists them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """A preset of network and training.

    Attributes
    ----------
    title : str
    width : int
        Channels of a network with random initial weights; one with the weights of another model
        has the width of that.
    k : int
        Number of eigenpairs, likewise.
    steps : int
        Each on one shape.
    copies : int
        Varied copies to train on, of all labelled meshes together.
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
# DiffusionNet blocks of every network, as in the paper.
BLOCKS = 4
