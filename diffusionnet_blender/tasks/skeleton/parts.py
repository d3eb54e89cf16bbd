"""The part of the body that each bone moves: by its name, the bones around it, its place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .names import Reading, reading_of
from .place import parts_by_place, up_height
from .skeleton import Skeleton

UNKNOWN = -1
ARM = ("upper_arm", "forearm", "hand")
LEG = ("thigh", "shin", "foot")
MIDDLE = ("head", "torso")
# Bones nearer to the middle than this share of the height have no side by their place.
OFF_MIDDLE = 0.01
# Two bones of one part and side that are farther apart than this share of the height are of two
# limbs: one of the names is wrong.
TWO_LIMBS = 0.25


def parts_of_bones(skeleton: Skeleton, class_names: Sequence[str]) -> np.ndarray:
    """The part that each bone moves.

    Names come first. Words that mean several things ("shoulder", "leg") are decided by the other
    bones, sides that are not named by the place. A bone without a name of a known meaning moves
    what the bone above it moves, unless the skeleton lacks limbs by name: then its place in the
    hierarchy and in space decides. Where nothing does, or names contradict each other, the part is
    unknown.

    Parameters
    ----------
    skeleton : Skeleton
    class_names : sequence of C str
        Classes of a model: ``head``, ``torso``, ``upper_arm.L`` ...

    Returns
    -------
    (B,) int32
        Index of a class; -1 where it is unknown.
    """
    readings = [reading_of(name) for name in skeleton.names]
    parts = _resolved(skeleton, readings)
    sides = _sides(skeleton, readings, parts)
    _drop_second_limbs(skeleton, parts, sides)
    found = [
        part if part in MIDDLE else f"{part}.{side}" if part and side else ""
        for part, side in zip(parts, sides, strict=True)
    ]
    no_part = [reading.moves_no_part for reading in readings]
    found = _filled(skeleton, found, no_part)
    index = {name: number for number, name in enumerate(class_names)}
    return np.array([index.get(name, UNKNOWN) for name in found], np.int32)


def _resolved(skeleton: Skeleton, readings: list[Reading]) -> list[str]:
    """Part of each bone without its side; words that mean several things decided by the others."""
    parts = [reading.part for reading in readings]
    sided = [bool(reading.side) for reading in readings]
    said = set(parts)
    shoulder = "torso"
    if not said & {"upper_arm", "arm"}:
        # Bones called by their joints: collar, shoulder, elbow, wrist.
        shoulder = "upper_arm" if "forearm" in said else ""
    hip = "torso"
    if not said & {"thigh", "leg"}:
        hip = "thigh" if "shin" in said else ""
    pair_of_hips = [p for p, s in zip(parts, sided, strict=True) if not s].count("hip") == 2
    for bone, part in enumerate(parts):
        if part == "collar":
            parts[bone] = "torso"
        elif part == "shoulder":
            parts[bone] = shoulder
        elif part == "hip":
            parts[bone] = hip if sided[bone] or pair_of_hips else "torso"
    for word, limb in (("arm", ARM), ("leg", LEG)):
        _resolve_limb(skeleton, parts, readings, word, limb)
    _resolve_spine(skeleton, parts, sided)
    _resolve_roots(skeleton, parts)
    return parts


def _resolve_limb(
    skeleton: Skeleton,
    parts: list[str],
    readings: list[Reading],
    word: str,
    limb: tuple[str, str, str],
) -> None:
    """Decide which part of a limb the bones are that are called "arm" or "leg" alone."""
    upper, lower, end = limb
    said = set(parts)
    called = [bone for bone, part in enumerate(parts) if part == word]
    rank = {}
    for bone in sorted(called, key=skeleton.order.index):
        above = [each for each in skeleton.above(bone) if parts[each] == word or each in rank]
        rank[bone] = len(above)
    for bone in called:
        side = readings[bone].side
        ranks = {rank[each] for each in called if readings[each].side == side}
        if lower in said:
            parts[bone] = upper
        elif upper in said:
            parts[bone] = lower
        elif len(ranks) < 2:
            # One bone for the whole limb.
            parts[bone] = ""
        else:
            parts[bone] = limb[min(rank[bone], 1 if end in said else 2)]


def _resolve_spine(skeleton: Skeleton, parts: list[str], sided: list[bool]) -> None:
    """The spine above the shoulders is the neck and the head, as Rigify counts it."""
    arms = [bone for bone, part in enumerate(parts) if part in ARM]
    shoulders = [up_height(skeleton.heads[bone]) for bone in arms if parts[bone] == ARM[0]]
    height = np.mean(shoulders) if shoulders else np.inf
    carrying = {above for bone in arms for above in skeleton.above(bone)}
    for bone, part in enumerate(parts):
        if part == "spine":
            over = up_height(skeleton.heads[bone]) > height
            is_neck = over and bone not in carrying and not sided[bone]
            parts[bone] = "head" if is_neck else "torso"


def _resolve_roots(skeleton: Skeleton, parts: list[str]) -> None:
    """A root at the hips moves them; one on the floor moves all, and so no part."""
    heights = up_height(skeleton.heads)
    hips = [heights[bone] for bone, part in enumerate(parts) if part == LEG[0]]
    feet = [heights[bone] for bone, part in enumerate(parts) if part in LEG]
    for bone, part in enumerate(parts):
        if part == "root":
            at_hips = hips and heights[bone] > (np.mean(hips) + min(feet)) / 2
            parts[bone] = "torso" if at_hips else ""


def _sides(skeleton: Skeleton, readings: list[Reading], parts: list[str]) -> list[str]:
    """Side of each bone of a limb: as named, or as those above it, or by its place.

    Where the names of a skeleton put a bone on one side and its place on the other one, it has
    none: "" for it.
    """
    sides = [reading.side for reading in readings]
    for bone in skeleton.order:
        above = skeleton.parents[bone]
        if not sides[bone] and above >= 0 and parts[bone] in ARM + LEG:
            if parts[above] in ARM + LEG:
                sides[bone] = sides[above]
    limb = [bone for bone, part in enumerate(parts) if part in ARM + LEG]
    named = {side: [bone for bone in limb if sides[bone] == side] for side in "LR"}
    if named["L"] and named["R"]:
        middles = {side: skeleton.heads[bones].mean(axis=0) for side, bones in named.items()}
        across, centre = middles["L"] - middles["R"], (middles["L"] + middles["R"]) / 2
        across[2] = 0.0
    else:
        front = _front(skeleton, parts)
        across = np.cross((0.0, 0.0, 1.0), front)
        centre = np.median(skeleton.heads, axis=0)
    length = np.linalg.norm(across)
    if not length:
        return sides
    offset = (skeleton.heads - centre) @ (across / length)
    offset_tails = (skeleton.tails - centre) @ (across / length)
    least = OFF_MIDDLE * np.ptp(up_height(skeleton.heads))
    for bone in limb:
        by_place = ""
        if min(abs(offset[bone]), abs(offset_tails[bone])) > least:
            if (offset[bone] > 0) == (offset_tails[bone] > 0):
                by_place = "L" if offset[bone] > 0 else "R"
        if not sides[bone]:
            sides[bone] = by_place
        elif by_place and sides[bone] != by_place:
            sides[bone] = ""
    return sides


def _front(skeleton: Skeleton, parts: list[str]) -> np.ndarray:
    """Where feet point to, horizontally: (3,), zeros if that is unknown."""
    feet = [bone for bone, part in enumerate(parts) if part == "foot"]
    ankles = [bone for bone in feet if skeleton.parents[bone] not in feet]
    front = np.zeros(3)
    for ankle in ankles:
        ends = [bone for bone in skeleton.below(ankle) if bone in feet]
        front += (skeleton.tails[ends] - skeleton.heads[ankle]).sum(axis=0)
    front[2] = 0.0
    return front


def _drop_second_limbs(skeleton: Skeleton, parts: list[str], sides: list[str]) -> None:
    """Of two limbs of one name and side, legs are the lower ones; what the other is, is unknown."""
    heights = up_height(skeleton.heads)
    for side in "LR":
        starts = [
            bone
            for bone, part in enumerate(parts)
            if part in LEG[:2]
            and sides[bone] == side
            and not any(parts[above] in LEG for above in skeleton.above(bone))
        ]
        lowest = min(heights[starts], default=0.0)
        for bone in starts:
            if heights[bone] > lowest + TWO_LIMBS * np.ptp(heights):
                for below in skeleton.below(bone):
                    parts[below] = ""


def _filled(skeleton: Skeleton, found: list[str], no_part: list[bool]) -> list[str]:
    """Bones without a part by name: that of the bone above, or the one of their place."""
    found = list(found)
    named = set(found)
    limbs_named = all(f"{part}.{side}" in named for part in (*ARM[:2], *LEG[:2]) for side in "LR")
    by_place = [""] * len(found) if limbs_named else parts_by_place(skeleton, found)
    for bone in skeleton.order:
        if found[bone] or no_part[bone]:
            continue
        above = skeleton.parents[bone]
        part = found[above] if above >= 0 else ""
        if limbs_named or part.partition(".")[0] in ("head", "hand", "foot"):
            found[bone] = part
        else:
            found[bone] = by_place[bone]
    return found
