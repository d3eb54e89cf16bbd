"""Rigged characters of glTF files, as what `rigged` makes figures of.

python -m training.rigged_files --characters FOLDER
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np
from scipy import sparse

from diffusionnet_blender.scene.files import open_file
from diffusionnet_blender.surface.repair import weld

from .commands import glb_files, plain_errors
from .makehuman import triangles
from .meshes import ACCESSORY, CLOTHING, EYES, HAIR, MACHINE, SKIN, UNKNOWN
from .parts import FINE_NAMES, MIRRORED_LABEL
from .rig_parts import SKELETON_RIG, labels_of_bones, segment_of_bone
from .rigged import FOLDER, HEIGHT

# What an object or a material is, by the words of its name; the first that fits.
COMPONENT_OF_WORD = (
    ("eyebrows hair hairbase hair2", HAIR),
    ("eyes", EYES[0]),
    ("skin nails skeleton", SKIN),
    ("hat helmet glass hatbrown hatlightbrown details", ACCESSORY),
    (
        "cape shirt shirt2 pants shoes socks jacket lightjacket dress boots beltboots scarf armor "
        "tietexture",
        CLOTHING,
    ),
)
# By the name of the file, where a material is called by its colour.
COMPONENT_OF_MATERIAL = {
    ("q_cowboy", "Brown"): CLOTHING,
    ("q_cowboy", "DarkBrown"): CLOTHING,
    ("q_alien", "Main"): SKIN,
    ("q_alien", "Stripe"): SKIN,
    ("q_alien", "White"): SKIN,
    ("q_alien_helmet", "Main"): SKIN,
    ("q_alien_helmet", "Stripe"): SKIN,
    ("q_alien_helmet", "White"): ACCESSORY,
}
MACHINES = ("q_robot",)


def component_of(character: str, thing: str, material: str) -> int:
    """What a material of an object of a character is, as in `meshes.Body.component`."""
    if character in MACHINES:
        return MACHINE
    if (character, material) in COMPONENT_OF_MATERIAL:
        return COMPONENT_OF_MATERIAL[character, material]
    for name in (material, thing.rpartition("_")[2]):
        for words, component in COMPONENT_OF_WORD:
            if name.lower() in words.split():
                return component
    return UNKNOWN


def read_rigged(path: Path) -> dict[str, np.ndarray]:
    """The meshes of a file at rest with their rig: what `rigged.Character` is made of.

    Upright along +z, facing -y, `HEIGHT` high without what is carried; coincident vertices of an
    object are one.
    """
    members = [obj for obj in open_file(path) if obj.visible_get() and obj.data.polygons]
    rigs = [obj for obj in bpy.data.objects if obj.type == "ARMATURE"]
    first = np.cumsum([0] + [len(rig.data.bones) for rig in rigs])
    heads, tails, labels, segments = [], [], [], []
    for rig in rigs:
        matrix = np.array(rig.matrix_world)
        bones = rig.data.bones
        for ends, name in ((heads, "head_local"), (tails, "tail_local")):
            local = np.array([getattr(bone, name) for bone in bones])
            ends.append(local @ matrix[:3, :3].T + matrix[:3, 3])
        labels.append(labels_of_bones(rig.name, [bone.name for bone in bones]))
        segments += [segment_of_bone(rig.name, bone.name) for bone in bones]
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
    pieces = [_piece(path.stem, obj, bones) for obj in members]
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
    found = pooled | {
        "member_names": np.array([obj.name for obj in members]),
        "bones": np.array([f"{rig}:{bone}" for rig, bone in bones]),
        "heads": np.concatenate(heads),
        "tails": np.concatenate(tails),
        "parents": np.array(parents),
        "labels": np.concatenate(labels),
        "segments": np.array(segments),
        "weights_data": weights.data,
        "weights_indices": weights.indices,
        "weights_indptr": weights.indptr,
    }
    return _sides_by_place(_upright(found))


def _piece(character: str, obj: bpy.types.Object, bones: dict[tuple[str, str], int]) -> dict:
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
        [component_of(character, obj.name, re.sub(r"\.\d+$", "", name)) for name in named]
        or [component_of(character, obj.name, "")]
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
        raise ValueError(f"{(total == 0).sum()} vertices of {character}, {obj.name} have no bone")
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


def _upright(found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Turned about the vertical by quarters until its left is at +x; on the ground, in size."""
    vertices, heads = found["vertices"], found["heads"]
    segments = np.array([FINE_NAMES[i] if i >= 0 else "" for i in found["segments"]])
    left, right = (
        heads[np.isin(segments, [f"{part}.{side}" for part in ("thigh", "upper_arm")])].mean(axis=0)
        for side in "LR"
    )
    body = vertices[~found["carried"]]
    low, high = body[:, 2].min(), body[:, 2].max()
    towards = left - right
    if any(bone.startswith(f"{SKELETON_RIG}:") for bone in found["bones"]):
        towards = -towards
    side = np.zeros(3)
    across = np.abs(towards[:2]).argmax()
    side[across] = np.sign(towards[across])
    forward = np.cross(side, [0, 0, 1.0])
    turn = np.stack([side, -forward, [0, 0, 1.0]])
    middle = (body @ turn.T)[:, 0]
    shift = np.array([-(middle.min() + middle.max()) / 2, 0.0, -low])
    scale = HEIGHT / (high - low)
    moved = {
        name: (found[name] @ turn.T + shift) * scale for name in ("vertices", "heads", "tails")
    }
    return found | moved


def _sides_by_place(found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Sides of bones by where they are at rest, whatever they are called: left at +x."""
    is_left = found["heads"][:, 0] > 0
    component = found["component"].copy()
    component[(component == EYES[0]) & (found["vertices"][:, 0] < 0)] = EYES[1]
    sided = {"component": component}
    for name in ("labels", "segments"):
        turned = found[name].copy()
        known = np.flatnonzero(turned >= 0)
        other = MIRRORED_LABEL[turned[known]]
        # Left comes right before its twin.
        swap = (other != turned[known]) & ((turned[known] < other) != is_left[known])
        turned[known[swap]] = other[swap]
        sided[name] = turned
    return found | sided


def write_rigged(characters: Path) -> Iterator[Path]:
    """Read all characters of a folder into `rigged.FOLDER`.

    Raises
    ------
    FileNotFoundError
        There are none in the folder.
    """
    paths = glb_files(characters)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in paths:
        written = FOLDER / f"{path.stem}.npz"
        np.savez_compressed(written, **read_rigged(path))
        yield written


@plain_errors
def main() -> None:
    """Write what `rigged` reads."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--characters", type=Path, required=True, help="folder of .glb files")
    for path in write_rigged(parser.parse_args().characters):
        print(path)


if __name__ == "__main__":
    main()
