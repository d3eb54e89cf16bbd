"""How much of the area of a figure a model labels right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from diffusionnet_blender.tasks.sides import mirrored_classes


@dataclass(frozen=True)
class Shares:
    """Shares of the area, of one figure or means over several.

    Attributes
    ----------
    right : sides included;  either_side : left and right taken as one.
    """

    right: float
    either_side: float


def shares_of(
    found: np.ndarray, truth: np.ndarray, areas: np.ndarray, class_names: Sequence[str]
) -> Shares:
    """Compare labels with the truth.

    Parameters
    ----------
    found, truth : (V,) int, index into `class_names`. The truth is -1 where it is not known, which
        counts for nothing; what was found is -1 for none of the classes, which is wrong.
    areas : (V,) float
    class_names : of both.
    """
    known = truth >= 0
    found, truth, areas = found[known], truth[known], areas[known]
    merged = np.append(sides_merged(class_names), -1)
    return Shares(
        float(np.average(found == truth, weights=areas)),
        float(np.average(merged[found] == merged[truth], weights=areas)),
    )


def sides_merged(class_names: Sequence[str]) -> np.ndarray:
    """(C,) int, one class for both sides of each."""
    other_side = mirrored_classes(class_names) or range(len(class_names))
    return np.minimum(other_side, np.arange(len(class_names)))


def mean_shares(shares: Sequence[Shares]) -> Shares:
    """Of several figures, each counting alike."""
    return Shares(
        float(np.mean([each.right for each in shares])),
        float(np.mean([each.either_side for each in shares])),
    )
