"""Kinds of skeletons: which bones of a figure each has, and what it calls them.

`HUMANOID` and `animal_kinds.QUADRUPED` have the bones of all of them under names of their own; a
kind names those that it has. A bone whose parent a kind lacks hangs on the one above that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ...errors import DiffusionNetError
from .animal_kinds import (
    ANIMAL_CHAINS,
    ANIMAL_LIMBS,
    BASIC_QUADRUPED,
    CAT,
    HORSE,
    PLAIN,
    QUADRUPED,
)
from .bone_specs import BoneSpec, both_sides, mirrored

FINGERS = ("thumb", "index", "middle", "ring", "pinky")
# Groups of bones that are left out on request.
FINGER, TOE, FACE = "fingers", "toes", "face"


def _fingers() -> Iterator[BoneSpec]:
    for finger in FINGERS:
        parent = "hand.L"
        if finger != "thumb":
            ends = f"palm_{finger}.L", f"{finger}1.L"
            yield BoneSpec(ends[0], parent, *ends, ("palm.L",), "palm", FINGER)
            parent = ends[0]
        for number in (1, 2, 3):
            name = f"{finger}{number}.L"
            ends = f"{finger}{number}.L", f"{finger}{number + 1}.L"
            parts = ("fingers.L", "palm.L") if finger == "thumb" else ("fingers.L",)
            yield BoneSpec(name, parent, *ends, parts, "palm", FINGER)
            parent = name


_BONES = (
    BoneSpec("root", "", "floor", "floor_front", (), "up", "root"),
    BoneSpec("hips", "root", "hips", "waist", ("pelvis",), "front"),
    BoneSpec("spine", "hips", "waist", "chest", ("abdomen",), "front"),
    BoneSpec("spine1", "spine", "middle", "chest", ("abdomen",), "front"),
    BoneSpec("chest", "spine1", "chest", "neck", ("chest",), "front"),
    BoneSpec("neck", "chest", "neck", "head", ("neck",), "front"),
    BoneSpec("neck1", "neck", "nape", "head", ("neck",), "front"),
    BoneSpec("head", "neck1", "head", "crown", ("head", "eye.L", "eye.R"), "front"),
    BoneSpec("eye.L", "head", "eye.L", "front_eye.L", ("eye.L",), "up", FACE),
    BoneSpec("shoulder.L", "chest", "clavicle.L", "shoulder.L", ("shoulder.L",), "front"),
    BoneSpec("upper_arm.L", "shoulder.L", "shoulder.L", "elbow.L", ("upper_arm.L",), "front"),
    BoneSpec("forearm.L", "upper_arm.L", "elbow.L", "wrist.L", ("forearm.L",), "front"),
    BoneSpec("hand.L", "forearm.L", "wrist.L", "knuckles.L", ("palm.L", "fingers.L"), "palm"),
    *_fingers(),
    BoneSpec("thigh.L", "hips", "hip.L", "knee.L", ("thigh.L",), "back"),
    BoneSpec("shin.L", "thigh.L", "knee.L", "ankle.L", ("shin.L",), "back"),
    BoneSpec("foot.L", "shin.L", "ankle.L", "ball.L", ("foot.L", "toes.L"), "back"),
    BoneSpec("heel.L", "foot.L", "heel_in.L", "heel_out.L", (), "up"),
    BoneSpec("toe.L", "foot.L", "ball.L", "toe_tip.L", ("toes.L",), "back", TOE),
)


HUMANOID: tuple[BoneSpec, ...] = tuple(
    each
    for spec in _BONES
    for each in ((spec, mirrored(spec)) if spec.name.endswith(".L") else (spec,))
)
"""All bones, each after its parent."""


CHAINS = (("spine", "spine1"), ("neck", "neck1"))
"""Bones that lie one after the other; a bone ends where the next one begins that a kind has."""


@dataclass(frozen=True)
class Kind:
    """A kind of skeleton.

    Attributes
    ----------
    names : dict of str to str
        What it calls the bones that it has.
    title : str
    metarig : str
        Name of Rigify's metarig that it is, as of its operator; empty for none.
    limbs : tuple of tuple of str
        Limbs of a metarig that Rigify makes as a whole or not at all, without their sides.
    four_legs : bool
        Whether it is one of animals.
    by_proportion : bool
        Whether it has the bones of its metarig that are not named here as well, see `proportion`.
    """

    names: dict[str, str]
    title: str
    metarig: str = ""
    limbs: tuple[tuple[str, ...], ...] = ()
    four_legs: bool = False
    by_proportion: bool = False
    role_of: dict[str, str] = field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "role_of", {name: role for role, name in self.names.items()})

    @property
    def bones(self) -> tuple[BoneSpec, ...]:
        """Bones of all kinds of its family."""
        return QUADRUPED if self.four_legs else HUMANOID

    @property
    def chains(self) -> tuple[tuple[str, ...], ...]:
        """Bones of its family that lie one after the other."""
        return ANIMAL_CHAINS if self.four_legs else CHAINS


def _of_fingers(name: str, fingers: tuple[str, ...] = FINGERS) -> dict[str, str]:
    """Names of the bones of fingers; "<f>" and "<n>" stand for finger and number."""
    return {
        f"{finger}{number}.L": name.replace("<f>", called).replace("<n>", str(number))
        for finger, called in zip(FINGERS, fingers, strict=True)
        for number in (1, 2, 3)
    }


_CAPITAL = tuple(map(str.title, FINGERS))
_PLAIN = (
    *("hips", "spine", "chest", "neck", "head", "eye.L", "shoulder.L"),
    *("upper_arm.L", "forearm.L", "hand.L", "thigh.L", "shin.L", "foot.L", "toe.L"),
)
_VRM_FINGERS = {
    f"{finger}{number}.L": f"{{}}{called}{joint}"
    for finger, called in zip(FINGERS, (*_CAPITAL[:-1], "Little"), strict=True)
    for number, joint in zip(
        (1, 2, 3),
        ("Metacarpal", "Proximal", "Distal")
        if finger == "thumb"
        else ("Proximal", "Intermediate", "Distal"),
        strict=True,
    )
}

KINDS: dict[str, Kind] = {
    "plain": Kind(
        both_sides(
            {bone: bone.replace(".L", ".{}") for bone in _PLAIN} | _of_fingers("<f>.0<n>.{}"),
            "L",
            "R",
        ),
        "Plain",
    ),
    # The metarig "Human" of Rigify.
    "rigify": Kind(
        both_sides(
            {
                "hips": "spine",
                "spine": "spine.001",
                "spine1": "spine.002",
                "chest": "spine.003",
                "neck": "spine.004",
                "neck1": "spine.005",
                "head": "spine.006",
                "shoulder.L": "shoulder.{}",
                "upper_arm.L": "upper_arm.{}",
                "forearm.L": "forearm.{}",
                "hand.L": "hand.{}",
                "thigh.L": "thigh.{}",
                "shin.L": "shin.{}",
                "foot.L": "foot.{}",
                "toe.L": "toe.{}",
                "heel.L": "heel.02.{}",
                **{
                    f"palm_{finger}.L": f"palm.0{number}.{{}}"
                    for number, finger in enumerate(FINGERS)
                    if number
                },
                **_of_fingers("<f>.0<n>.{}", ("thumb", "f_index", "f_middle", "f_ring", "f_pinky")),
            },
            "L",
            "R",
        ),
        "Rigify",
        "human",
        (("upper_arm", "forearm", "hand"), ("thigh", "shin", "foot", "toe")),
    ),
    "mixamo": Kind(
        {
            bone: f"mixamorig:{name}"
            for bone, name in both_sides(
                {
                    "hips": "Hips",
                    "spine": "Spine",
                    "spine1": "Spine1",
                    "chest": "Spine2",
                    "neck": "Neck",
                    "head": "Head",
                    "eye.L": "{}Eye",
                    "shoulder.L": "{}Shoulder",
                    "upper_arm.L": "{}Arm",
                    "forearm.L": "{}ForeArm",
                    "hand.L": "{}Hand",
                    "thigh.L": "{}UpLeg",
                    "shin.L": "{}Leg",
                    "foot.L": "{}Foot",
                    "toe.L": "{}ToeBase",
                    **_of_fingers("{}Hand<f><n>", _CAPITAL),
                },
                "Left",
                "Right",
            ).items()
        },
        "Mixamo",
    ),
    "unreal": Kind(
        both_sides(
            {
                "root": "root",
                "hips": "pelvis",
                "spine": "spine_01",
                "spine1": "spine_02",
                "chest": "spine_03",
                "neck": "neck_01",
                "head": "head",
                "shoulder.L": "clavicle_{}",
                "upper_arm.L": "upperarm_{}",
                "forearm.L": "lowerarm_{}",
                "hand.L": "hand_{}",
                "thigh.L": "thigh_{}",
                "shin.L": "calf_{}",
                "foot.L": "foot_{}",
                "toe.L": "ball_{}",
                **_of_fingers("<f>_0<n>_{}"),
            },
            "l",
            "r",
        ),
        "Unreal Mannequin",
    ),
    "vrm": Kind(
        both_sides(
            {
                "hips": "hips",
                "spine": "spine",
                "spine1": "chest",
                "chest": "upperChest",
                "neck": "neck",
                "head": "head",
                "eye.L": "{}Eye",
                "shoulder.L": "{}Shoulder",
                "upper_arm.L": "{}UpperArm",
                "forearm.L": "{}LowerArm",
                "hand.L": "{}Hand",
                "thigh.L": "{}UpperLeg",
                "shin.L": "{}LowerLeg",
                "foot.L": "{}Foot",
                "toe.L": "{}Toes",
                **_VRM_FINGERS,
            },
            "left",
            "right",
        ),
        "VRM Humanoid",
    ),
    "animal": Kind(PLAIN, "Plain", four_legs=True),
    "quadruped": Kind(BASIC_QUADRUPED, "Rigify", "basic_quadruped", ANIMAL_LIMBS, True),
    "rigify_horse": Kind(HORSE, "Rigify Horse", "horse", ANIMAL_LIMBS, True),
    "rigify_wolf": Kind(BASIC_QUADRUPED, "Rigify Wolf", "wolf", ANIMAL_LIMBS, True, True),
    "rigify_cat": Kind(CAT, "Rigify Cat", "cat", ANIMAL_LIMBS, True, True),
}
# Choices that mean another skeleton for an animal.
_OF_ANIMALS = {
    "plain": "animal",
    "rigify": "quadruped",
    **{kind: kind for kind in ("rigify_horse", "rigify_wolf", "rigify_cat")},
}


def kind_for(choice: str, four_legs: bool) -> str:
    """The kind of `KINDS` that a choice means for a figure.

    Parameters
    ----------
    choice : str
        See `request.Bones`.
    four_legs : bool
        Whether the figure is an animal.

    Raises
    ------
    DiffusionNetError
        If its family has no such kind.
    """
    if choice not in KINDS or choice in _OF_ANIMALS.values() - _OF_ANIMALS.keys():
        choices = [kind for kind in KINDS if kind not in _OF_ANIMALS.values()]
        raise DiffusionNetError(
            f"There is no kind of skeleton {choice!r}",
            f"Choose one of {', '.join(dict.fromkeys([*choices, *_OF_ANIMALS]))}.",
        )
    if four_legs and choice not in _OF_ANIMALS:
        raise DiffusionNetError(
            f"{KINDS[choice].title} has no bones of an animal",
            f"Choose {', '.join(KINDS[kind].title for kind in _OF_ANIMALS.values())}.",
        )
    if KINDS[choice].four_legs and not four_legs:
        raise DiffusionNetError(
            f"{KINDS[choice].title} is a skeleton of animals",
            "Choose another kind for a person, or the model Animal parts for an animal.",
        )
    return _OF_ANIMALS[choice] if four_legs else choice
