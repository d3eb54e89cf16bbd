"""Avatars as VRM 1.0: a .glb whose JSON tells which node is which bone of a humanoid.

An avatar stands in a T-pose on the origin and faces +z of glTF, -y of Blender, whatever the pose
and the place that it was modelled in; its skin remains that of rest. Permissions are those that the
format has by default, the strictest: the author may loosen them in any VRM editor.

Source: VRMC_vrm-1.0 of vrm-specification.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..errors import DiffusionNetError
from ..tasks.rig.kinds import KINDS
from .armatures import armatures_of
from .files import save_file
from .gltf import export_gltf
from .gltf_header import add_extension
from .rest_directions import RestDirections
from .skeletons import KIND
from .targets import select_only, selected_objects

SUFFIX = ".vrm"
EXTENSION = "VRMC_vrm"
REQUIRED = (
    *("hips", "spine", "head"),
    *(
        f"{side}{bone}"
        for side in ("left", "right")
        for bone in ("UpperLeg", "LowerLeg", "Foot", "UpperArm", "LowerArm", "Hand")
    ),
)
META = {
    "licenseUrl": "https://vrm.dev/licenses/1.0/",
    "avatarPermission": "onlyAuthor",
    "allowExcessivelyViolentUsage": False,
    "allowExcessivelySexualUsage": False,
    "commercialUsage": "personalNonProfit",
    "allowPoliticalOrReligiousUsage": False,
    "allowAntisocialOrHateUsage": False,
    "creditNotation": "required",
    "allowRedistribution": False,
    "modification": "prohibited",
}
UNKNOWN_AUTHOR = "unknown"
# Where limbs point in a T-pose, each after the one that it hangs on: "out" is to their own side.
# Feet and fingers follow: those of a walking figure are at their natural angles.
T_POSE = {
    "upper_arm": "out",
    "forearm": "out",
    "hand": "out",
    "thigh": "down",
    "shin": "down",
}
# A figure that stands this nearly along an axis (cosine) is exactly so.
ALONG = np.cos(np.radians(25.0))


def require_avatar(rig: bpy.types.Object) -> None:
    """Raise DiffusionNetError unless a rig has the bones that a VRM needs."""
    if rig.type != "ARMATURE" or rig.get(KIND) != "vrm":
        raise DiffusionNetError(
            f"{rig.name!r} is no VRM humanoid of Rig", "Rig the character with the kind VRM."
        )
    missing = [name for name in REQUIRED if name not in rig.data.bones]
    if missing:
        raise DiffusionNetError(
            f"{rig.name!r} lacks bones that a VRM needs: {', '.join(missing)}",
            "Choose another format, such as .glb, for a figure without all limbs.",
        )


def save_vrm(path: Path, rig: bpy.types.Object, name: str, author: str = "") -> list[str]:
    """Save an avatar; a reader sees the old file or the new.

    Parameters
    ----------
    path : Path
        A .vrm.
    rig : bpy.types.Object
        A skeleton of the kind "vrm"; all that follows it belongs to the avatar.
    name, author : str
        Of the avatar, for whoever uses it.

    Returns
    -------
    list of str
        Remarks as those of `files.save_file`.

    Raises
    ------
    DiffusionNetError
        If bones are missing that a VRM needs, nothing follows them, or the file cannot be written.
    """
    require_avatar(rig)
    meshes = [
        obj
        for obj in bpy.context.view_layer.objects
        if obj.type == "MESH" and rig in armatures_of(obj)
    ]
    if not meshes:
        raise DiffusionNetError(f"No mesh is bound to {rig.name!r}", "Press Bind first.")

    def write(filepath: str) -> set[str]:
        plain = Path(filepath).with_suffix(".glb")
        with _as_avatar(rig, meshes):
            done = export_gltf(
                str(plain),
                use_selection=True,
                export_animations=False,
                # The pose is that of the nodes, the skin that of rest.
                export_rest_position_armature=False,
            )
        add_extension(plain, EXTENSION, lambda tree: _vrm_of(tree, rig, name, author))
        plain.replace(filepath)
        return done

    remarks = save_file(path, write)
    if rig.animation_data is not None and rig.animation_data.action is not None:
        remarks.append(f"{SUFFIX} files do not hold animations")
    return remarks


def _vrm_of(tree: Mapping, rig: bpy.types.Object, name: str, author: str) -> dict:
    """Content of the extension for the JSON of a glTF."""
    joints = {joint for skin in tree.get("skins", ()) for joint in skin["joints"]}
    node_of = {tree["nodes"][joint]["name"]: joint for joint in sorted(joints, reverse=True)}
    bones = {bone for bone in KINDS["vrm"].names.values() if bone in node_of}
    return {
        "specVersion": "1.0",
        "meta": {"name": name, "authors": [author or UNKNOWN_AUTHOR], **META},
        "humanoid": {"humanBones": {bone: {"node": node_of[bone]} for bone in sorted(bones)}},
    }


@contextmanager
def _as_avatar(rig: bpy.types.Object, meshes: list[bpy.types.Object]) -> Iterator[None]:
    """Context in which an avatar alone is selected, in its T-pose on the origin."""
    layer = bpy.context.view_layer
    selected, active = selected_objects(bpy.context), layer.objects.active
    objects = [rig, *meshes]
    roots = list(dict.fromkeys(_root(obj) for obj in objects))
    places = {root: root.matrix_world.copy() for root in roots}
    poses = {bone: bone.matrix_basis.copy() for bone in rig.pose.bones}
    animation = rig.animation_data
    action = animation.action if animation else None
    hidden = [obj for obj in objects if obj.hide_get()]
    position = rig.data.pose_position
    try:
        if action is not None:
            animation.action = None
        rig.data.pose_position = "POSE"
        for obj in hidden:
            obj.hide_set(False)
        select_only(bpy.context, objects)
        _pose(rig)
        turn = _to_origin(rig, meshes)
        for root in roots:
            root.matrix_world = turn @ places[root]
        layer.update()
        yield
    finally:
        for root, place in places.items():
            root.matrix_world = place
        for bone, matrix in poses.items():
            bone.matrix_basis = matrix
        rig.data.pose_position = position
        if action is not None:
            animation.action = action
        if selected:
            select_only(bpy.context, selected)
        for obj in hidden:
            obj.hide_set(True)
        layer.objects.active = active
        layer.update()


def _root(obj: bpy.types.Object) -> bpy.types.Object:
    while obj.parent is not None:
        obj = obj.parent
    return obj


def _directions(rig: bpy.types.Object) -> np.ndarray:
    """Rows (3, 3) to the left, to the back and up of the figure, in the space of its armature."""
    names = KINDS["vrm"].names
    bones = {role: rig.pose.bones[n] for role, n in names.items() if n in rig.pose.bones}
    rest = RestDirections(bones)
    up, left = (_snapped(rig, way) for way in (rest.up, rest.left))
    left = left - (left @ up) * up
    left = left / np.linalg.norm(left)
    return np.stack([left, np.cross(up, left), up])


def _snapped(rig: bpy.types.Object, way: np.ndarray) -> np.ndarray:
    """A direction of an armature, along an axis of the world where it nearly is."""
    turn = np.array(rig.matrix_world.to_3x3().normalized())
    world = turn @ way
    axis = np.eye(3)[np.abs(world).argmax()]
    along = float(world @ axis)
    return turn.T @ (np.sign(along) * axis) if abs(along) > ALONG else way


def _pose(rig: bpy.types.Object) -> None:
    """Pose a skeleton in a T."""
    left, _, up = _directions(rig)
    names = KINDS["vrm"].names
    for bone in rig.pose.bones:
        bone.matrix_basis = Matrix()
    for stem, way in T_POSE.items():
        for side, out in (("L", left), ("R", -left)):
            bone = rig.pose.bones.get(names[f"{stem}.{side}"])
            if bone is None:
                continue
            bpy.context.view_layer.update()
            # As the bone above has left it.
            turn = bone.matrix.to_3x3()
            wanted = Vector(out if way == "out" else -up)
            turn = turn.col[1].rotation_difference(wanted).to_matrix() @ turn
            bone.matrix = Matrix.Translation(bone.matrix.translation) @ turn.to_4x4()
    bpy.context.view_layer.update()


def _to_origin(rig: bpy.types.Object, meshes: list[bpy.types.Object]) -> Matrix:
    """The turn and shift in the world that let an avatar face -y and stand on the origin."""
    turn = np.array(rig.matrix_world.to_3x3().normalized())
    # Rows of the directions in the world take these to the axes.
    rows = Matrix(_directions(rig) @ turn.T).to_4x4()
    graph = bpy.context.evaluated_depsgraph_get()
    lowest = min(
        (rows @ obj.matrix_world @ Vector(corner)).z
        for obj in meshes
        for corner in obj.evaluated_get(graph).bound_box
    )
    hips = rows @ rig.matrix_world @ rig.pose.bones["hips"].head
    return Matrix.Translation((-hips.x, -hips.y, -lowest)) @ rows
