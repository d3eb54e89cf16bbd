"""What a model is unsure of on a figure, in a few words: its sides, and some of its parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .sides import side_of, without_side

SIDES = "sides"
WHOLE_FIGURE = "whole figure"
# Confidence in the sides of a figure below which they are in doubt.
SURE_OF_SIDES = 0.9
# Mean probability below which a part is in doubt.
SURE_OF_PART = 0.6
# Parts with a smaller share of the area are not worth a word.
LEAST_SHARE = 0.01
# Most doubts that are named one by one.
MOST_NAMED = 4


def doubts_of(
    probabilities: np.ndarray,
    areas: np.ndarray,
    class_names: Sequence[str],
    side_confidence: float | None = None,
) -> tuple[str, ...]:
    """What a model is unsure of: `SIDES`, then parts by their area, both sides of one as one.

    A part is in doubt where the mean probability of its classes is low. A doubt of the sides is
    told once: parts are then judged with both sides together.

    Parameters
    ----------
    probabilities : (V, C) float
    areas : (V,) float
        Of the surface at each vertex, in any unit.
    class_names : sequence of C str
    side_confidence : float, optional
        Probability that left and right are not exchanged; None where it is unknown or no question.
    """
    whole = areas.sum()
    if not whole > 0.0:
        return ()
    parts = list(dict.fromkeys(map(without_side, class_names)))
    part_of_class = np.array([parts.index(without_side(name)) for name in class_names])
    has_side = np.array([side_of(name) != 0 for name in class_names])
    labels = probabilities.argmax(axis=1)
    in_doubt = []
    if side_confidence is not None and side_confidence < SURE_OF_SIDES:
        if areas[has_side[labels]].sum() >= LEAST_SHARE * whole:
            in_doubt.append(SIDES)
    if in_doubt:
        both = part_of_class[labels][:, None] == part_of_class
        confidence = np.where(both, probabilities, 0.0).sum(axis=1)
    else:
        confidence = probabilities.max(axis=1)
    part = part_of_class[labels]
    size, sure = (np.bincount(part, w, len(parts)) for w in (areas, areas * confidence))
    for number in np.argsort(-size, kind="stable"):
        if size[number] >= LEAST_SHARE * whole and sure[number] < SURE_OF_PART * size[number]:
            in_doubt.append(parts[number])
    return tuple(in_doubt)


def in_short(unsure_of: Sequence[str]) -> tuple[str, ...]:
    """The same for a line: `WHOLE_FIGURE` in place of a long list."""
    return tuple(unsure_of) if len(unsure_of) <= MOST_NAMED else (WHOLE_FIGURE,)


def still_meant(unsure_of: Sequence[str], class_names: Sequence[str]) -> tuple[str, ...]:
    """Doubts without those of parts that are no longer there."""
    parts = set(map(without_side, class_names))
    sides = any(map(side_of, class_names))
    return tuple(name for name in unsure_of if (sides if name == SIDES else name in parts))


def renamed(unsure_of: Sequence[str], before: str, after: str) -> tuple[str, ...]:
    """Doubts in which a class has another name, beside the name of its other side."""
    old, new = without_side(before), without_side(after)
    found = [each for name in unsure_of for each in ((name, new) if name == old else (name,))]
    return tuple(dict.fromkeys(found))
