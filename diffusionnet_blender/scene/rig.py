"""The part of each vertex of an object, from the armature that moves it."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

from ..tasks.skeleton import Skeleton, parts_of_bones, probabilities_by_weights
from .armatures import hold_of
from .vertex_groups import read_weights


def read_skeleton(rig: bpy.types.Object) -> Skeleton:
    """Bones of an armature at rest, in the space of the world.

    Parameters
    ----------
    rig : bpy.types.Object
        An armature in any mode and pose. In Edit Mode, as it was before.
    """
    bones = list(rig.data.bones)
    number = {bone.name: index for index, bone in enumerate(bones)}
    to_world = np.array(rig.matrix_world, dtype=np.float64)
    heads, tails = (
        np.array([tuple(end(bone)) for bone in bones], dtype=np.float64).reshape(-1, 3)
        @ to_world[:3, :3].T
        + to_world[:3, 3]
        for end in (lambda bone: bone.head_local, lambda bone: bone.tail_local)
    )
    return Skeleton(
        names=tuple(number),
        parents=np.array([number[b.parent.name] if b.parent else -1 for b in bones], np.int64),
        heads=heads,
        tails=tails,
        deforms=np.array([bone.use_deform for bone in bones], bool),
    )


def rig_probabilities(obj: bpy.types.Object, class_names: Sequence[str]) -> np.ndarray:
    """Probability of each class at each vertex of an object's mesh, from its armature.

    A mesh that an armature deforms has the parts of the bones in the proportions of their weights,
    one that hangs on a bone the part of this bone.

    Parameters
    ----------
    obj : bpy.types.Object
        A mesh.
    class_names : sequence of C str
        Classes of a model of body parts.

    Returns
    -------
    (V, C) float32
        Rows add up to one; a row of zeros where no bone tells.
    """
    known = np.zeros((len(obj.data.vertices), len(class_names)), np.float32)
    hold = hold_of(obj)
    if hold is None or not hold.rig.data.bones:
        return known
    skeleton = read_skeleton(hold.rig)
    parts = parts_of_bones(skeleton, class_names)
    if hold.bone:
        part = parts[skeleton.names.index(hold.bone)] if hold.bone in skeleton.names else -1
        if part >= 0:
            known[:, part] = 1.0
        return known
    if not hold.deforms:
        return known
    deforming = np.flatnonzero(skeleton.deforms)
    weights = read_weights(obj, [skeleton.names[bone] for bone in deforming])
    return probabilities_by_weights(weights, parts[deforming], len(class_names))
