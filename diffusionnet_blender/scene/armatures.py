"""Armatures of objects, and their bones in rest pose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ..errors import DiffusionNetError
from ..tasks.transfer.layers import Bones


def armatures_of(obj: bpy.types.Object) -> list[bpy.types.Object]:
    """Armatures that deform an object."""
    found = [m.object for m in obj.modifiers if m.type == "ARMATURE" and m.object]
    if obj.parent and obj.parent.type == "ARMATURE" and obj.parent not in found:
        found.append(obj.parent)
    return found


@dataclass(frozen=True)
class Hold:
    """What an object moves with.

    Attributes
    ----------
    rig : bpy.types.Object
        An armature.
    bone : str
        The bone on which the object hangs; "" where it does not hang on one.
    deforms : bool
        Whether the armature deforms the object by its weights.
    """

    rig: bpy.types.Object
    bone: str = ""
    deforms: bool = False


# Constraints by which objects hang on a bone.
_HANGING = {"CHILD_OF", "COPY_TRANSFORMS", "COPY_LOCATION"}


def hold_of(obj: bpy.types.Object) -> Hold | None:
    """The armature that deforms an object or on which it hangs, itself or through its parents.

    The first Armature modifier that is switched on comes before the others, a modifier before a
    parent, and a constraint before the parent's own parents.

    Parameters
    ----------
    obj : bpy.types.Object
        Of any type.

    Returns
    -------
    Hold or None
        None for an object that no armature moves.
    """
    modifiers = [m for m in obj.modifiers if m.type == "ARMATURE" and _is_rig(m.object)]
    if modifiers:
        chosen = next((m for m in modifiers if m.show_viewport), modifiers[0])
        return Hold(chosen.object, deforms=True)
    if _is_rig(obj.parent):
        if obj.parent_type == "BONE":
            return Hold(obj.parent, bone=obj.parent_bone)
        return Hold(obj.parent, deforms=obj.parent_type == "ARMATURE")
    for constraint in obj.constraints:
        if constraint.type in _HANGING and constraint.enabled and _is_rig(constraint.target):
            return Hold(constraint.target, bone=constraint.subtarget)
    if obj.parent is None:
        return None
    above = hold_of(obj.parent)
    # What hangs on a mesh that is deformed follows its object, and none of its vertices.
    return above and Hold(above.rig, bone=above.bone)


def _is_rig(obj: bpy.types.Object | None) -> bool:
    return obj is not None and obj.type == "ARMATURE"


def top_armature(rig: bpy.types.Object) -> bpy.types.Object:
    """The armature that carries others, such as those of clothes."""
    while rig.parent is not None and rig.parent.type == "ARMATURE":
        rig = rig.parent
    return rig


def joints_of(rig: bpy.types.Object) -> dict[str, np.ndarray]:
    """Heads of the bones in rest pose, in the world."""
    to_world = np.array(rig.matrix_world, dtype=np.float64)
    return {
        bone.name: to_world[:3, :3] @ np.array(bone.head_local) + to_world[:3, 3]
        for bone in rig.data.bones
    }


def bone_names(obj: bpy.types.Object) -> set[str]:
    """Bones of the armatures that deform an object."""
    return {bone.name for rig in armatures_of(obj) for bone in rig.data.bones if bone.use_deform}


def armature_of(obj: bpy.types.Object) -> bpy.types.Object:
    """The armature of a source.

    Raises
    ------
    DiffusionNetError
        If there is none, or it has no bones.
    """
    rig = next((rig for rig in armatures_of(obj) if rig.data.bones), None)
    if rig is None:
        raise DiffusionNetError(
            f"{obj.name!r} has no armature",
            "Add an Armature modifier with bones, or switch Armature off.",
        )
    return rig


def rig_of(objects: Sequence[bpy.types.Object]) -> bpy.types.Object:
    """The armature that moves most of some objects, by their vertices.

    Raises
    ------
    DiffusionNetError
        If none has one with bones.
    """
    size: dict[bpy.types.Object, int] = {}
    for obj in objects:
        hold = hold_of(obj)
        if hold is not None and hold.rig.data.bones:
            size[hold.rig] = size.get(hold.rig, 0) + len(obj.data.vertices)
    if not size:
        raise DiffusionNetError(
            f"{objects[0].name!r} and the others of its character have no armature",
            "Add an Armature modifier with bones, or switch Armature off.",
        )
    return max(size, key=lambda rig: size[rig])


def read_bones(rig: bpy.types.Object, origin: np.ndarray, influence: np.ndarray) -> Bones:
    """Bones in rest pose, in the directions of the world.

    Parameters
    ----------
    rig : bpy.types.Object
        An armature. In Edit Mode, as it was before.
    origin : (3,) float
        Place in the world that they are seen from: the origin of the mesh bound to them.
    influence : (V, B) float
        Skin weights of that mesh.
    """
    bones = list(rig.data.bones)
    to_world = np.array(rig.matrix_world, dtype=np.float64)
    linear = to_world[:3, :3]
    shift = to_world[:3, 3] - origin
    heads, tails, upward = (
        np.array([tuple(of(bone)) for bone in bones], dtype=np.float64)
        for of in (
            lambda bone: bone.head_local,
            lambda bone: bone.tail_local,
            lambda bone: bone.matrix_local.to_3x3().col[2],
        )
    )
    return Bones(
        names=tuple(bone.name for bone in bones),
        heads=heads @ linear.T + shift,
        tails=tails @ linear.T + shift,
        upward=upward @ linear.T,
        influence=influence,
    )
