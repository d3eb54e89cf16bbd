"""A short animation that bends a rig where it must bend: arms, elbows, a squat, the head; legs."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Quaternion, Vector

from ..errors import DiffusionNetError
from ..tasks.rig.kinds import KINDS
from .rest_directions import RestDirections
from .skeletons import KIND
from .transaction import transaction

NAME = "Rig Check"
STEP = 12
# Of Rigify's controls, those of the middle; those that turn single bones of limbs end in _fk.
CONTROLS = {"neck": "neck", "head": "head", "hips": "torso"}
# Turns in degrees of the poses, one after the other: role and axis. "raise" is to the side and up,
# "bend" closes the limb, "swing" moves it to the front, "turn" is to the left, "nod" to the front.
POSES: tuple[tuple[str, dict[tuple[str, str], float]], ...] = (
    ("Rest", {}),
    ("Arms Up", {("upper_arm", "raise"): 60.0}),
    ("Elbows Bent", {("upper_arm", "raise"): 20.0, ("forearm", "bend"): 80.0}),
    (
        "Squat",
        {("thigh", "swing"): 70.0, ("shin", "bend"): 90.0, ("foot", "bend"): -25.0}
        | {("upper_arm", "swing"): 50.0},
    ),
    ("Head Turned", {("head", "turn"): 50.0}),
    ("Head Bowed", {("neck", "nod"): 20.0, ("head", "nod"): 25.0}),
    ("Rest", {}),
)
_FRONT = {("upper_arm", "swing"): 35.0, ("front_thigh", "swing"): 35.0}
_HIND = {("thigh", "swing"): -25.0, ("hind_thigh", "swing"): -25.0}
ANIMAL_POSES: tuple[tuple[str, dict[tuple[str, str], float]], ...] = (
    ("Rest", {}),
    ("Front Legs Bent", _FRONT | {("forearm", "bend"): 60.0, ("front_cannon", "bend"): 60.0}),
    ("Hind Legs Bent", _HIND | {("shin", "bend"): 40.0, ("hind_cannon", "bend"): 40.0}),
    ("Head Turned", {("neck", "turn"): 25.0, ("head", "turn"): 30.0}),
    ("Head Bowed", {("neck", "nod"): 25.0, ("head", "nod"): 20.0}),
    ("Tail Raised", {("tail", "nod"): 30.0}),
    ("Rest", {}),
)
# The bone before one that closes a limb.
ABOVE = {
    "forearm": "upper_arm",
    "shin": "thigh",
    "front_cannon": "front_shin",
    "hind_cannon": "hind_shin",
}


def write_check(rig: bpy.types.Object) -> list[str]:
    """Write the animation as an action of a rig; the names of its poses.

    Parameters
    ----------
    rig : bpy.types.Object
        A skeleton, or the rig that Rigify has generated from one.

    Raises
    ------
    DiffusionNetError
        If the rig has an action, or none of the bones.
    """
    if rig.animation_data is not None and rig.animation_data.action is not None:
        raise DiffusionNetError(
            f"{rig.name!r} has the action {rig.animation_data.action.name!r}",
            "Push it down or unlink it in the Action Editor first.",
        )
    bones = bones_of_roles(rig)
    if not any(role.startswith(("upper_arm", "thigh", "head")) for role in bones):
        raise DiffusionNetError(
            f"{rig.name!r} is no skeleton that Rig has made", "Choose one, or fit one first."
        )
    poses = ANIMAL_POSES if KINDS[kind_of(rig)].four_legs else POSES
    with transaction(rig):
        use_forward_kinematics(rig)
        for number, (_, turns) in enumerate(poses):
            set_pose(rig, turns)
            for bone in bones.values():
                path = "rotation_quaternion"
                bone.keyframe_insert(path, frame=1 + number * STEP)
        rig.animation_data.action.name = NAME
        for marker, (name, _) in enumerate(poses):
            found = rig.animation_data.action.pose_markers.new(name)
            found.frame = 1 + marker * STEP
        set_pose(rig, {})
    return [name for name, _ in poses]


def kind_of(rig: bpy.types.Object) -> str:
    """The kind of a skeleton of ours, or that of a rig that Rigify has generated; else empty."""
    if rig.get(KIND) is not None or "rig_id" not in rig.data:
        return str(rig.get(KIND, ""))
    # Rigify keeps a copy of each bone of the metarig.
    there = {name.removeprefix("ORG-") for name in rig.data.bones.keys() if "ORG-" in name}
    metarigs = [name for name, kind in KINDS.items() if kind.metarig]
    return max(metarigs, key=lambda name: len(there & set(KINDS[name].names.values())))


def bones_of_roles(rig: bpy.types.Object) -> dict[str, bpy.types.PoseBone]:
    """Pose bones that are turned, by what the humanoid calls them."""
    kind = kind_of(rig)
    is_generated = rig.get(KIND) is None
    names = KINDS[kind].names if kind else {}
    found = {}
    for role, name in names.items():
        stem, _, side = role.partition(".")
        if is_generated:
            name = (
                f"{name.removesuffix(f'.{side}')}_fk.{side}" if side else CONTROLS.get(stem, name)
            )
        if name in rig.pose.bones:
            found[role] = rig.pose.bones[name]
            found[role].rotation_mode = "QUATERNION"
    return found


def use_forward_kinematics(rig: bpy.types.Object) -> None:
    """Let the limbs of a rig of Rigify follow the bones that turn one joint each."""
    for bone in rig.pose.bones:
        if "IK_FK" in bone:
            bone["IK_FK"] = 1.0
            bone.keyframe_insert('["IK_FK"]', frame=1)


def set_pose(rig: bpy.types.Object, turns: dict[tuple[str, str], float]) -> None:
    """Pose a rig by turns in degrees of roles of both sides, see `POSES`; the others at rest."""
    bones = bones_of_roles(rig)
    kind = kind_of(rig)
    rest = RestDirections(bones, bool(kind) and KINDS[kind].four_legs)
    for role, bone in bones.items():
        stem, _, side = role.partition(".")
        turn = Quaternion()
        for (of, way), degrees in turns.items():
            axis = _axis(rest, role, way, side) if of == stem else None
            if axis is not None:
                local = bone.bone.matrix_local.to_3x3().inverted() @ Vector(axis)
                turn = Quaternion(local, np.radians(degrees)) @ turn
        bone.rotation_quaternion = turn


def _axis(rest: RestDirections, role: str, way: str, side: str) -> np.ndarray | None:
    """Axis (3,) of a turn in the space of the armature."""
    if way == "turn":
        return rest.up
    if way == "nod":
        return rest.left
    if way == "raise":
        return -rest.front if side == "R" else rest.front
    if way == "swing":
        return -rest.left
    stem = role.partition(".")[0]
    if stem == "foot":
        return rest.left
    above = ABOVE.get(stem)
    if above is None or f"{above}.{side}" not in rest.heads:
        return None
    first = rest.heads[role] - rest.heads[f"{above}.{side}"]
    second = rest.tails[role] - rest.heads[role]
    hinge = np.cross(first, second)
    length = np.linalg.norm(hinge)
    return hinge / length if length > 0 else rest.left
