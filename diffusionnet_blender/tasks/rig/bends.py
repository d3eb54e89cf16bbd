"""How limbs bend: how far elbows and knees lie off the straight line, and to which side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...matching.limbs.directions import SHORTEST, SIDES, across

LIMBS = (("hip", "knee", "ankle", -1.0), ("shoulder", "elbow", "wrist", 1.0))


@dataclass(frozen=True, eq=False)
class Bend:
    """A limb of two bones, from the joint where it begins to the one where it ends.

    Attributes
    ----------
    joint : str
        Name of the joint between the bones.
    along : (3,) float64
        Unit direction from the first joint to the last.
    length : float
        Between these.
    off : (3,) float64
        From the straight line to the joint.
    natural : (3,) float64
        Unit direction to which such a joint turns: an elbow to the back, a knee to the front.
    """

    joint: str
    along: np.ndarray
    length: float
    off: np.ndarray
    natural: np.ndarray


def bends(places: Mapping[str, np.ndarray], back: np.ndarray) -> list[Bend]:
    """Those of the arms and legs whose joints are all known.

    Parameters
    ----------
    places : mapping of str to (3,) float
    back : (3,) float
        Unit direction to the back of the figure.
    """
    found = []
    for side in SIDES:
        for *names, sign in LIMBS:
            first, middle, last = (places.get(f"{name}.{side}") for name in names)
            if first is None or middle is None or last is None:
                continue
            length = float(np.linalg.norm(last - first))
            if length > SHORTEST:
                along = (last - first) / length
                off = across(middle - first, along)
                found.append(Bend(f"{names[1]}.{side}", along, length, off, sign * back))
    return found
