"""What the bones of the rigs of ../shared/characters move, by their names.

A table of its own, so that measurements do not depend on the extension's own table of bones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from .parts import FINE_NAMES, PART_NAMES, PART_OF_FINE

UNKNOWN = -1
# Names of bones without their side, numbers and `_end`.
PART_OF_BONE = {
    "head": ("head", "neck", "headtop", "headtop_end"),
    "torso": (
        *("root", "body", "hips", "abdomen", "torso", "chest", "spine", "shoulder"),
        *("spine1", "spine2"),
    ),
    "upper_arm": ("upperarm", "arm"),
    "forearm": ("lowerarm", "forearm"),
    "hand": (
        *("hand", "handslot", "wrist", "palm", "middlehand", "fingers", "thumb", "thumbend"),
        *("index", "middle", "ring", "middlefinger", "pinkyfinger", "handthumb", "handindex"),
    ),
    "thigh": ("upperleg", "upleg"),
    "shin": ("lowerleg", "leg"),
    "foot": ("foot", "footik", "toes", "toebase", "toe_end"),
}
# One bone alone that carries a hat or a face.
HEAD_RIGS = ("HatArmature", "FaceArmature")
# This skeleton's arms are copies of its legs. Its L bones are on its right: the names count, as
# they do for the parts of all other rigs, and as an artist who mirrors by them has it.
SKELETON_RIG = "SkeletonArmature"
SKELETON = {
    "UpperLeg": "thigh",
    "DownLeg": "shin",
    "UpperLeg.001": "upper_arm",
    "DownLeg.001": "forearm",
}
# The fine part of those whose coarse part has several.
_FINE_OF_BONE = {
    "neck": ("neck",),
    "pelvis": ("root", "body", "hips"),
    "abdomen": ("abdomen", "spine"),
    "chest": ("torso", "chest", "spine1", "spine2"),
    "shoulder": ("shoulder",),
    "fingers": (
        *("fingers", "thumb", "thumbend", "index", "middle", "ring", "middlefinger"),
        *("pinkyfinger", "handthumb", "handindex"),
    ),
    "toes": ("toes", "toebase", "toe_end"),
}
# The first of several, of which bones without such a name are the rest.
_FIRST = {"hand": "palm"}
# Bones between two fine parts, or that hold more than one.
_UNSURE = ("root", "body", "spine1", "middlehand", "handslot")


def part_of_bone(rig: str, bone: str) -> int:
    """Index into `PART_NAMES` of what a bone moves, or `UNKNOWN`."""
    if rig in HEAD_RIGS:
        return PART_NAMES.index("head")
    bone = bone.removesuffix("_end")
    if rig == SKELETON_RIG and bone[:2] in ("L.", "R."):
        return PART_NAMES.index(f"{SKELETON[bone[2:]]}.{bone[0]}")
    side, stem = _side_and_stem(bone)
    for part, names in PART_OF_BONE.items():
        if stem in names or stem.rstrip("0123456789") in names:
            sided = f"{part}.{side}"
            return PART_NAMES.index(sided if sided in PART_NAMES else part)
    return UNKNOWN


def _side_and_stem(bone: str) -> tuple[str, str]:
    found = re.fullmatch(r"(Left|Right|)(.*?)(?:\.([lrLR]))?", bone)
    return (found[3] or found[1])[:1].upper(), found[2].lower()


def segment_of_bone(rig: str, bone: str) -> int:
    """Index into `FINE_NAMES` of the link of the body that a bone moves, or `UNKNOWN`.

    Of a bone that moves several fine parts it is the one that it begins in.
    """
    part = part_of_bone(rig, bone)
    if part == UNKNOWN:
        return UNKNOWN
    coarse, _, side = PART_NAMES[part].partition(".")
    named, stem = _side_and_stem(bone.removesuffix("_end"))
    wanted = _FIRST.get(coarse, coarse)
    if rig not in (*HEAD_RIGS, SKELETON_RIG) or coarse in ("head", "torso"):
        for fine, names in _FINE_OF_BONE.items():
            if stem in names or stem.rstrip("0123456789") in names:
                wanted = fine
    sided = f"{wanted}.{side or named}"
    return FINE_NAMES.index(sided if sided in FINE_NAMES else wanted)


def labels_of_bones(rig: str, bones: Sequence[str]) -> np.ndarray:
    """(B,) index into `parts.PART_OF_LABEL` of what each bone of a rig moves, or `UNKNOWN`.

    The fine part is told where the rig has bones for all fine parts of the coarse one: a foot
    without toes is a whole foot, a spine of one bone a whole torso.
    """
    segments = [segment_of_bone(rig, bone) for bone in bones]
    there = {FINE_NAMES[segment].partition(".")[0] for segment in segments if segment != UNKNOWN}
    labels = []
    for bone, segment in zip(bones, segments, strict=True):
        if segment == UNKNOWN:
            labels.append(UNKNOWN)
            continue
        part = int(PART_OF_FINE[segment])
        coarse = PART_NAMES[part].partition(".")[0]
        wanted = {
            "torso": {"pelvis", "abdomen", "chest", "shoulder"},
            "hand": {"palm", "fingers"},
            "foot": {"foot", "toes"},
        }.get(coarse, set())
        stem = _side_and_stem(bone.removesuffix("_end"))[1]
        sure = wanted <= there and stem not in _UNSURE
        labels.append(segment if sure else len(FINE_NAMES) + part)
    return np.array(labels, np.int64)
