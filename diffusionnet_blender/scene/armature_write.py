"""A copy of an armature, fitted to another character."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..errors import DiffusionNetError
from ..tasks.transfer.layers import Bones
from .armatures import armatures_of
from .driver_targets import retarget
from .edit_mode import alone_in_edit_mode
from .fingerprint import CONTENT, of_block
from .ownership import is_unchanged, mark, users_of
from .transaction import Transaction

# Place of an armature relative to its character, on those that a transfer made.
PLACE = "diffusionnet_place"
# Blender removes bones below 1e-6: an armature with one shorter than the first of these is scaled
# down, and has it with the second length.
LEAST_LENGTH, USUAL_LENGTH = 1e-5, 1e-2


def require_free_of_armatures(
    obj: bpy.types.Object, members: Sequence[bpy.types.Object] = ()
) -> None:
    """Raise DiffusionNetError if a target is bound to an armature of the user.

    One that a transfer has made is the user's as soon as anything in it was changed, or anything
    else follows it.

    Parameters
    ----------
    obj : bpy.types.Object
    members : sequence of bpy.types.Object
        All objects of its character, which share the armature; by default it is alone.
    """
    targets = members or (obj,)
    own = next((rig for rig in armatures_of(obj) if not _is_ours(rig, targets)), None)
    if own is None:
        return
    since = ", which was changed or is used by others since it was transferred"
    raise DiffusionNetError(
        f"{obj.name!r} is already bound to the armature {own.name!r}"
        f"{since if CONTENT in own else ''}",
        "Remove its Armature modifier or clear its parent, or switch Armature off.",
    )


def write_armature(
    rig: bpy.types.Object,
    sources: Sequence[bpy.types.Object],
    targets: Sequence[bpy.types.Object],
    name: str,
    bones: Bones,
    change: Transaction,
) -> bpy.types.Object:
    """Copy the armature of a source, move its bones, and bind the objects of a target to it.

    Parameters
    ----------
    rig : bpy.types.Object
        Of the source. It is copied with constraints, drivers and bone collections; it may be
        linked, hidden or outside of the view layer. The copy stands at rest: no pose, no
        animation.
    sources, targets : sequence of bpy.types.Object
        Meshes, of the targets such of which `require_free_of_armatures` holds.
    name : str
        Of the target as a whole.
    bones : Bones
        In world directions, as seen from the first target's origin.
    change : Transaction
        The armature of an earlier transfer is removed at its end.
    """
    target = targets[0]
    replaced = list(dict.fromkeys(rig for obj in targets for rig in armatures_of(obj)))
    for earlier in replaced:
        change.discard(earlier)
        if earlier.data.users == 1:
            change.discard(earlier.data)
    made = rig.copy()
    made.data = rig.data.copy()
    made.name = made.data.name = f"{name} {rig.data.name}"
    made.parent = None
    shortest = float(np.linalg.norm(bones.tails - bones.heads, axis=1).min())
    scale = 1.0 if shortest >= LEAST_LENGTH else shortest / USUAL_LENGTH
    made.matrix_world = Matrix.LocRotScale(
        target.matrix_world.translation, None, Vector((scale, scale, scale))
    )
    if made.animation_data:
        made.animation_data.action = None
        made.animation_data.use_nla = False
    _place_bones(made, target, bones, scale)
    for pose_bone in made.pose.bones:
        pose_bone.matrix_basis = Matrix.Identity(4)
        for constraint in pose_bone.constraints:
            if getattr(constraint, "target", None) == rig:
                constraint.target = made
    for obj in targets:
        modifier = next((m for m in obj.modifiers if m.type == "ARMATURE"), None)
        if modifier is None:
            modifier = obj.modifiers.new("Armature", "ARMATURE")
        modifier.object = made
    for block in (made, made.data):
        for driver in _drivers(block):
            for source in sources:
                retarget(driver, source, target, {})
    # Drivers of keys, which an earlier transfer has moved.
    drivers = (driver for obj in targets for driver in _drivers(obj.data.shape_keys))
    for end in (e for d in drivers for v in d.variables for e in v.targets):
        if end.id in replaced:
            end.id = made
    mark(made, _content(made))
    made[PLACE] = _place(made, target)
    return made


def _is_ours(rig: bpy.types.Object, targets: Sequence[bpy.types.Object]) -> bool:
    """Whether an armature is as a transfer to some objects has left it, and serves them alone."""
    return (
        is_unchanged(rig, _content)
        and all(obj.parent != rig for obj in targets)
        and users_of(rig) <= {*targets, *(obj.data.shape_keys for obj in targets)}
        and not any(getattr(c, "target", None) == rig for obj in targets for c in obj.constraints)
        and not any(
            end.id == rig
            for obj in targets
            for d in _drivers(obj)
            for v in d.variables
            for end in v.targets
        )
        and users_of(rig.data) <= {rig}
        and any(
            np.allclose(rig.get(PLACE, ()) or np.nan, _place(rig, obj), atol=1e-3)
            for obj in targets
        )
    )


def _drivers(block: bpy.types.ID | None) -> list[bpy.types.Driver]:
    animation = block.animation_data if block else None
    return [curve.driver for curve in animation.drivers] if animation else []


def _content(rig: bpy.types.Object) -> str:
    return of_block(rig, rig.data)


def _place(rig: bpy.types.Object, target: bpy.types.Object) -> list[float]:
    """Transform of an armature relative to its character, as 16 numbers."""
    relative = target.matrix_world.inverted_safe() @ rig.matrix_world
    return [number for row in relative for number in row]


def _place_bones(
    rig: bpy.types.Object, target: bpy.types.Object, bones: Bones, scale: float
) -> None:
    """Move bones by name, for an armature of a scale, and link it beside its target."""
    with alone_in_edit_mode(rig):
        rig.data.use_mirror_x = False
        table = zip(bones.names, bones.heads, bones.tails, bones.upward, strict=True)
        for name, head, tail, upward in table:
            bone = rig.data.edit_bones[name]
            bone.head, bone.tail = Vector(head / scale), Vector(tail / scale)
            bone.align_roll(Vector(upward))
    for collection in target.users_collection or [bpy.context.scene.collection]:
        collection.objects.link(rig)
