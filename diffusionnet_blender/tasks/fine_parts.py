"""The coarse part of a body that each fine one belongs to, by the names of the bundled models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_COARSE = {
    "neck": "head",
    "chest": "torso",
    "abdomen": "torso",
    "pelvis": "torso",
    "shoulder": "torso",
    "palm": "hand",
    "fingers": "hand",
    "toes": "foot",
}
_WITHOUT_SIDE = frozenset({"head", "torso"})


def coarse_part(fine: str) -> str:
    """Name of the coarse part of a fine one: ``hand.L`` for ``palm.L``, ``torso`` for ``chest``."""
    stem, _, side = fine.partition(".")
    part = _COARSE.get(stem, stem)
    return part if part in _WITHOUT_SIDE or not side else f"{part}.{side}"


def within_known(
    probabilities: np.ndarray,
    fine: Sequence[str],
    known: np.ndarray,
    coarse: Sequence[str],
) -> np.ndarray:
    """Probabilities of fine parts such that those of the coarse ones are as they are known.

    Parameters
    ----------
    probabilities : (V, F) float
    fine : sequence of F str
    known : (V, C) float
        Rows of zeros where nothing is known.
    coarse : sequence of C str

    Returns
    -------
    (V, F) float
    """
    column = [list(coarse).index(coarse_part(name)) for name in fine]
    member = np.eye(len(coarse))[column]
    # Where the fine ones of a coarse part have nothing, they share it evenly.
    shares = np.maximum(probabilities, 1e-6)
    shares = shares / (shares @ member)[:, column]
    is_known = known.any(axis=1)
    return np.where(is_known[:, None], shares * known[:, column], probabilities)
