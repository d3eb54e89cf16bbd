"""Colours of parts that differ for everybody's eyes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..tasks.sides import other_side

# Okabe and Ito, "Color Universal Design" (2008), with grey for their black.
HUES = (
    (0.34, 0.71, 0.91),
    (0.60, 0.60, 0.60),
    (0.90, 0.62, 0.00),
    (0.00, 0.62, 0.45),
    (0.95, 0.90, 0.25),
    (0.00, 0.45, 0.70),
    (0.84, 0.37, 0.00),
    (0.80, 0.47, 0.65),
)
# Lightness tells apart what hue does not: the right side, and what comes when hues are used up.
DARKER = 0.6


def safe_colours(class_names: Sequence[str]) -> np.ndarray:
    """Colours that are told apart with any kind of colour vision, (C, 3) sRGB, 0 to 1.

    Both sides of a pair have one hue, the left one lighter; up to eight pairs are told apart.
    """
    hue_of: dict[str, int] = {}
    colours = np.empty((len(class_names), 3))
    for number, name in enumerate(class_names):
        # Left comes before right in the alphabet, however it is written.
        left = min(name, other_side(name) or name)
        hue = hue_of.setdefault(left, len(hue_of))
        darker = (name != left) + hue // len(HUES)
        colours[number] = np.array(HUES[hue % len(HUES)]) * DARKER**darker
    return colours
