"""Armatures: bones in rest pose, and a copy of an armature fitted to another character."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..errors import DiffusionNetError
from ..tasks.transfer.layers import Bones
from .vertex_groups import read_weights

# On armatures that a transfer made: the next one to the same object takes their place.
MARK = "diffusionnet_transfer"
# Bones shorter than this get an armature that is scaled down; those below 1e-6 are removed.
LEAST_LENGTH = 1e-4


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


def require_free_of_armatures(obj: bpy.types.Object) -> None:
    """Raise DiffusionNetError if a target is bound to an armature of the user."""
    own = next((rig for rig in armatures_of(obj) if not rig.get(MARK)), None)
    if own is not None:
        raise DiffusionNetError(
            f"{obj.name!r} is already bound to the armature {own.name!r}",
            "Remove its Armature modifier or clear its parent, or switch Armature off.",
        )


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


def write_armature(
    rig: bpy.types.Object, target: bpy.types.Object, bones: Bones
) -> bpy.types.Object:
    """Copy an armature, move its bones, and bind a mesh to it.

    Parameters
    ----------
    rig : bpy.types.Object
        The armature to copy, with its constraints and bone collections; it may be linked. The copy
        stands at rest: no pose, no animation.
    target : bpy.types.Object
        A mesh, of which `require_free_of_armatures` holds.
    bones : Bones
        In world directions, as seen from the target's origin.
    """
    _remove_marked(target)
    made = rig.copy()
    made.data = rig.data.copy()
    made.name = made.data.name = f"{target.name} {rig.data.name}"
    made[MARK] = True
    made.parent = None
    # Blender removes bones that are too short in the armature's own units.
    length = np.linalg.norm(bones.tails - bones.heads, axis=1).min()
    scale = min(1.0, float(length) / LEAST_LENGTH)
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
    modifier = next((m for m in target.modifiers if m.type == "ARMATURE"), None)
    if modifier is None:
        modifier = target.modifiers.new("Armature", "ARMATURE")
    modifier.object = made
    return made


def _remove_marked(target: bpy.types.Object) -> None:
    for rig in armatures_of(target):
        data = rig.data
        bpy.data.objects.remove(rig)
        if not data.users:
            bpy.data.armatures.remove(data)


def _place_bones(
    rig: bpy.types.Object, target: bpy.types.Object, bones: Bones, scale: float
) -> None:
    """Move bones in Edit Mode, by name, for an armature of a scale.

    Active object and selection are restored.
    """
    layer, home = bpy.context.view_layer, bpy.context.scene.collection
    active, selected = layer.objects.active, [o for o in layer.objects.selected if o]
    # The scene's own collection cannot be hidden, as the target's may be.
    home.objects.link(rig)
    layer.update()
    for other in selected:
        other.select_set(False)
    rig.hide_set(False)
    rig.select_set(True)
    layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    rig.data.use_mirror_x = False
    table = zip(bones.names, bones.heads, bones.tails, bones.upward, strict=True)
    for name, head, tail, upward in table:
        bone = rig.data.edit_bones[name]
        bone.head, bone.tail = Vector(head / scale), Vector(tail / scale)
        bone.align_roll(Vector(upward))
    bpy.ops.object.mode_set(mode="OBJECT")
    for collection in target.users_collection:
        if collection != home:
            collection.objects.link(rig)
    if home not in target.users_collection:
        home.objects.unlink(rig)
    rig.select_set(False)
    for other in selected:
        other.select_set(True)
    layer.objects.active = active
