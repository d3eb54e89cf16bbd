"""Parts of the vertices of a character, from the armatures that move its meshes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import bpy
import numpy as np

from ..errors import DiffusionNetError
from ..tasks.models import FROM_RIG, card_of
from ..tasks.sides import sides_of
from ..tasks.skeleton import UNKNOWN, Skeleton, parts_of_bones, probabilities_by_weights
from .bone_weights import BoneWeights, holding_bones

# Names of bones in an error.
MOST_NAMES = 5
# Parts that the bones of a figure have at least: those of a hat or of hair have one or two.
PARTS_OF_A_FIGURE = 6


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


def is_figure(rig: bpy.types.Object) -> bool:
    """Whether the bones of an armature are known to be those of a whole body.

    Parameters
    ----------
    rig : bpy.types.Object
        An armature.
    """
    class_names = card_of(FROM_RIG, (), "segment").class_names
    parts = parts_of_bones(read_skeleton(rig), class_names) if rig.data.bones else np.zeros(0)
    return len(np.unique(parts[parts != UNKNOWN])) >= PARTS_OF_A_FIGURE


def has_known_bones(objects: Iterable[bpy.types.Object]) -> bool:
    """Whether a bone that holds one of some meshes is known to be a part of a body."""
    class_names = card_of(FROM_RIG, (), "segment").class_names
    held: dict[bpy.types.Object, set[str]] = {}
    for obj in objects:
        hold, bones = holding_bones(obj)
        if hold is not None and bones:
            held.setdefault(hold.rig, set()).update(bones)
    for rig, bones in held.items():
        skeleton = read_skeleton(rig)
        parts = parts_of_bones(skeleton, class_names)
        if (parts[[name in bones for name in skeleton.names]] != UNKNOWN).any():
            return True
    return False


def known_parts(name: str, held: Sequence[BoneWeights], class_names: Sequence[str]) -> np.ndarray:
    """Probability of each class at each vertex of a character's meshes, from its armatures.

    A mesh that an armature deforms has the parts of the bones in the proportions of their weights,
    one that hangs on a bone the part of this bone.

    Parameters
    ----------
    name : str
        Of the character, for errors.
    held : sequence of BoneWeights
        Of its meshes.
    class_names : sequence of C str
        Classes of a model of body parts.

    Returns
    -------
    (V, C) float32
        Of all members, one after the other. Rows add up to one; a row of zeros where none is known.

    Raises
    ------
    DiffusionNetError
        If no armature moves them, or no bone is known.
    """
    skeletons, known = _parts_by_bones(held, class_names)
    if not skeletons:
        raise DiffusionNetError(
            f"{name!r} has no armature with bones",
            "Choose a model, which needs none, or bind the meshes to their armature.",
        )
    if not known.any():
        bones = [bone for skeleton in skeletons for bone in skeleton.names]
        some = ", ".join(bones[:MOST_NAMES]) + (", ..." if len(bones) > MOST_NAMES else "")
        raise DiffusionNetError(
            f"{name!r}: no bone that moves it is known to be a part of a body ({some})",
            "Name the bones in a usual way (upper_arm.L, LeftForeArm ...), or choose a model.",
        )
    return known


def parts_by_rig(held: Sequence[BoneWeights], class_names: Sequence[str]) -> np.ndarray | None:
    """As `known_parts`; None where no bone that moves the meshes is known."""
    _, known = _parts_by_bones(held, class_names)
    return known if known.any() else None


def known_sides(held: Sequence[BoneWeights], class_names: Sequence[str]) -> np.ndarray | None:
    """Side of each vertex of a character's meshes, from its armatures.

    Parameters
    ----------
    held : sequence of BoneWeights
        Of its meshes.
    class_names : sequence of str
        Classes of body parts, with sides.

    Returns
    -------
    (V,) int8 or None
        Of all members, one after the other: 1 left, -1 right, 0 where it is unknown. None where
        it is everywhere.
    """
    _, known = _parts_by_bones(held, class_names)
    sides = sides_of(known, class_names)
    return sides if sides.any() else None


def _parts_by_bones(
    held: Sequence[BoneWeights], class_names: Sequence[str]
) -> tuple[list[Skeleton], np.ndarray]:
    """Skeletons of some meshes, and parts by their bones, (V, C) float32; zeros where unknown."""
    rigs = dict.fromkeys(each.hold.rig for each in held if each.hold is not None)
    skeletons = {rig: read_skeleton(rig) for rig in rigs if rig.data.bones}
    parts = {
        rig: dict(zip(bones.names, parts_of_bones(bones, class_names).tolist(), strict=True))
        for rig, bones in skeletons.items()
    }
    known = []
    for each in held:
        of_rig = parts.get(each.hold.rig, {}) if each.hold is not None else {}
        of_bones = np.array([of_rig[bone] for bone in each.bones], dtype=np.int64)
        known.append(probabilities_by_weights(each.weights, of_bones, len(class_names)))
    return list(skeletons.values()), np.concatenate(known)
