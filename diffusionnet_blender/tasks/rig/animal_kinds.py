"""Bones of skeletons of animals on four legs, and the kinds of these.

Their own names are those of the bones of Blender's armatures for animals; a front leg lies between
the places of an arm (`animal_landmarks`).
"""

from __future__ import annotations

from .bone_specs import BoneSpec, both_sides, mirrored

_CHAINS = {
    "spine": ("hips", "spine1", "spine2", "spine3", "spine4", "spine5"),
    "neck": ("neck", "neck1", "neck2", "neck3"),
    "tail": ("tail", "tail1", "tail2", "tail3", "tail4"),
}
ANIMAL_CHAINS = (
    *_CHAINS.values(),
    *((f"{leg}_toe.{s}", f"{leg}_hoof.{s}") for leg in ("front", "hind") for s in "LR"),
)
"""Bones that lie one after the other; a bone ends where the next one begins that a kind has."""


def _chain(
    names: tuple[str, ...], parent: str, places: tuple[str, ...], end: str, part: str, z: str
) -> list[BoneSpec]:
    above = (parent, *names[:-1])
    return [
        BoneSpec(name, before, place, end, (part,), z)
        for name, before, place in zip(names, above, places, strict=True)
    ]


# Bones of legs. Those of four have the joint that was found and another one.
_LEGS = (
    ("shoulder.L", "spine5", "blade.L", "shoulder.L", ("front_upper_leg.L",)),
    ("upper_arm.L", "shoulder.L", "shoulder.L", "elbow.L", ("front_upper_leg.L",)),
    ("forearm.L", "upper_arm.L", "elbow.L", "wrist.L", ("front_lower_leg.L",)),
    ("front_foot.L", "forearm.L", "wrist.L", "fingertips.L", ("front_foot.L",)),
    ("front_thigh.L", "shoulder.L", "shoulder.L", "front_elbow.L", ("front_upper_leg.L",)),
    (
        "front_shin.L",
        "front_thigh.L",
        "front_elbow.L",
        "carpus.L",
        ("front_upper_leg.L", "front_lower_leg.L"),
    ),
    ("front_cannon.L", "front_shin.L", "carpus.L", "wrist.L", ("front_lower_leg.L",)),
    ("front_toe.L", "front_cannon.L", "wrist.L", "fingertips.L", ("front_foot.L",)),
    ("front_hoof.L", "front_toe.L", "front_hoof.L", "fingertips.L", ("front_foot.L",)),
    ("pelvis.L", "hips", "back0", "ilium.L", ()),
    ("thigh.L", "pelvis.L", "hip.L", "knee.L", ("hind_upper_leg.L",)),
    ("shin.L", "thigh.L", "knee.L", "ankle.L", ("hind_lower_leg.L",)),
    ("foot.L", "shin.L", "ankle.L", "toe_tip.L", ("hind_foot.L",)),
    ("hind_thigh.L", "pelvis.L", "hip.L", "stifle.L", ("hind_upper_leg.L",)),
    ("hind_shin.L", "hind_thigh.L", "stifle.L", "hock.L", ("hind_upper_leg.L", "hind_lower_leg.L")),
    ("hind_cannon.L", "hind_shin.L", "hock.L", "ankle.L", ("hind_lower_leg.L",)),
    ("hind_toe.L", "hind_cannon.L", "ankle.L", "toe_tip.L", ("hind_foot.L",)),
    ("hind_hoof.L", "hind_toe.L", "hind_hoof.L", "toe_tip.L", ("hind_foot.L",)),
)
_LEG_BONES = [
    BoneSpec(name, parent, head, tail, parts, "up" if "toe" in name or "hoof" in name else "back")
    for name, parent, head, tail, parts in _LEGS
]

QUADRUPED: tuple[BoneSpec, ...] = (
    *_chain(_CHAINS["spine"], "", tuple(f"back{n}" for n in range(6)), "neck", "torso", "down"),
    *_chain(_CHAINS["neck"], "spine5", ("neck", "neck1", "neck2", "neck3"), "head", "neck", "down"),
    BoneSpec("head", "neck3", "head", "muzzle", ("head",), "down"),
    *_chain(
        _CHAINS["tail"],
        "hips",
        ("tail", "tail1", "tail2", "tail3", "tail4"),
        "tail_tip",
        "tail",
        "up",
    ),
    *(each for bone in _LEG_BONES for each in (bone, mirrored(bone))),
)
"""All bones, each after its parent."""

