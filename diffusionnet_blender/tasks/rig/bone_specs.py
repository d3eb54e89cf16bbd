"""A bone of a skeleton by the places and parts of its figure, and names of both sides."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BoneSpec:
    """A bone of a skeleton; of one with sides, the left one.

    Attributes
    ----------
    name, parent : str
    head, tail : str
        Landmarks, or points of the template. A bone ends where the next of its chain begins.
    parts : tuple of str
        Parts of the body that it moves; shared with others it moves what is nearest.
    z : str
        Direction to which its tip goes when it is turned about x by a positive angle: "front",
        "back", "up" or "down" of the figure, or "palm".
    group : str
        `kinds.FINGER`, `TOE`, `FACE`, or "" for bones that every figure has.
    """

    name: str
    parent: str
    head: str
    tail: str
    parts: tuple[str, ...]
    z: str
    group: str = ""


def mirrored(spec: BoneSpec) -> BoneSpec:
    """The bone of the other side."""

    def other(name: str) -> str:
        return f"{name[:-1]}R" if name.endswith(".L") else name

    return BoneSpec(
        other(spec.name),
        other(spec.parent),
        other(spec.head),
        other(spec.tail),
        tuple(map(other, spec.parts)),
        spec.z,
        spec.group,
    )


def both_sides(names: dict[str, str], left: str, right: str) -> dict[str, str]:
    """Names of both sides, from those of the left ones with "{}" where the side stands."""
    found = {}
    for bone, name in names.items():
        if bone.endswith(".L"):
            found[bone] = name.format(left)
            found[f"{bone[:-1]}R"] = name.format(right)
        else:
            found[bone] = name
    return found
