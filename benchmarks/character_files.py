"""Files of characters with the right part of every vertex, and the same merged into one mesh.

The parts of the characters of a folder are those of the bones that hold most of a vertex
(`training.rig_parts`). Dressed characters carry their parts in an attribute.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from diffusionnet_blender.scene.files import open_file
from diffusionnet_blender.surface.surface import triangle_areas
from training.bodies import FIRST_HELD_OUT_SEED, sample_local_changes, sample_phenotype
from training.commands import glb_files
from training.dressed import HELD_OUT, dress_body, sample_outfit
from training.dressed_scene import add_character
from training.makehuman import triangles
from training.parts import PART_NAMES
from training.poses import sample_pose
from training.rig_parts import UNKNOWN, part_of_bone

# Exporters to glTF keep attributes of one underscore, as floats.
TRUTH = "_TRUTH"
POSES = ("at rest", "posed mesh", "posed bones", "posed mesh")


@dataclass(frozen=True, eq=False)
class Truth:
    """An object of a file as it is seen.

    Attributes
    ----------
    name : str
    stored : (V, 3) float32, vertices as the mesh stores them;  vertices : (V, 3), in the world.
    polygons : lists of numbers of vertices.
    labels : (V,) int64, index into `PART_NAMES` or `UNKNOWN`;  areas : (V,), in the world.
    """

    name: str
    stored: np.ndarray
    vertices: np.ndarray
    polygons: list[list[int]]
    labels: np.ndarray
    areas: np.ndarray


def read_truth(path: Path) -> list[Truth]:
    """The visible meshes of a file, in the order in which the extension opens them."""
    meshes = [obj for obj in open_file(path) if obj.visible_get() and obj.data.polygons]
    return [_truth_of(obj) for obj in meshes]


def _truth_of(obj: bpy.types.Object) -> Truth:
    evaluated = obj.evaluated_get(bpy.context.evaluated_depsgraph_get())
    matrix = np.array(evaluated.matrix_world)
    vertices = _coordinates(evaluated.data) @ matrix[:3, :3].T + matrix[:3, 3]
    polygons = [list(polygon.vertices) for polygon in obj.data.polygons]
    if np.linalg.det(matrix[:3, :3]) < 0:
        polygons = [polygon[::-1] for polygon in polygons]
    faces = triangles(polygons)
    thirds = np.repeat(triangle_areas(vertices, faces) / 3, 3)
    areas = np.bincount(faces.ravel(), thirds, minlength=len(vertices))
    labels = _marked(obj.data) if TRUTH in obj.data.attributes else _by_bones(obj)
    return Truth(obj.name, _coordinates(obj.data), vertices, polygons, labels, areas)


def _coordinates(mesh: bpy.types.Mesh) -> np.ndarray:
    flat = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", flat)
    return flat.reshape(-1, 3)


def _marked(mesh: bpy.types.Mesh) -> np.ndarray:
    values = np.empty(len(mesh.vertices), np.float32)
    mesh.attributes[TRUTH].data.foreach_get("value", values)
    return values.round().astype(np.int64)


def _mark(obj: bpy.types.Object, labels: np.ndarray) -> None:
    attribute = obj.data.attributes.new(TRUTH, "FLOAT", "POINT")
    attribute.data.foreach_set("value", labels.astype(np.float32))


def _by_bones(obj: bpy.types.Object) -> np.ndarray:
    count = len(obj.data.vertices)
    if obj.parent_type == "BONE":
        return np.full(count, part_of_bone(obj.parent.data.name, obj.parent_bone))
    rig = obj.find_armature()
    if rig is None:
        return np.full(count, UNKNOWN)
    parts = [
        part_of_bone(rig.name, group.name) if group.name in rig.data.bones else UNKNOWN
        for group in obj.vertex_groups
    ]
    held = np.zeros((count, len(PART_NAMES)))
    for vertex in obj.data.vertices:
        for entry in vertex.groups:
            if parts[entry.group] != UNKNOWN:
                held[vertex.index, parts[entry.group]] += entry.weight
    return np.where(held.any(axis=1), held.argmax(axis=1), UNKNOWN)


def save_merged(found: list[Truth], path: Path) -> None:
    """Write a .blend of one mesh that has the vertices of all, in the world, one after another."""
    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    starts = np.cumsum([0] + [len(each.vertices) for each in found[:-1]])
    polygons = [
        [int(start) + corner for corner in polygon]
        for each, start in zip(found, starts, strict=True)
        for polygon in each.polygons
    ]
    mesh = bpy.data.meshes.new("Merged")
    mesh.from_pydata(np.concatenate([each.vertices for each in found]).tolist(), [], polygons)
    bpy.context.collection.objects.link(bpy.data.objects.new("Merged", mesh))
    _save(path)


def dressed_file(number: int, makehuman: Path, folder: Path) -> tuple[str, Path]:
    """The kind and the file of an unseen dressed character, which is made if it is not there.

    It wears only what no model was trained on, see `training.dressed.HELD_OUT`.
    """
    kind = POSES[number % len(POSES)]
    # Files of the same number in other clothes may be in the folder.
    worn = hashlib.sha256("".join(sorted(HELD_OUT)).encode()).hexdigest()[:6]
    path = folder / f"dressed_{worn}_{number:03}{('.blend', '.glb')[number // len(POSES) % 2]}"
    if path.exists():
        return f"dressed, {kind}", path
    rng = np.random.default_rng(FIRST_HELD_OUT_SEED + number)
    phenotype = sample_phenotype(rng)
    changes = sample_local_changes(rng)
    woman = phenotype["gender"] > 0.5
    outfit = sample_outfit(rng, makehuman, woman, held_out=True)
    dressed = dress_body(phenotype, changes, outfit, makehuman)
    pose = None if kind == "at rest" else sample_pose(rng)
    if kind == "posed mesh":
        dressed, pose = dressed.posed(pose), None
    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    _, meshes = add_character(dressed, "Rig", pose)
    for obj, member in zip(meshes, dressed.members, strict=True):
        _mark(obj, member.labels)
    _save(path)
    return f"dressed, {kind}", path


def _save(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".blend":
        bpy.ops.wm.save_as_mainfile(filepath=str(path.absolute()), compress=True)
    else:
        bpy.ops.export_scene.gltf(
            filepath=str(path.absolute()),
            export_animations=False,
            export_attributes=True,
            # The pose is that of the bones, not of rest.
            export_rest_position_armature=False,
        )


def character_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """The kind and the file of each character of a folder.

    Raises
    ------
    FileNotFoundError
        There are none in the folder.
    """
    for path in glb_files(folder):
        several = len(read_truth(path)) > 1
        yield "several objects" if several else "one object", path
