"""Meshes of a file with the weights of their bones, as arrays."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
from scipy import sparse

from diffusionnet_blender.scene.files import open_file
from diffusionnet_blender.surface.repair import weld

from .makehuman import triangles
from .meshes import ACCESSORY, UNKNOWN


def read_meshes_with_bones(
    path: Path, component_of: Callable[[str, str], int]
) -> dict[str, np.ndarray]:
    """The visible meshes of a file at rest, pooled, and what the bones of their rigs hold of them.

    Parameters
    ----------
    path : a file with at least one armature.
    component_of : callable
        From the names of an object and of one of its materials to the component, as in
        `meshes.Body.component`.

    Returns
    -------
    dict of str to array
        `vertices` (V, 3) in the space of the file, coincident ones of an object as one; `faces`,
        `component`; `member` (V,), index into `member_names`; `carried` (V,) bool, held in a hand;
        `bones` (B,), named rig:bone, with `heads`, `tails` (B, 3) and `parents` (B,), -1 for none;
        `weights_*`, of a csr_matrix (V, B) whose rows add up to 1.
    """
    members = [obj for obj in open_file(path) if obj.visible_get() and obj.data.polygons]
    rigs = [obj for obj in bpy.data.objects if obj.type == "ARMATURE"]
    first = np.cumsum([0] + [len(rig.data.bones) for rig in rigs])
    heads, tails = [], []
    for rig in rigs:
        matrix = np.array(rig.matrix_world)
        bones = rig.data.bones
        for ends, name in ((heads, "head_local"), (tails, "tail_local")):
            local = np.array([getattr(bone, name) for bone in bones])
            ends.append(local @ matrix[:3, :3].T + matrix[:3, 3])
    bones = {
        (rig.name, bone.name): int(start) + index
        for rig, start in zip(rigs, first[:-1], strict=True)
        for index, bone in enumerate(rig.data.bones)
    }
    parents = [
        bones[rig.name, bone.parent.name] if bone.parent else -1
        for rig in rigs
        for bone in rig.data.bones
    ]
    pieces = [_piece(obj, bones, component_of) for obj in members]
    starts = np.cumsum([0] + [len(piece["vertices"]) for piece in pieces])
    pooled = {
        name: np.concatenate([piece[name] for piece in pieces])
        for name in ("vertices", "component")
    }
    pooled["faces"] = np.concatenate(
        [piece["faces"] + start for piece, start in zip(pieces, starts[:-1], strict=True)]
    )
    pooled["member"] = np.repeat(np.arange(len(pieces)), np.diff(starts))
    pooled["carried"] = np.repeat([piece["carried"] for piece in pieces], np.diff(starts))
    weights = sparse.vstack([piece["weights"] for piece in pieces], format="csr")
    return pooled | {
        "member_names": np.array([obj.name for obj in members]),
        "bones": np.array([f"{rig}:{bone}" for rig, bone in bones]),
        "heads": np.concatenate(heads),
        "tails": np.concatenate(tails),
        "parents": np.array(parents),
        "weights_data": weights.data,
        "weights_indices": weights.indices,
        "weights_indptr": weights.indptr,
    }


def _piece(
    obj: bpy.types.Object,
    bones: dict[tuple[str, str], int],
    component_of: Callable[[str, str], int],
) -> dict:
    mesh = obj.data
    matrix = np.array(obj.matrix_world)
    flat = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", flat)
    vertices = flat.reshape(-1, 3).astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    polygons = [list(polygon.vertices) for polygon in mesh.polygons]
    if np.linalg.det(matrix[:3, :3]) < 0:
        polygons = [polygon[::-1] for polygon in polygons]
    named = [material.name if material else "" for material in mesh.materials]
    of_material = np.array(
        [component_of(obj.name, re.sub(r"\.\d+$", "", name)) for name in named]
        or [component_of(obj.name, "")]
    )
    component = np.full(len(vertices), UNKNOWN)
    for polygon, corners in zip(mesh.polygons, polygons, strict=True):
        component[corners] = of_material[polygon.material_index]
    carried = obj.parent_type == "BONE" and "handslot" in obj.parent_bone
    if carried:
        component[:] = ACCESSORY
    rows, columns, shares = [], [], []
    if obj.parent_type == "BONE":
        rows = list(range(len(vertices)))
        columns = [bones[obj.parent.name, obj.parent_bone]] * len(vertices)
        shares = [1.0] * len(vertices)
    else:
        rig = obj.find_armature()
        of_group = [bones.get((rig.name, group.name), -1) for group in obj.vertex_groups]
        for vertex in mesh.vertices:
            for entry in vertex.groups:
                if of_group[entry.group] >= 0 and entry.weight > 0:
                    rows.append(vertex.index)
                    columns.append(of_group[entry.group])
                    shares.append(entry.weight)
    weights = sparse.csr_matrix((shares, (rows, columns)), (len(vertices), len(bones)))
    total = np.asarray(weights.sum(axis=1)).ravel()
    if (total == 0).any():
        raise ValueError(f"{(total == 0).sum()} vertices of {obj.name} have no bone")
    weights = (sparse.diags(1.0 / total) @ weights).tocsr()
    faces = triangles(polygons)
    stands_for = weld(vertices)
    faces = stands_for[faces]
    kept = np.unique(faces)
    place = np.zeros(len(vertices), np.int64)
    place[kept] = np.arange(len(kept))
    a, b, c = faces.T
    return {
        "vertices": vertices[kept],
        "faces": place[faces[(a != b) & (b != c) & (c != a)]],
        "component": component[kept],
        "weights": weights[kept],
        "carried": carried,
    }
