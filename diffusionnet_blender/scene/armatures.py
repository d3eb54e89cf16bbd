"""Armatures of objects, and their bones in rest pose."""

from __future__ import annotations

import bpy
import numpy as np

from ..errors import DiffusionNetError
from ..tasks.transfer.layers import Bones
from .vertex_groups import read_weights


def armatures_of(obj: bpy.types.Object) -> list[bpy.types.Object]:
    """Armatures that deform an object."""
    found = [m.object for m in obj.modifiers if m.type == "ARMATURE" and m.object]
    if obj.parent and obj.parent.type == "ARMATURE" and obj.parent not in found:
        found.append(obj.parent)
    return found


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


def read_bones(obj: bpy.types.Object, rig: bpy.types.Object) -> Bones:
    """Bones in rest pose, relative to the mesh of an object.

    Parameters
    ----------
    obj : bpy.types.Object
        The mesh bound to them.
    rig : bpy.types.Object
        An armature. In Edit Mode, as it was before.
    """
    bones = list(rig.data.bones)
    names = tuple(bone.name for bone in bones)
    to_world = np.array(rig.matrix_world, dtype=np.float64)
    linear = to_world[:3, :3]
    shift = to_world[:3, 3] - np.array(obj.matrix_world.translation)
    heads, tails, upward = (
        np.array([tuple(of(bone)) for bone in bones], dtype=np.float64)
        for of in (
            lambda bone: bone.head_local,
            lambda bone: bone.tail_local,
            lambda bone: bone.matrix_local.to_3x3().col[2],
        )
    )
    return Bones(
        names=names,
        heads=heads @ linear.T + shift,
        tails=tails @ linear.T + shift,
        upward=upward @ linear.T,
        influence=read_weights(obj, names).astype(np.float64),
    )
