"""Characters of several objects in Blender: an armature, and a mesh for each member."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix

from diffusionnet_blender.scene.vertex_groups import write_vertex_groups

from .bodies import bone_moves
from .dressed import Dressed, Member
from .poses import Pose
from .template import load_template

# Share of the way from its parent that a bone without children goes on.
LEAF = 0.6
SHORTEST = 1e-3


def add_character(
    dressed: Dressed, name: str, pose: Pose | None = None
) -> tuple[bpy.types.Object, list[bpy.types.Object]]:
    """Add a character to the scene; its bones are in a pose, its meshes in the rest pose.

    Returns
    -------
    rig, meshes : objects
    """
    rig = _add_rig(dressed.heads, name)
    if pose is not None:
        _turn(rig, bone_moves(dressed.heads, pose))
    return rig, [_add_member(member, rig) for member in dressed.members]


def _add_rig(heads: np.ndarray, name: str) -> bpy.types.Object:
    template = load_template()
    rig = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    bones = [rig.data.edit_bones.new(bone) for bone in template.bones]
    for bone, parent, head, tail in zip(bones, template.parents, heads, _tails(heads), strict=True):
        bone.head, bone.tail = head, tail
        if parent >= 0:
            bone.parent = bones[parent]
    bpy.ops.object.mode_set(mode="OBJECT")
    return rig


def _tails(heads: np.ndarray) -> np.ndarray:
    """Where bones end, (B, 3): in the middle of their children's heads."""
    parents = load_template().parents
    tails = np.empty_like(heads)
    for bone, parent in enumerate(parents):
        below = heads[parents == bone]
        ahead = below.mean(axis=0) - heads[bone] if len(below) else np.zeros(3)
        if np.linalg.norm(ahead) < SHORTEST and parent >= 0:
            ahead = LEAF * (heads[bone] - heads[parent])
        if np.linalg.norm(ahead) < SHORTEST:
            ahead = np.array([0.0, 0.0, 10 * SHORTEST])
        tails[bone] = heads[bone] + ahead
    return tails


def _turn(rig: bpy.types.Object, moves: np.ndarray) -> None:
    """Turn the bones of a rig so that they move its meshes by maps (B, 3, 4)."""
    template = load_template()
    whole = np.tile(np.eye(4), (len(moves), 1, 1))
    whole[:, :3] = moves
    for bone, parent in enumerate(template.parents):
        posed = rig.pose.bones[template.bones[bone]]
        rest = np.array(posed.bone.matrix_local)
        above = whole[parent] if parent >= 0 else np.eye(4)
        posed.matrix_basis = Matrix(np.linalg.solve(above @ rest, whole[bone] @ rest))


def _add_member(member: Member, rig: bpy.types.Object) -> bpy.types.Object:
    mesh = bpy.data.meshes.new(member.name)
    mesh.from_pydata(member.vertices.tolist(), [], member.polygons)
    mesh.shade_smooth()
    obj = bpy.data.objects.new(member.name, mesh)
    bpy.context.scene.collection.objects.link(obj)
    used = np.flatnonzero(member.weights.getnnz(axis=0))
    names = [load_template().bones[bone] for bone in used]
    write_vertex_groups(obj, names, member.weights[:, used].toarray().astype(np.float32))
    obj.parent = rig
    obj.modifiers.new("Armature", "ARMATURE").object = rig
    return obj
