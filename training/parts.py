"""The parts that models are taught: 14 coarse ones of people and 23 fine ones within them, and 16
of four-legged animals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from diffusionnet_blender.tasks.fine_parts import coarse_part
from diffusionnet_blender.tasks.sides import mirrored_classes

SIDES = ("L", "R")


def _with_sides(middle: tuple[str, ...], paired: tuple[str, ...]) -> tuple[str, ...]:
    return middle + tuple(f"{name}.{side}" for name in paired for side in SIDES)


@dataclass(frozen=True, eq=False)
class Anatomy:
    """The labels of a family of figures.

    Attributes
    ----------
    part_names : tuple of str
        The classes of its model of parts, in their order.
    part_of_label : (L,) int32
        Index into `part_names` of each label, -1 for a label of no known part.
    mirrored_label : (L,) int32
        The label of the other side of each label.
    colours : mapping of str to (r, g, b)
        sRGB of each part, 0 to 1.
    """

    part_names: tuple[str, ...]
    part_of_label: np.ndarray
    mirrored_label: np.ndarray
    colours: Mapping[str, tuple[float, float, float]]


PART_NAMES = _with_sides(
    ("head", "torso"), ("upper_arm", "forearm", "hand", "thigh", "shin", "foot")
)
"""The classes of the body-part model, in their order. ``.L`` is the character's own left."""

FINE_NAMES = _with_sides(
    ("head", "neck", "chest", "abdomen", "pelvis"),
    ("shoulder", "upper_arm", "forearm", "palm", "fingers", "thigh", "shin", "foot", "toes"),
)
"""The classes of the fine model, in their order."""

_FINE_OF_BONE = {
    "root": "pelvis",
    "pelvis": "pelvis",
    "spine05": "pelvis",
    "spine04": "abdomen",
    "spine03": "abdomen",
    "spine02": "chest",
    "spine01": "chest",
    "clavicle": "shoulder",
    "shoulder01": "shoulder",
    "neck": "neck",
    "head": "head",
    "eye": "head",
    "upperarm": "upper_arm",
    "lowerarm": "forearm",
    "wrist": "palm",
    "metacarpal": "palm",
    "finger": "fingers",
    "upperleg": "thigh",
    "lowerleg": "shin",
    "foot": "foot",
    "toe": "toes",
}


PART_OF_FINE = np.array([PART_NAMES.index(coarse_part(name)) for name in FINE_NAMES], np.int32)
"""(23,) index into `PART_NAMES` of each fine part."""

PART_OF_LABEL = np.concatenate([PART_OF_FINE, np.arange(len(PART_NAMES), dtype=np.int32)])
"""(37,) index into `PART_NAMES` of each label: the fine parts, then the coarse ones alone."""

FINE_OF_LABEL = np.concatenate(
    [np.arange(len(FINE_NAMES)), np.full(len(PART_NAMES), -1)], dtype=np.int32
)
"""(37,) index into `FINE_NAMES` of each label, -1 where it is not known."""


def fine_part_of_bone(bone: str) -> int:
    """Index into `FINE_NAMES` of the part that a bone of the rig moves."""
    stem, _, side = bone.partition(".")
    part = _FINE_OF_BONE.get(stem) or _FINE_OF_BONE[stem.rstrip("0123456789-")]
    return FINE_NAMES.index(f"{part}.{side}" if f"{part}.{side}" in FINE_NAMES else part)


MIRRORED_LABEL = np.concatenate(
    [mirrored_classes(FINE_NAMES), np.add(mirrored_classes(PART_NAMES), len(FINE_NAMES))]
).astype(np.int32)
"""(37,) the label of the other side of each label."""

# A calm palette: warm for the body's left side, cool for its right, lighter towards the ends.
COLOURS = {
    "head": (0.96, 0.80, 0.42),
    "torso": (0.62, 0.62, 0.66),
    "upper_arm.L": (0.80, 0.24, 0.28),
    "upper_arm.R": (0.16, 0.36, 0.66),
    "forearm.L": (0.92, 0.45, 0.32),
    "forearm.R": (0.22, 0.58, 0.80),
    "hand.L": (0.98, 0.68, 0.52),
    "hand.R": (0.52, 0.80, 0.92),
    "thigh.L": (0.55, 0.18, 0.42),
    "thigh.R": (0.12, 0.44, 0.40),
    "shin.L": (0.76, 0.36, 0.62),
    "shin.R": (0.26, 0.64, 0.50),
    "foot.L": (0.92, 0.62, 0.80),
    "foot.R": (0.58, 0.84, 0.62),
    "neck": (0.80, 0.58, 0.26),
    "chest": (0.66, 0.66, 0.72),
    "abdomen": (0.50, 0.50, 0.54),
    "pelvis": (0.36, 0.36, 0.42),
    "shoulder.L": (0.78, 0.56, 0.58),
    "shoulder.R": (0.56, 0.62, 0.78),
    "palm.L": (0.98, 0.68, 0.52),
    "palm.R": (0.52, 0.80, 0.92),
    "fingers.L": (1.00, 0.84, 0.70),
    "fingers.R": (0.76, 0.92, 0.98),
    "toes.L": (0.98, 0.80, 0.90),
    "toes.R": (0.80, 0.94, 0.80),
}
"""sRGB of every coarse and fine part."""

PEOPLE = Anatomy(PART_NAMES, PART_OF_LABEL, MIRRORED_LABEL, COLOURS)

LEGS = ("front", "hind")
LEG_PARTS = ("upper_leg", "lower_leg", "foot")
ANIMAL_PART_NAMES = _with_sides(
    ("head", "neck", "torso", "tail"),
    tuple(f"{leg}_{part}" for leg in LEGS for part in LEG_PARTS),
)
"""The classes of the model of four-legged animals, in their order."""

NO_PART = len(ANIMAL_PART_NAMES)
"""The label of an animal's skin whose part is not known."""

# Front legs have the colours of arms, hind legs those of legs.
ANIMAL_COLOURS = {
    "head": COLOURS["head"],
    "neck": COLOURS["neck"],
    "torso": COLOURS["torso"],
    "tail": (0.52, 0.72, 0.30),
} | {
    f"{leg}_{part}.{side}": COLOURS[f"{like}.{side}"]
    for leg, limb in zip(
        LEGS, (("upper_arm", "forearm", "hand"), ("thigh", "shin", "foot")), strict=True
    )
    for part, like in zip(LEG_PARTS, limb, strict=True)
    for side in SIDES
}
"""sRGB of every part of an animal."""

ANIMALS = Anatomy(
    ANIMAL_PART_NAMES,
    np.append(np.arange(NO_PART), -1).astype(np.int32),
    np.append(mirrored_classes(ANIMAL_PART_NAMES), NO_PART).astype(np.int32),
    ANIMAL_COLOURS,
)

THINGS = Anatomy(
    ("thing",), np.zeros(1, np.int32), np.zeros(1, np.int32), {"thing": (0.7, 0.7, 0.7)}
)
"""Of what has no parts that are taught."""
