"""Names that tell left from right: hand.L and hand.R, LeftArm and RightArm, left_leg ..."""

from __future__ import annotations

import re
from collections.abc import Sequence

_OTHER = {"l": "r", "r": "l", "left": "right", "right": "left"}
# A word of its own at either end of the name, or behind a prefix such as "mixamorig:"; or glued
# to a word that starts with a capital.
_SIDE = re.compile(
    r"(?:^|(?<=:))(?:left|right|l|r)(?=[._\- ])"
    r"|(?<=[._\- ])(?:left|right|l|r)$"
    r"|(?:^|(?<=:))(?:left|right)$",
    flags=re.IGNORECASE,
)
_GLUED = re.compile(r"(?:^|(?<=:))(?:Left|Right)(?=[A-Z])|(?<=[a-z0-9])(?:Left|Right)$")


def other_side(name: str) -> str | None:
    """The name as a mirror sees it; None if it tells no side."""
    found = _SIDE.search(name) or _GLUED.search(name)
    if found is None:
        return None
    word = found.group()
    other = _OTHER[word.lower()]
    other = other.upper() if word.isupper() else other.title() if word.istitle() else other
    return name[: found.start()] + other + name[found.end() :]


def mirrored_classes(names: Sequence[str]) -> list[int] | None:
    """For each class the number of the one on its other side, its own where it has no side.

    Parameters
    ----------
    names : sequence of str

    Returns
    -------
    list of int or None
        None where a mirrored copy would teach what is wrong: no class tells a side, or one does
        whose counterpart is not among them.
    """
    others = [other_side(name) for name in names]
    sided = [other for other in others if other is not None]
    if not sided or any(other not in names for other in sided):
        return None
    return [i if other is None else names.index(other) for i, other in enumerate(others)]
