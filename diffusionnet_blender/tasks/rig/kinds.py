"""Kinds of skeletons: which bones of a humanoid each has, and what it calls them.

`HUMANOID` has the bones of all of them under names of its own; a kind names those that it has. A
bone whose parent a kind lacks hangs on the one above that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

FINGERS = ("thumb", "index", "middle", "ring", "pinky")
# Groups of bones that are left out on request.
FINGER, TOE, FACE = "fingers", "toes", "face"


@dataclass(frozen=True)
class BoneSpec:
    """A bone of the humanoid; of one with sides, the left one.

    Attributes
    ----------
    name, parent : str
    head, tail : str
        Landmarks, or points of the template. A bone ends where the next of its chain begins.
    parts : tuple of str
        Parts of the body that it moves; shared with others it moves what is nearest.
    z : str
        Direction to which its tip goes when it is turned about x by a positive angle: "front",
        "back" or "up" of the figure, or "palm".
    group : str
        `FINGER`, `TOE`, `FACE`, or "" for bones that every figure has.
    """

    name: str
    parent: str
    head: str
    tail: str
    parts: tuple[str, ...]
    z: str
    group: str = ""


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


def _mirrored(spec: BoneSpec) -> BoneSpec:
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


HUMANOID: tuple[BoneSpec, ...] = tuple(
    each
    for spec in _BONES
    for each in ((spec, _mirrored(spec)) if spec.name.endswith(".L") else (spec,))
)
"""All bones, each after its parent."""


@dataclass(frozen=True)
class Kind:
    """A kind of skeleton.

    Attributes
    ----------
    names : dict of str to str
        What it calls the bones of the humanoid that it has.
    """

    names: dict[str, str]


def _both(names: dict[str, str], left: str, right: str) -> dict[str, str]:
    """Names of both sides, from names of the left ones with "{}" where the side stands."""
    found = {}
    for bone, name in names.items():
        if bone.endswith(".L"):
            found[bone] = name.format(left)
            found[f"{bone[:-1]}R"] = name.format(right)
        else:
            found[bone] = name
    return found


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
        _both(
            {bone: bone.replace(".L", ".{}") for bone in _PLAIN} | _of_fingers("<f>.0<n>.{}"),
            "L",
            "R",
        )
    ),
    # The metarig "Human" of Rigify.
    "rigify": Kind(
        _both(
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
        )
    ),
    "mixamo": Kind(
        {
            bone: f"mixamorig:{name}"
            for bone, name in _both(
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
        }
    ),
    "unreal": Kind(
        _both(
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
        )
    ),
    "vrm": Kind(
        _both(
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
        )
    ),
}
