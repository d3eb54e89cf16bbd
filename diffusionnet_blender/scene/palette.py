"""Colours of parts for all types of colour vision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import bpy
import numpy as np

from ..tasks.labels import Labels
from ..tasks.sides import other_side
from .results import keep_result

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
# Factor of lightness for the right side, and for further parts of the same hue.
DARKER = 0.6


def safe_colours(class_names: Sequence[str]) -> np.ndarray:
    """Colours distinct for all types of colour vision, (C, 3) sRGB, 0 to 1.

    Left and right share a hue, the left one lighter; distinct for up to eight pairs.
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


def in_safe_colours(obj: bpy.types.Object, result: Labels) -> Labels:
    """Labels in these colours, also kept so for *Write Labels*."""
    result = replace(result, class_colours=safe_colours(result.class_names))
    keep_result(obj.data, result)
    return result
