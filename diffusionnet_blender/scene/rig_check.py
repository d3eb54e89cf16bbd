"""A short animation that bends a rig where it must bend: arms, elbows, a squat, the head."""

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
# Of Rigify's controls, those that turn single bones.
CONTROLS = {
    "upper_arm": "upper_arm_fk",
    "forearm": "forearm_fk",
    "hand": "hand_fk",
    "thigh": "thigh_fk",
    "shin": "shin_fk",
    "foot": "foot_fk",
    "neck": "neck",
    "head": "head",
    "hips": "torso",
}
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
    with transaction(rig):
        use_forward_kinematics(rig)
        for number, (_, turns) in enumerate(POSES):
            set_pose(rig, turns)
            for bone in bones.values():
                path = "rotation_quaternion"
                bone.keyframe_insert(path, frame=1 + number * STEP)
        rig.animation_data.action.name = NAME
        for marker, (name, _) in enumerate(POSES):
            found = rig.animation_data.action.pose_markers.new(name)
            found.frame = 1 + marker * STEP
        set_pose(rig, {})
    return [name for name, _ in POSES]


def bones_of_roles(rig: bpy.types.Object) -> dict[str, bpy.types.PoseBone]:
    """Pose bones that are turned, by what the humanoid calls them."""
    kind = rig.get(KIND)
    is_generated = kind is None and "rig_id" in rig.data
    names = KINDS["rigify" if is_generated else kind].names if is_generated or kind else {}
    found = {}
    for role, name in names.items():
        stem, _, side = role.partition(".")
        if is_generated:
            if stem not in CONTROLS:
                continue
            name = f"{CONTROLS[stem]}.{side}" if side else CONTROLS[stem]
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
    rest = RestDirections(bones)
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
    above = {"forearm": "upper_arm", "shin": "thigh"}.get(stem)
    if above is None or f"{above}.{side}" not in rest.heads:
        return None
    first = rest.heads[role] - rest.heads[f"{above}.{side}"]
    second = rest.tails[role] - rest.heads[role]
    hinge = np.cross(first, second)
    length = np.linalg.norm(hinge)
    return hinge / length if length > 0 else rest.left
