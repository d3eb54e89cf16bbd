"""Writes a stand-in for SHREC 2011: thirty classes of twenty shapes, bent and twisted.

python -m experiments.stand_ins.shrec11 FOLDER [--animals ANIMALS] [--vertices 1000]

Each class is one body, animal or solid. Its members are bent, twisted and posed with little
stretching, differ a little in proportions, are meshed each in its own way, and turned at random.
Two layouts: FOLDER/shrec_11 as Lian et al. (2011) hand it out, and FOLDER/shrec_16, the same shapes
as MeshCNN simplified them. ANIMALS is a folder of .glb files; without it more solids take their
places.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import trimesh
from scipy.spatial.transform import Rotation

from benchmarks.quadrupeds import sample_animal
from diffusionnet_blender.surface.repair import repair
from diffusionnet_blender.surface.surface import Surface
from training.bodies import build_body
from training.commands import plain_errors
from training.meshes import Body, shuffle
from training.poses import sample_pose
from training.primitives import Mesh
from training.remesh import decimate, keep_skin, remesh, subdivide
from training.voxels import outer_skin

from ..layouts import shrec11 as layout
from ..layouts.stand_in import mark
from .meshes import export
from .solids import bent, longest_along_z, plain, solids, twisted

VERTICES, SIMPLIFIED = 3000, 252
DENSE = 6000
# Radians over the length of a shape.
BEND, TWIST = 0.9, 0.7
PEOPLE = {
    "man": {"gender": 0.0, "age": 0.7},
    "woman": {"gender": 1.0, "age": 0.7},
    "child": {"gender": 0.5, "age": 0.3},
    "heavy_man": {"gender": 0.0, "age": 0.7, "weight": 1.0, "muscle": 0.2},
}
Maker = Callable[[np.random.Generator], Body]


def classes(animals: Path | None) -> dict[str, Maker]:
    """Thirty makers of a shape before it is bent, by the names of their classes."""
    made: dict[str, Maker] = {name: partial(_person, PEOPLE[name]) for name in PEOPLE}
    made["quadruped"] = _quadruped
    if animals is not None:
        paths = sorted(animals.glob("*.glb"))
        if not paths:
            raise FileNotFoundError(f"{animals} has no .glb files in it")
        made |= {path.stem: partial(varied, _animal(path)) for path in paths}
    for name, mesh in solids().items():
        if len(made) < layout.CLASSES:
            made[name] = partial(varied, _dense(mesh))
    return dict(list(made.items())[: layout.CLASSES])


def _person(phenotype: dict[str, float], rng: np.random.Generator) -> Body:
    mixed = {name: np.clip(v + rng.normal(0, 0.04), 0, 1) for name, v in phenotype.items()}
    return keep_skin(build_body(mixed, pose=sample_pose(rng)))


def _quadruped(rng: np.random.Generator) -> Body:
    animal = sample_animal(int(rng.integers(2**31)), DENSE, variety=0.15)
    return plain(animal.vertices, animal.faces)


def _animal(path: Path) -> Body:
    """The outer skin of all meshes of a file."""
    mesh = trimesh.load_mesh(path)
    return outer_skin(plain(np.asarray(mesh.vertices), np.asarray(mesh.faces)), 90)


def _dense(mesh: Mesh) -> Body:
    """A solid with enough vertices to bend."""
    clean = repair(Surface(*mesh)).surface
    body = plain(clean.vertices, clean.faces)
    while len(body.vertices) < DENSE / 2:
        body = subdivide(body, smooth=False)
    return body


def varied(body: Body, rng: np.random.Generator) -> Body:
    """The shape with its axes a little longer or shorter, bent twice and twisted."""
    points = body.vertices * np.exp(rng.normal(0, 0.06, 3))
    for _ in range(2):
        turn = Rotation.random(rng=rng)
        points = turn.inv().apply(bent(turn.apply(points), rng.uniform(-BEND, BEND)))
    turn = longest_along_z(points)
    return replace(body, vertices=twisted(points @ turn.T, rng.uniform(-TWIST, TWIST)))


def member(maker: Maker, vertices: int, rng: np.random.Generator) -> Body:
    """One shape of a class, in a mesh and orientation of its own."""
    made = maker(rng)
    kind = str(rng.choice(["even", "uneven", "flipped"]))
    made = shuffle(remesh(made, rng, kind, vertices), rng)
    return replace(made, vertices=Rotation.random(rng=rng).apply(made.vertices))


def write(
    folder: Path,
    makers: Mapping[str, Maker],
    vertices: int,
    members: int,
    simplified_to: int = SIMPLIFIED,
) -> None:
    """Write so many members of each class in both layouts."""
    original, simplified = folder / layout.ORIGINAL, folder / layout.SIMPLIFIED
    mark(folder, "synthetic bodies, animals and solids, bent and twisted")
    original.mkdir(exist_ok=True)
    numbers = np.random.default_rng(0).permutation(len(makers) * members).reshape(-1, members)
    lines = ["PSB 1", f"{len(makers)} {numbers.size}", ""]
    for row, (name, maker) in zip(numbers.tolist(), makers.items(), strict=True):
        lines += [f"stand_in_{name} 0 {members}", *map(str, row), ""]
        for index, number in enumerate(row):
            shape = member(maker, vertices, np.random.default_rng([1, number]))
            export(original / f"T{number}.off", shape)
            # MeshCNN's own split has 16 and 4.
            split = "train" if index < 0.8 * members else "test"
            small = decimate(shape, simplified_to)
            export(simplified / f"stand_in_{name}" / split / f"T{number}.obj", small)
        print(name, flush=True)
    (original / "test.cla").write_text("\n".join(lines))


@plain_errors
def main() -> None:
    """Write the stand-in."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--animals", type=Path, help="folder of .glb files")
    parser.add_argument("--vertices", type=int, default=VERTICES, help="of an original mesh")
    parser.add_argument("--members", type=int, default=layout.MEMBERS, help="of each class")
    chosen = parser.parse_args()
    write(chosen.folder, classes(chosen.animals), chosen.vertices, chosen.members)


if __name__ == "__main__":
    main()
