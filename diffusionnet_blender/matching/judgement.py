"""Quality measures of a map as a whole; free of SciPy, so that results of tasks can hold them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# A map that keeps the orientation of less than this share of the area is mirrored. Right maps
# keep nine tenths and more, mirrored ones a twentieth.
LEAST_KEPT = 0.5
# Confidence above which a vertex counts as confident, and the share of such vertices below which a
# map is not to be trusted: good maps of characters have 0.58 and more, an animal mapped to a human
# or a glove to a whole body less than 0.46 (docs/transfer.md).
CONFIDENT = 0.5
LEAST_CONFIDENT_SHARE = 0.5


def confident_share(confidence: np.ndarray) -> float:
    """Share of vertices (V,) whose confidence is above `CONFIDENT`; 0 of none."""
    return float(np.sum(np.asarray(confidence) > CONFIDENT)) / max(len(confidence), 1)


def is_uncertain(confidence: np.ndarray) -> bool:
    """Whether too few vertices (V,) are confident for the map to be trusted."""
    return confident_share(confidence) < LEAST_CONFIDENT_SHARE


@dataclass(frozen=True)
class Judgement:
    """Quality of a map as a whole.

    Attributes
    ----------
    orientation_kept : float
        Share of the target's area whose triangles are not mirrored, 0 to 1.
    feature_agreement : float
        Mean cosine of the features that the map pairs, -1 to 1. It detects errors that keep the
        orientation, such as the half turn that swaps left with right and front with back.
    rigid_residual : float
        Root mean square residual of the best rigid motion, in units of the square root of the
        area; under a right map the difference of the poses and proportions.
    """

    orientation_kept: float
    feature_agreement: float
    rigid_residual: float

    @property
    def mirrored(self) -> bool:
        """Whether left and right are swapped by a reflection."""
        return self.orientation_kept < LEAST_KEPT