ANIMAL_LIMBS = (
    ("front_thigh", "front_shin", "front_cannon", "front_toe"),
    ("hind_thigh", "hind_shin", "hind_cannon", "hind_toe"),
)
"""Limbs that Rigify makes as a whole or not at all."""

_PLAIN_LEGS = {
    bone: bone.replace(".L", ".{}")
    for bone in (
        *("shoulder.L", "upper_arm.L", "forearm.L", "front_foot.L"),
        *("thigh.L", "shin.L", "foot.L"),
    )
}
PLAIN = both_sides(
    {
        "hips": "hips",
        "spine2": "spine",
        "spine4": "chest",
        "neck": "neck",
        "neck2": "neck.001",
        "head": "head",
        "tail": "tail",
        **{f"tail{n}": f"tail.{n:03}" for n in range(1, 5)},
        **_PLAIN_LEGS,
    },
    "L",
    "R",
)
# The metarig "Basic Quadruped" of Rigify counts its spine from the tip of the tail on.
BASIC_QUADRUPED = both_sides(
    {
        "tail": "spine.003",
        "tail1": "spine.002",
        "tail2": "spine.001",
        "tail3": "spine",
        "hips": "spine.004",
        "spine1": "spine.005",
        "spine2": "spine.006",
        "spine3": "spine.007",
        "spine4": "spine.008",
        "neck": "spine.009",
        "neck2": "spine.010",
        "head": "spine.011",
        "shoulder.L": "shoulder.{}",
        "front_thigh.L": "front_thigh.{}",
        "front_shin.L": "front_shin.{}",
        "front_cannon.L": "front_foot.{}",
        "front_toe.L": "front_toe.{}",
        "hind_thigh.L": "thigh.{}",
        "hind_shin.L": "shin.{}",
        "hind_cannon.L": "foot.{}",
        "hind_toe.L": "toe.{}",
    },
    "L",
    "R",
)
# Its metarig "Horse".
HORSE = both_sides(
    {
        "hips": "spine.001",
        **{f"spine{n}": f"spine.{n + 1:03}" for n in range(1, 6)},
        "neck": "neck.001",
        **{f"neck{n}": f"neck.{n + 1:03}" for n in range(1, 4)},
        "head": "head",
        "tail": "tail.001",
        **{f"tail{n}": f"tail.{n + 1:03}" for n in range(1, 5)},
        "shoulder.L": "shoulder.{}",
        "front_thigh.L": "upper_arm.{}",
        "front_shin.L": "forearm.{}",
        "front_cannon.L": "forefoot.{}",
        "front_toe.L": "f_toe.{}",
        "front_hoof.L": "f_hoof.{}",
        "pelvis.L": "pelvis.{}",
        "hind_thigh.L": "thigh.{}",
        "hind_shin.L": "lower_leg.{}",
        "hind_cannon.L": "hind_foot.{}",
        "hind_toe.L": "r_toe.{}",
        "hind_hoof.L": "r_hoof.{}",
    },
    "L",
    "R",
)
# Its metarig "Cat"; "Wolf" has the names of "Basic Quadruped". Faces, toes, breast and belly are
# placed by proportion.
CAT = both_sides(
    {
        "hips": "spine",
        "spine1": "spine.001",
        "spine2": "spine.002",
        "spine4": "spine.003",
        "neck": "spine.004",
        "neck2": "spine.005",
        "head": "spine.006",
        "tail": "tail.001",
        **{f"tail{n}": f"tail.{n + 1:03}" for n in range(1, 4)},
        "shoulder.L": "shoulder.{}",
        "front_thigh.L": "upper_arm.{}",
        "front_shin.L": "forearm.{}",
        "front_cannon.L": "hand.{}",
        "front_toe.L": "f_toe.{}",
        "hind_thigh.L": "thigh.{}",
        "hind_shin.L": "shin.{}",
        "hind_cannon.L": "foot.{}",
        "hind_toe.L": "r_toe.{}",
    },
    "L",
    "R",
)
