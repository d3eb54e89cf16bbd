"""How the bones of an armature hold a mesh: by skin weights, or as a whole."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from .armatures import Hold, hold_of
from .vertex_groups import read_weights


@dataclass(frozen=True, eq=False)
class BoneWeights:
    """Bones that hold a mesh.

    Attributes
    ----------
    hold : Hold or None
        None where no armature moves it.
    bones : tuple of B str
        Deforming bones with a vertex group, or the bone on which it hangs.
    weights : (V, B) float32
        1 for a bone on which it hangs.
    """

    hold: Hold | None
    bones: tuple[str, ...]
    weights: np.ndarray


def read_bone_weights(obj: bpy.types.Object) -> BoneWeights:
    """The bones that hold a mesh; in Edit Mode, by its weights as they were last updated."""
    hold, names = holding_bones(obj)
    count = len(obj.data.vertices)
    if hold is None:
        return BoneWeights(None, (), np.zeros((count, 0), np.float32))
    if hold.deforms:
        return BoneWeights(hold, names, read_weights(obj, names))
    return BoneWeights(hold, names, np.ones((count, len(names)), np.float32))


def holding_bones(obj: bpy.types.Object) -> tuple[Hold | None, tuple[str, ...]]:
    """How an armature holds a mesh, and the bones that do, whatever their weights."""
    hold = hold_of(obj)
    if hold is None:
        return None, ()
    bones = hold.rig.data.bones
    if hold.deforms:
        return hold, tuple(b.name for b in bones if b.use_deform and b.name in obj.vertex_groups)
    return hold, (hold.bone,) if hold.bone in bones else ()
