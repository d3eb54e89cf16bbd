"""Skeletons of characters as armatures, which can be dragged before meshes are bound to them."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..errors import DiffusionNetError
from ..tasks.rig.bones import Skeleton, skeleton_of
from ..tasks.rig.kinds import KINDS, kind_for
from ..tasks.rig.proportion import RestBone, bones_by_proportion
from ..tasks.rig.request import Bones
from .edit_mode import alone_in_edit_mode
from .fingerprint import of_block
from .fits import Fit
from .ownership import is_unchanged, mark, users_of
from .rigify import add_metarig, loosen_chains, require_rigify
from .targets import select_only
from .transaction import Transaction, transaction

# Custom properties of a skeleton: its kind, and the mesh of its character that comes first.
KIND, FIGURE = "diffusionnet_kind", "diffusionnet_figure"
# Frames turned by less about the vertical are mirrored about the plane x = 0.
STRAIGHT = 0.999
# Ends of bones this near to each other are one joint.
NEAR = 1e-5
# What goes with a limb that Rigify makes as a whole or not at all, by its first bone.
OF_LIMB = {
    "upper_arm": ("shoulder", "hand", "thumb", "index", "middle", "ring", "pinky", "palm"),
    "thigh": ("heel",),
    "front_thigh": ("shoulder", "front_hoof"),
    "hind_thigh": ("pelvis", "hind_hoof"),
}


def write_skeleton(fit: Fit, bones: Bones) -> bpy.types.Object:
    """Make an armature of a fitted character, active and selected alone.

    One that was made before for the same character is replaced as long as nobody has changed it or
    uses it.

    Parameters
    ----------
    fit : Fit
    bones : Bones

    Raises
    ------
    DiffusionNetError
        If the character has changed, has no bones of such a kind, or Rigify is wanted and missing.
    """
    members = fit.members()
    kind = kind_for(bones.kind, fit.fitted.four_legs)
    is_metarig = bool(KINDS[kind].metarig)
    if is_metarig:
        require_rigify()
    skeleton = skeleton_of(
        fit.fitted.places,
        fit.fitted.frame,
        kind,
        bones.fingers,
        bones.toes or is_metarig,
        bones.face,
    )
    if is_metarig:
        skeleton = _with_whole_limbs(skeleton)
    with transaction(*members) as change:
        _discard_earlier(members, change)
        name = f"{fit.name} {'metarig' if is_metarig else 'skeleton'}"
        rig = _add(skeleton, name, members[0], fit)
        rig[KIND], rig[FIGURE] = kind, members[0]
        rig.show_in_front = True
        frame = fit.fitted.frame
        rig.data.use_mirror_x = bool(abs(frame[0, 0]) > STRAIGHT)
        mark(rig, content_of(rig))
        bpy.context.view_layer.update()
        if rig in bpy.context.view_layer.objects[:]:
            select_only(bpy.context, [rig])
    return rig


def skeleton_for(members: list[bpy.types.Object]) -> bpy.types.Object | None:
    """The skeleton of a character: of several the active one, a selected one, or the last made."""
    found = [
        obj
        for obj in bpy.data.objects
        if obj.type == "ARMATURE" and obj.get(KIND) in KINDS and obj.get(FIGURE) in members
    ]
    found.sort(key=lambda obj: obj.session_uid)
    active = bpy.context.view_layer.objects.active
    chosen = [obj for obj in found if obj == active] or [obj for obj in found if obj.select_get()]
    return (chosen or found[-1:] or [None])[-1]


def figure_of(rig: bpy.types.Object) -> bpy.types.Object | None:
    """A mesh of the character that a skeleton was made for; None for any other object."""
    return rig.get(FIGURE) if rig.type == "ARMATURE" and rig.get(KIND) in KINDS else None


def read_skeleton_of(rig: bpy.types.Object, kind: str, origin: np.ndarray) -> Skeleton:
    """Deforming bones of a rig, as they lie now, with what the humanoid calls them.

    Parameters
    ----------
    rig : bpy.types.Object
        A skeleton, or what Rigify has generated from one.
    kind : str
    origin : (3,) float
        Place in the world that they are seen from.
    """
    role_of = KINDS[kind].role_of
    to_world = np.array(rig.matrix_world, dtype=np.float64)
    names, roles, heads, tails, z = [], [], [], [], []
    for bone in rig.data.bones:
        role = _role(bone.name, role_of)
        if not bone.use_deform or role is None:
            continue
        names.append(bone.name)
        roles.append(role)
        for found, end in ((heads, bone.head_local), (tails, bone.tail_local)):
            found.append(to_world[:3, :3] @ np.array(end) + to_world[:3, 3] - origin)
        z.append(to_world[:3, :3] @ np.array(bone.matrix_local.to_3x3().col[2]))
    if not names:
        raise DiffusionNetError(
            f"{rig.name!r} has no deforming bone with a name that Rig knows",
            "Fit a skeleton again, and keep the names of its bones.",
        )
    return Skeleton(
        kind,
        tuple(names),
        tuple(roles),
        np.full(len(names), -1),
        np.array(heads),
        np.array(tails),
        np.array(z),
    )


def _role(name: str, role_of: dict[str, str]) -> str | None:
    """What the humanoid calls a bone; a limb of Rigify has several bones of one role."""
    name = name.removeprefix("DEF-")
    if name in role_of:
        return role_of[name]
    stem, _, number = name.rpartition(".")
    return role_of.get(stem) if number.isdigit() else None


def _with_whole_limbs(skeleton: Skeleton) -> Skeleton:
    """A skeleton without the limbs that lack a bone of those that Rigify needs."""
    there, gone = set(skeleton.roles), set()
    for limb in KINDS[skeleton.kind].limbs:
        for side in ("L", "R"):
            if not {f"{bone}.{side}" for bone in limb} <= there:
                gone |= {f"{bone}.{side}" for bone in (*limb, *OF_LIMB[limb[0]])}
    kept = [
        number
        for number, role in enumerate(skeleton.roles)
        if role not in gone and _finger_stem(role) not in gone
    ]
    place = {old: new for new, old in enumerate(kept)}
    return Skeleton(
        skeleton.kind,
        tuple(skeleton.names[number] for number in kept),
        tuple(skeleton.roles[number] for number in kept),
        np.array([place.get(int(skeleton.parents[number]), -1) for number in kept], np.int64),
        skeleton.heads[kept],
        skeleton.tails[kept],
        skeleton.z[kept],
    )


def _finger_stem(role: str) -> str:
    """``index.L`` of ``index2.L``, ``palm.L`` of ``palm_index.L``."""
    stem, _, side = role.partition(".")
    return f"{stem.partition('_')[0].rstrip('0123456789')}.{side}"


def _discard_earlier(members: list[bpy.types.Object], change: Transaction) -> None:
    for rig in [obj for obj in bpy.data.objects if obj.get(FIGURE) in members]:
        if rig.type == "ARMATURE":
            discard_unused(rig, change)


def discard_unused(rig: bpy.types.Object, change: Transaction) -> None:
    """Remove a rig of ours in the end that nobody has changed and nothing uses; with its widgets.

    Parameters
    ----------
    rig : bpy.types.Object
        A skeleton; of Rigify's, what was generated from it goes with it.
    change : Transaction
    """
    made = getattr(rig.data, "rigify_target_rig", None)
    ours = [rig] if made is None else [rig, made]
    users = set().union(*(users_of(each) | users_of(each.data) for each in ours))
    if not all(is_unchanged(each, content_of) for each in ours):
        return
    # Rigify leaves copies of armatures that nothing uses.
    users = {user for user in users if user.users or user.use_fake_user}
    if users - set(ours) - {each.data for each in ours} - _widgets(rig):
        return
    for block in (*ours, *(each.data for each in ours), *_widgets(rig)):
        change.discard(block)


def _widgets(rig: bpy.types.Object) -> set[bpy.types.ID]:
    """Shapes of the controls that Rigify has made for a metarig, their meshes and collection."""
    collection = getattr(rig.data, "rigify_widgets_collection", None)
    if collection is None:
        return set()
    objects = list(collection.objects)
    return {collection, *objects, *(obj.data for obj in objects)}


def content_of(rig: bpy.types.Object) -> str:
    """Fingerprint of an armature and its bones."""
    return of_block(rig, rig.data)


def _add(skeleton: Skeleton, name: str, member: bpy.types.Object, fit: Fit) -> bpy.types.Object:
    """An armature at the origin of a character, in the collections of a member."""
    kind = KINDS[skeleton.kind]
    if kind.metarig:
        rig = add_metarig(name, kind.metarig)
    else:
        rig = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    for collection in list(rig.users_collection):
        collection.objects.unlink(rig)
    rig.matrix_world = Matrix.Translation(Vector(fit.geometry.origin))
    deforms = {spec.name: bool(spec.parts) or spec.name.startswith("eye") for spec in kind.bones}
    with alone_in_edit_mode(rig):
        rig.data.use_mirror_x = False
        edit = rig.data.edit_bones
        # Rigify tells chains by their connections.
        connected = {bone.name for bone in edit if bone.use_connect}
        beside = {}
        if kind.by_proportion:
            vertices = fit.geometry.placed.surface.vertices
            beside = bones_by_proportion(_rest_of(edit), skeleton, vertices, fit.fitted)
        kept = {*skeleton.names, *beside}
        for bone in [bone for bone in edit if bone.name not in kept]:
            edit.remove(bone)
        for bone in edit:
            bone.use_connect = False
        made = [edit.get(name) or edit.new(name) for name in skeleton.names]
        for number, bone in enumerate(made):
            bone.head, bone.tail = Vector(skeleton.heads[number]), Vector(skeleton.tails[number])
            bone.align_roll(Vector(skeleton.z[number]))
            if not kind.metarig:
                above = int(skeleton.parents[number])
                bone.parent = made[above] if above >= 0 else None
                bone.use_deform = deforms[skeleton.roles[number]]
        for bone_name, (head, tail, z) in beside.items():
            bone = edit[bone_name]
            bone.head, bone.tail = Vector(head), Vector(tail)
            bone.align_roll(Vector(z))
            bone.use_connect = bone_name in connected
        for bone, role in zip(made, skeleton.roles, strict=True):
            continues = bone.name in connected if kind.metarig else _continues(role)
            if bone.parent is not None and continues:
                bone.use_connect = (bone.head - bone.parent.tail).length < NEAR
    if kind.metarig:
        loosen_chains(rig)
    for collection in member.users_collection or [bpy.context.scene.collection]:
        collection.objects.link(rig)
    return rig


def _rest_of(edit: bpy.types.ArmatureEditBones) -> dict[str, RestBone]:
    """Bones of a metarig as Rigify has made them."""
    return {
        bone.name: RestBone(
            bone.parent.name if bone.parent else "",
            *(np.array(each, dtype=np.float64) for each in (bone.head, bone.tail, bone.z_axis)),
        )
        for bone in edit
    }


def _continues(role: str) -> bool:
    """Whether a bone goes on where its parent ends: what branches off is dragged apart."""
    return not role.startswith(("shoulder", "thigh", "eye", "heel", "palm", "hips"))
