"""A short animation that bends a rig where it must bend: arms, elbows, a squat, the head."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Quaternion, Vector

from ..errors import DiffusionNetError
from ..tasks.rig.kinds import KINDS
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
    rest = _Rest(rig, bones)
    for role, bone in bones.items():
        stem, _, side = role.partition(".")
        turn = Quaternion()
        for (of, way), degrees in turns.items():
            axis = rest.axis(role, way, side) if of == stem else None
            if axis is not None:
                local = bone.bone.matrix_local.to_3x3().inverted() @ Vector(axis)
                turn = Quaternion(local, np.radians(degrees)) @ turn
        bone.rotation_quaternion = turn


class _Rest:
    """Directions of a figure at rest, in the space of its armature, from its bones."""

    def __init__(self, rig: bpy.types.Object, bones: dict[str, bpy.types.PoseBone]):
        self._heads = {role: np.array(bone.bone.head_local) for role, bone in bones.items()}
        self._tails = {role: np.array(bone.bone.tail_local) for role, bone in bones.items()}
        left = np.array([1.0, 0.0, 0.0])
        for stem in ("thigh", "upper_arm", "shin"):
            ends = self._heads.get(f"{stem}.L"), self._heads.get(f"{stem}.R")
            if ends[0] is not None and ends[1] is not None:
                left = ends[0] - ends[1]
                break
        self._left = left / np.linalg.norm(left)
        up = np.array([0.0, 0.0, 1.0])
        low = self._heads.get("thigh.L", self._heads.get("hips"))
        high = self._heads.get("head", self._heads.get("neck"))
        if low is not None and high is not None:
            up = high - low
        up = up - (up @ self._left) * self._left
        self._up = up / np.linalg.norm(up)
        self._front = np.cross(self._left, self._up)

    def axis(self, role: str, way: str, side: str) -> np.ndarray | None:
        """Axis (3,) of a turn."""
        if way == "turn":
            return self._up
        if way == "nod":
            return self._left
        if way == "raise":
            return -self._front if side == "R" else self._front
        if way == "swing":
            return -self._left
        stem = role.partition(".")[0]
        if stem == "foot":
            return self._left
        above = {"forearm": "upper_arm", "shin": "thigh"}.get(stem)
        if above is None or f"{above}.{side}" not in self._heads:
            return None
        first = self._heads[role] - self._heads[f"{above}.{side}"]
        second = self._tails[role] - self._heads[role]
        hinge = np.cross(first, second)
        length = np.linalg.norm(hinge)
        return hinge / length if length > 0 else self._left
