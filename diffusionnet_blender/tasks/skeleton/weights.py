"""From the parts of bones and the weights of vertices to the parts of vertices."""

from __future__ import annotations

import numpy as np

# Where bones whose part is known hold less of a vertex's weight, its part is unknown.
MOST_WEIGHT = 0.5


def probabilities_by_weights(weights: np.ndarray, parts: np.ndarray, classes: int) -> np.ndarray:
    """Probability of each class at each vertex: its share of the weight on bones of known parts.

    Parameters
    ----------
    weights : (V, B) float
        Of the vertices on deforming bones.
    parts : (B,) int
        Class that each bone moves; negative where it is unknown.
    classes : int
        Their number, C.

    Returns
    -------
    (V, C) float32
        Rows add up to one, or are zero where no bone is known or most of the weight is on bones of
        unknown parts.
    """
    known = parts >= 0
    share = weights[:, known] @ np.eye(classes)[parts[known]]
    total = share.sum(axis=1)
    enough = (total > 0) & (total >= MOST_WEIGHT * weights.sum(axis=1))
    share[enough] /= total[enough, None]
    share[~enough] = 0.0
    return share.astype(np.float32)
