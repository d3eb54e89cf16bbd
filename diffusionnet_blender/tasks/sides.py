"""Left and right in the names of classes: hand.L and hand.R, LeftArm and RightArm, left_leg ..."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

_OPPOSITE = {"l": "r", "r": "l", "left": "right", "right": "left"}
# A separate word at either end of the name, or behind a prefix such as "mixamorig:"; or joined to a
# word with a capital initial.
_SIDE = re.compile(
    r"(?:^|(?<=:))(?:left|right|l|r)(?=[._\- ])"
    r"|(?<=[._\- ])(?:left|right|l|r)$"
    r"|(?:^|(?<=:))(?:left|right)$",
    flags=re.IGNORECASE,
)
_JOINED = re.compile(r"(?:^|(?<=:))(?:Left|Right)(?=[A-Z])|(?<=[a-z0-9])(?:Left|Right)$")
# Of a vertex: the probability of one side, less that of the other, above which it is on it.
LEAST_SIDE = 0.5


def other_side(name: str) -> str | None:
    """Name of the mirror image, with left and right exchanged; None for a name without a side."""
    found = _SIDE.search(name) or _JOINED.search(name)
    if found is None:
        return None
    word = found.group()
    other = _OPPOSITE[word.lower()]
    other = other.upper() if word.isupper() else other.title() if word.istitle() else other
    return name[: found.start()] + other + name[found.end() :]


def without_side(name: str) -> str:
    """A name without its side: that of a part of which there are two."""
    found = _SIDE.search(name) or _JOINED.search(name)
    if found is None:
        return name
    ends = name[: found.start()].rstrip("._- "), name[found.end() :].lstrip("._- ")
    return "".join(ends) or name


def side_of(name: str) -> int:
    """1 for a name of the left side, -1 for one of the right, 0 for one without a side."""
    found = _SIDE.search(name) or _JOINED.search(name)
    if found is None:
        return 0
    return 1 if found.group().lower().startswith("l") else -1


def sides_of(probabilities: np.ndarray, class_names: Sequence[str]) -> np.ndarray:
    """Side of each vertex by the probabilities of its classes.

    Parameters
    ----------
    probabilities : (V, C) float
        Rows of zeros where classes are unknown.
    class_names : sequence of C str

    Returns
    -------
    (V,) int8
        1 left, -1 right, 0 where it has none or is unknown.
    """
    side = probabilities @ np.array([side_of(name) for name in class_names], dtype=np.float32)
    return np.where(np.abs(side) > LEAST_SIDE, np.sign(side), 0.0).astype(np.int8)


def with_known_sides(
    probabilities: np.ndarray, sides: np.ndarray, class_names: Sequence[str]
) -> np.ndarray:
    """Class probabilities with left and right as they are known at some of the vertices.

    Where most of these vertices have the wrong side, all vertices change sides, those of unknown
    side, too. Then each of the known ones has no probability on its other side.

    Parameters
    ----------
    probabilities : (V, C) float32
    sides : (V,) int
        1 left, -1 right, 0 unknown.
    class_names : sequence of C str

    Returns
    -------
    (V, C) float32
        Unchanged where classes have no sides.
    """
    other = mirrored_classes(class_names)
    if other is None:
        return probabilities
    side = np.array([side_of(name) for name in class_names])
    found = probabilities[:, side == 1].sum(axis=1) - probabilities[:, side == -1].sum(axis=1)
    if found @ sides < 0:
        probabilities = probabilities[:, other]
    wrong = sides[:, None] * side < 0
    agreed = np.where(wrong, 0.0, probabilities)
    agreed += np.where(wrong, probabilities, 0.0)[:, other]
    return agreed.astype(np.float32)


def either_side(probabilities: np.ndarray, class_names: Sequence[str]) -> np.ndarray:
    """Probabilities (V, C) of each class or its mirror image: left and right taken as one.

    Parameters
    ----------
    probabilities : (V, C) float
    class_names : sequence of C str
    """
    own = np.arange(len(class_names))
    other = np.array(mirrored_classes(class_names) or own)
    return probabilities + np.where(other != own, probabilities[:, other], 0.0)


def mirrored_classes(names: Sequence[str]) -> list[int] | None:
    """Index of the mirror image of each class; the class itself where it has no side.

    Parameters
    ----------
    names : sequence of str

    Returns
    -------
    list of int or None
        None where mirrored copies would have wrong labels: no class has a side, or the counterpart
        of one is not among the classes.
    """
    others = [other_side(name) for name in names]
    sided = [other for other in others if other is not None]
    if not sided or any(other not in names for other in sided):
        return None
    return [i if other is None else names.index(other) for i, other in enumerate(others)]
