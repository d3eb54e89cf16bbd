"""Where the members of a character are without a pose."""

from __future__ import annotations

import bpy
import numpy as np

from .armatures import hold_of
from .character import Character

# Of the unit cube of a posed bone, below which the pose cannot be undone.
LEAST_VOLUME = 1e-30


def placed_at_rest(character: Character) -> np.ndarray:
    """Transforms of the members to the world, (M, 4, 4) float64, as they are read without a pose.

    What hangs on a bone is where the rest pose has it; an object alone is where it is.
    """
    to_world = [np.array(obj.matrix_world, dtype=np.float64) for obj in character.members]
    if len(to_world) > 1:
        to_world = [
            to_rest(obj) @ matrix for obj, matrix in zip(character.members, to_world, strict=True)
        ]
    return np.array(to_world)


def to_rest(obj: bpy.types.Object) -> np.ndarray:
    """World transform (4, 4) that takes what hangs on a posed bone to where it rests."""
    hold = hold_of(obj)
    bone = hold.rig.pose.bones.get(hold.bone) if hold is not None and not hold.deforms else None
    if bone is None:
        return np.eye(4)
    rig_to_world, posed, rest = (
        np.array(matrix, dtype=np.float64)
        for matrix in (hold.rig.matrix_world, bone.matrix, bone.bone.matrix_local)
    )
    to_posed = rig_to_world @ posed
    if abs(np.linalg.det(to_posed)) < LEAST_VOLUME:
        return np.eye(4)
    return rig_to_world @ rest @ np.linalg.inv(to_posed)
