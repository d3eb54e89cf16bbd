"""Writes a stand-in for the human segmentation benchmark, of bare synthetic bodies.

python -m experiments.stand_ins.human_benchmark FOLDER [--share 0.3]

Two layouts: FOLDER/sig17_seg_benchmark, as Maron et al. (2017) hand it out, and FOLDER/human_seg,
the same bodies as MeshCNN simplified them. As in the benchmark, shapes of one origin share a
triangulation and a file of labels, and those of the test have triangulations of their own.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from diffusionnet_blender.surface.surface import Surface
from training.bodies import (
    FIRST_HELD_OUT_SEED,
    build_body,
    sample_body,
    sample_local_changes,
    sample_phenotype,
)
from training.commands import plain_errors
from training.meshes import Body, shuffle
from training.parts import PART_NAMES
from training.poses import sample_pose
from training.remesh import decimate, keep_skin, remesh

from ..layouts import human_benchmark as layout
from ..layouts.stand_in import mark
from .meshes import export

# Meshes of each origin in the benchmark: 381 to learn from, 18 to measure on.
COUNTS = {"adobe": 41, "faust": 100, "mit": 169, "scape": 71}
# In FAUST and SCAPE one triangulation fits all; in the MIT animations, those of a take.
TEMPLATES = {"adobe": 0, "faust": 1, "mit": len(layout.TAKES), "scape": 1}
VERTICES, SIMPLIFIED = 2500, 750
# Parts in the numbers of the benchmark, from 0. Nothing documents those: they are the assignment
# that fits best to what the published weights find on such bodies, see `part_numbers`.
PARTS = ("head", "hand", "forearm", "upper_arm", "torso", "thigh", "shin", "foot")
NUMBER = np.array([PARTS.index(name.split(".")[0]) for name in PART_NAMES])


@dataclass(frozen=True)
class Written:
    """A body and the places of its files in the layout of the benchmark."""

    body: Body
    mesh: Path
    labels: Path


def bodies(share: float, vertices: int) -> Iterator[Written]:
    """All bodies of the stand-in; a share of as many as the benchmark has."""
    seed = 0
    for origin, most in COUNTS.items():
        count = max(len(layout.TAKES) if origin == "mit" else 1, round(share * most))
        templates = [_template(vertices, seed + t) for t in range(TEMPLATES[origin])]
        for index in range(count):
            seed += 1
            rng = np.random.default_rng(seed)
            if origin == "adobe":
                body = shuffle(decimate(keep_skin(sample_body(rng)), vertices), rng)
            else:
                body = _posed(templates[index % len(templates)], origin, index, rng)
            yield Written(body, *layout.training_files(origin, index, len(templates)))
    for number in layout.TEST_NUMBERS:
        rng = np.random.default_rng(FIRST_HELD_OUT_SEED + number)
        kind = str(rng.choice(["even", "uneven", "flipped"]))
        body = shuffle(remesh(keep_skin(sample_body(rng)), rng, kind, vertices), rng)
        yield Written(body, *layout.test_files(number))


def _template(vertices: int, seed: int) -> Body:
    """A triangulation with the vertex of the whole body (`place`) that each of its vertices is."""
    rng = np.random.default_rng([7, seed])
    body = build_body(sample_phenotype(rng))
    whole = replace(body, place=np.arange(len(body.vertices)))
    return shuffle(decimate(keep_skin(whole), vertices), rng)


def _posed(template: Body, origin: str, index: int, rng: np.random.Generator) -> Body:
    """The triangulation on another body: ten people in FAUST, one in SCAPE and in each take."""
    person = {"faust": [1, index // 10], "scape": [2]}.get(origin, [3, index % len(layout.TAKES)])
    who = np.random.default_rng(person)
    phenotype, changes = sample_phenotype(who), sample_local_changes(who)
    body = build_body(phenotype, changes, sample_pose(rng))
    return replace(template, vertices=body.vertices[template.place])


def part_of_faces(body: Body) -> np.ndarray:
    """The part of most corners of each triangle, (F,) from 0; of the first where all differ."""
    return layout.majority(NUMBER[body.labels][body.faces])


def simplified(body: Body, vertices: int = SIMPLIFIED) -> tuple[Body, np.ndarray, np.ndarray]:
    """The body as MeshCNN has it: its mesh, and at its edges parts from 1 and soft shares."""
    small = decimate(body, vertices)
    # Without the few triangles that have a side in common with two others.
    small = small.with_faces(layout.edges_of(Surface(small.vertices, small.faces)).faces)
    edges = layout.edges_of(Surface(small.vertices, small.faces))
    of_face = part_of_faces(small)
    labels = of_face[edges.first_face]
    # Half of an edge itself, and an eighth of each of the four around it.
    soft = 0.5 * np.eye(layout.PARTS)[labels]
    around = np.eye(layout.PARTS)[labels[edges.of_face]].sum(axis=1)
    for own in edges.of_face.T:
        np.add.at(soft, own, 0.125 * (around - np.eye(layout.PARTS)[labels[own]]))
    return small, labels + 1, soft


def write(folder: Path, share: float, vertices: int, simplified_to: int = SIMPLIFIED) -> None:
    """Write both layouts."""
    original, small = folder / layout.ORIGINAL, folder / layout.SIMPLIFIED
    mark(folder, "synthetic bodies in random poses, their parts those of their bones")
    for written in bodies(share, vertices):
        export(original / "meshes" / written.mesh, written.body)
        path = original / "segs" / written.labels
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savetxt(path, part_of_faces(written.body) + 1, fmt="%d")
        mesh, labels, soft = simplified(written.body, simplified_to)
        split, name = written.mesh.parts[0], "__".join(written.mesh.with_suffix("").parts[1:])
        export(small / split / f"{name}.obj", mesh)
        for kind, values, number in (("seg", labels, "%d"), ("sseg", soft, "%.6f")):
            (small / kind).mkdir(exist_ok=True)
            np.savetxt(small / kind / f"{name}.{kind.replace('seg', 'eseg')}", values, number)


@plain_errors
def main() -> None:
    """Write the stand-in."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--share", type=float, default=1.0, help="of the meshes of the benchmark")
    parser.add_argument("--vertices", type=int, default=VERTICES, help="of a mesh of the benchmark")
    chosen = parser.parse_args()
    write(chosen.folder, chosen.share, chosen.vertices)


if __name__ == "__main__":
    main()
