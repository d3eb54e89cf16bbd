"""Meshes of a character bound to a skeleton, with skin weights from the parts of its body."""

from __future__ import annotations

import bpy
import numpy as np

from ..errors import DiffusionNetError
from ..tasks.rig import job as rig_job
from ..tasks.rig.bones import Skeleton
from ..tasks.rig.kinds import KINDS
from .armatures import armatures_of
from .character import Character
from .edit_mode import outside_edit_mode
from .fits import Fit
from .options import Binding
from .ownership import Kind, Role, claim, mark, record, release, still_ours
from .report_text import counted, listed
from .rigify import generate
from .skeletons import FIGURE, KIND, content_of, discard_unused, read_skeleton_of, skeleton_for
from .transaction import transaction
from .vertex_groups import locked_groups, write_vertex_groups
from .write import require_writable

# Modifiers that an armature comes after: what they make is deformed.
BEFORE = {"MIRROR", "ARRAY", "WELD", "TRIANGULATE", "DATA_TRANSFER", "NODES"}
GENERATED = "diffusionnet_generated"


def bind(fit: Fit, binding: Binding) -> bpy.types.Object:
    """Bind the meshes of a character to its skeleton as it lies now.

    Parameters
    ----------
    fit : Fit
    binding : Binding

    Returns
    -------
    bpy.types.Object
        The armature that they are bound to.

    Raises
    ------
    DiffusionNetError
        If there is no skeleton, a mesh has changed or follows another armature already, or has
        vertex groups of the artist's that are called as bones. Nothing is written then.
    """
    members = fit.members()
    rig = skeleton_for(members)
    if rig is None:
        raise DiffusionNetError(f"{fit.name!r} has no skeleton yet", "Press Fit Skeleton first.")
    kind = rig[KIND]
    require_unbound(Character(fit.name, "", tuple(members)))
    for obj in members:
        require_writable(obj)
    with transaction(*members, rig) as change:
        before = {each for obj in members for each in armatures_of(obj)}
        target = rig
        if KINDS[kind].metarig and binding.generate:
            target = generate(rig)
            target[GENERATED] = members[0]
            rig.hide_set(True)
            mark(rig, content_of(rig))
            mark(target, content_of(target))
        skeleton = read_skeleton_of(target, kind, fit.geometry.origin)
        weights = rig_job.weights_of(fit.geometry.placed.surface.vertices, fit.fitted, skeleton)
        done: set[bpy.types.Mesh] = set()
        for obj, seen, own in zip(
            members, fit.geometry.seen, fit.geometry.placed.split(weights), strict=True
        ):
            if obj.data not in done:
                done.add(obj.data)
                with outside_edit_mode(obj.data):
                    _remove_earlier(obj, skeleton)
                    _write_weights(obj, skeleton, seen.values_to_base(own), binding)
            follow(obj, target, binding.smooth)
        bpy.context.view_layer.update()
        for made in [obj for obj in bpy.data.objects if _made_rig(obj) in before - {target}]:
            discard_unused(made, change)
    return target


def require_unbound(character: Character) -> None:
    """Raise DiffusionNetError if meshes follow an armature that Rig has not made."""
    for obj in character.members:
        other = next((rig for rig in armatures_of(obj) if not _is_made(rig)), None)
        if other is not None:
            raise DiffusionNetError(
                f"{obj.name!r} is already bound to the armature {other.name!r}",
                "Remove its Armature modifier and clear its parent (Alt P, keep transform) first.",
            )


def _made_rig(skeleton: bpy.types.Object) -> bpy.types.Object | None:
    """The rig that meshes follow of a skeleton: itself, or what Rigify has generated."""
    if skeleton.type != "ARMATURE" or skeleton.get(FIGURE) is None:
        return None
    return getattr(skeleton.data, "rigify_target_rig", None) or skeleton


def _is_made(rig: bpy.types.Object) -> bool:
    return any(rig.get(key) is not None for key in (FIGURE, GENERATED))


def _remove_earlier(obj: bpy.types.Object, skeleton: Skeleton) -> None:
    """Remove the groups of a rig that a mesh followed before, as long as they are ours."""
    before = [bone.name for rig in armatures_of(obj) for bone in rig.data.bones]
    gone = [name for name in before if name in obj.vertex_groups and name not in skeleton.names]
    for name in still_ours(obj, Kind.VERTEX_GROUP, Role.TRANSFER, gone):
        obj.vertex_groups.remove(obj.vertex_groups[name])
        release(obj.data, Kind.VERTEX_GROUP, name)


def _write_weights(
    obj: bpy.types.Object, skeleton: Skeleton, weights: np.ndarray, binding: Binding
) -> None:
    """Write the groups of the bones that hold a mesh."""
    weights = np.maximum(weights, 0.0)
    weights = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
    held = np.flatnonzero((weights > 0).any(axis=0))
    wanted = [skeleton.names[number] for number in held]
    locked = locked_groups(obj, wanted)
    claimed = claim(obj, Kind.VERTEX_GROUP, Role.TRANSFER, wanted, binding.overwrite)
    if claimed.kept or locked:
        names = [*claimed.kept, *locked]
        raise DiffusionNetError(
            f"{obj.name!r} has {counted(len(names), 'vertex group')} of yours that "
            f"{'is' if len(names) == 1 else 'are'} named as bones: {listed(names)}",
            "Unlock them." if locked else "Rename or remove them, or switch Overwrite on.",
        )
    values = weights[:, held].astype(np.float32)
    write_vertex_groups(obj, wanted, values)
    record(obj, Kind.VERTEX_GROUP, Role.TRANSFER, wanted, weights=values)


def follow(obj: bpy.types.Object, rig: bpy.types.Object, smooth: bool = False) -> None:
    """Have an object deformed by an armature, before what refines its surface.

    Parameters
    ----------
    obj : bpy.types.Object
    rig : bpy.types.Object
    smooth : bool
        Add a modifier that smooths what the bones crumple.
    """
    modifier = next((m for m in obj.modifiers if m.type == "ARMATURE"), None)
    if modifier is None:
        modifier = obj.modifiers.new("Armature", "ARMATURE")
        place = next(
            (n for n, m in enumerate(obj.modifiers[:-1]) if m.type not in BEFORE),
            len(obj.modifiers) - 1,
        )
        obj.modifiers.move(len(obj.modifiers) - 1, place)
    modifier.object = rig
    if smooth and not any(m.type == "CORRECTIVE_SMOOTH" for m in obj.modifiers):
        obj.modifiers.new("Corrective Smooth", "CORRECTIVE_SMOOTH")
        after = [m.type for m in obj.modifiers].index("ARMATURE") + 1
        obj.modifiers.move(len(obj.modifiers) - 1, after)
    if obj.parent is None or _is_made(obj.parent):
        place = obj.matrix_world.copy()
        obj.parent = rig
        obj.matrix_parent_inverse = rig.matrix_world.inverted_safe()
        obj.matrix_world = place
