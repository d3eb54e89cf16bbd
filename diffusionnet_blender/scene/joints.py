"""Joints of a fitted skeleton, moved while its bones are edited."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Vector

from ..errors import DiffusionNetError
from ..tasks.rig.kinds import KINDS
from ..tasks.rig.middle import middle_of_limb
from .fits import Fit
from .skeletons import KIND

# Ends of bones nearer to each other than this share of the skeleton are one joint.
ONE_JOINT = 1e-4
# An end of a bone: the bone, and "head" or "tail".
End = tuple[bpy.types.EditBone, str]


def snap_joints(rig: bpy.types.Object, fit: Fit) -> tuple[int, int]:
    """Move the selected joints of a skeleton to the middle of the limb around each.

    With X-mirror those of the other side, too, each to the middle of its own limb.

    Parameters
    ----------
    rig : bpy.types.Object
        In Edit Mode.
    fit : Fit
        Of the character that it was made for.

    Returns
    -------
    moved, left : int
        Joints, and those without a limb around them.

    Raises
    ------
    DiffusionNetError
        If no joint is selected, or the character has changed.
    """
    fit.members()
    bones = rig.data.edit_bones
    chosen = [
        (bone, end)
        for bone in bones
        for end in ("head", "tail")
        if getattr(bone, f"select_{end}") and not bone.hide
    ]
    if rig.data.use_mirror_x:
        chosen += [other for one in chosen if (other := _mirrored(rig, one)) is not None]
    joints = _joints(chosen, bones)
    if not joints:
        raise DiffusionNetError(
            "No joint is selected", "In Edit Mode, select the joints that are to be moved."
        )
    surface, origin = fit.geometry.placed.surface, np.asarray(fit.geometry.origin)
    to_world = rig.matrix_world
    moved = 0
    is_mirrored = rig.data.use_mirror_x
    # Else Blender moves the other side along with each bone.
    rig.data.use_mirror_x = False
    for ends in joints:
        found = middle_of_limb(
            surface.vertices,
            surface.faces,
            np.array(to_world @ _place(ends[0])) - origin,
            np.array(to_world.to_3x3() @ _direction(ends)),
        )
        if found is not None:
            moved += 1
            _move(ends, to_world.inverted_safe() @ Vector(found + origin))
    rig.data.use_mirror_x = is_mirrored
    return moved, len(joints) - moved


def _place(end: End) -> Vector:
    return getattr(end[0], end[1]).copy()


def _joints(chosen: list[End], bones: bpy.types.ArmatureEditBones) -> list[list[End]]:
    """Chosen ends with all that lie where they do, each joint once."""
    ends = [(bone, end) for bone in bones for end in ("head", "tail")]
    places = np.array([_place(end) for end in ends]).reshape(-1, 3)
    near = ONE_JOINT * float(np.ptp(places, axis=0).max(initial=0.0))
    found: dict[tuple[int, ...], list[End]] = {}
    for one in chosen:
        away = np.linalg.norm(places - np.array(_place(one)), axis=1)
        here = np.flatnonzero(away <= near)
        found[tuple(here.tolist())] = [ends[number] for number in here]
    return list(found.values())


def _mirrored(rig: bpy.types.Object, end: End) -> End | None:
    """The end of the bone of the other side; None where there is none."""
    names = KINDS[rig[KIND]].names
    role = next((role for role, name in names.items() if name == end[0].name), "")
    stem, _, side = role.partition(".")
    other = rig.data.edit_bones.get(names.get(f"{stem}.{'R' if side == 'L' else 'L'}", ""))
    return None if not side or other is None else (other, end[1])


def _direction(ends: list[End]) -> Vector:
    """The way along the limb at a joint: of the bones that end there, and of those that go on."""
    found = Vector()
    for which in ("tail", "head"):
        ways = [(b.tail - b.head).normalized() for b, end in ends if end == which]
        found += sum(ways, Vector()).normalized()
    return found


def _move(ends: list[End], place: Vector) -> None:
    axes = [(bone, bone.z_axis.copy()) for bone, _ in ends]
    for bone, end in ends:
        setattr(bone, end, place)
    for bone, axis in axes:
        bone.align_roll(axis)
