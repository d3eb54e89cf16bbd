"""Synthetic bodies in the layout of the remeshed FAUST and SCAPE.

python -m experiments.stand_ins.faust_scape FOLDER [--train-vertices 1200 --share 0.4]

"FAUST" has ten people in ten poses each, "SCAPE" one person in 71; each body is remeshed by itself.
All stand along +y, as those of FAUST do, and differ in pose alone where they are one person.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from diffusionnet_blender.matching.sampling import farthest_points
from diffusionnet_blender.surface.surface import Surface
from training.bodies import (
    Leg,
    Pose,
    build_body,
    load_template,
    sample_local_changes,
    sample_phenotype,
)
from training.commands import plain_errors
from training.matched_bodies import MatchedBody, match_body
from training.poses import sample_pose

from ..layouts.faust_scape import FIRST_TEST
from ..layouts.stand_in import mark

NAMES = {"faust": ("FAUST_r", "tr_reg_{:03d}"), "scape": ("SCAPE_r", "mesh{:03d}")}
NUMBERS = {"faust": tuple(range(100)), "scape": tuple(n for n in range(72) if n != 51)}
POSES_OF_A_PERSON = 10
PLACES = 2500
REST = Pose(left_leg=Leg(spread=10.0), right_leg=Leg(spread=10.0))


def write_shape(folder: Path, data_set: str, number: int, surface: Surface, places) -> None:
    """Write one shape into the layout of Donati et al.

    Parameters
    ----------
    folder : Path
        Of both data sets.
    data_set : {"faust", "scape"}
    number : int
    surface : Surface
    places : (P,) int
        Vertex of each place of the template.
    """
    name, pattern = NAMES[data_set]
    stem = pattern.format(number)
    for part in ("off_2", "corres"):
        (folder / name / part).mkdir(parents=True, exist_ok=True)
    vertices, faces = surface.vertices, surface.faces
    lines = ["OFF", f"{len(vertices)} {len(faces)} 0"]
    lines += [f"{x:.6f} {y:.6f} {z:.6f}" for x, y, z in vertices]
    lines += [f"3 {a} {b} {c}" for a, b, c in faces]
    (folder / name / "off_2" / f"{stem}.off").write_text("\n".join(lines) + "\n")
    ones = "\n".join(str(vertex + 1) for vertex in places)
    (folder / name / "corres" / f"{stem}.vts").write_text(ones + "\n")


def body_of(data_set: str, number: int, vertices: int) -> MatchedBody:
    """The shape with a number, remeshed by itself, the same for the same number.

    It is meshed at rest, turned at random, where no limbs touch that would grow together, and
    takes its pose with its places on the template.

    Parameters
    ----------
    data_set : {"faust", "scape"}
    number : int
    vertices : int
        About.
    """
    person = number // POSES_OF_A_PERSON if data_set == "faust" else POSES_OF_A_PERSON
    rng = np.random.default_rng(person)
    phenotype, local_changes = sample_phenotype(rng), sample_local_changes(rng)
    # Grown up, as those of the data sets are.
    phenotype["age"] = float(rng.uniform(0.6, 1.0))
    rng = np.random.default_rng([person, number])
    posed = build_body(phenotype, local_changes, sample_pose(rng))
    rest = build_body(phenotype, local_changes, REST)
    turned = replace(rest, vertices=Rotation.random(rng=rng).apply(rest.vertices))
    # This kind of remeshing gives twice as many vertices.
    made = match_body(turned, rng, "isotropic", vertices // 2)
    vertices = made.template_points.interpolate(posed.vertices, posed.faces)
    return replace(made, vertices=vertices, posed=posed.vertices)


def places_of(body: MatchedBody, places: np.ndarray) -> np.ndarray:
    """Vertex of a remeshed body that is nearest to each place, at rest, where no limbs touch."""
    template = load_template()
    at_rest = body.template_points.interpolate(template.vertices, template.faces)
    return cKDTree(at_rest).query(template.vertices[places])[1]


def write(folder: Path, vertices: int, train_vertices: int, share: float) -> None:
    """Write both data sets.

    Parameters
    ----------
    folder : Path
    vertices, train_vertices : int
        Of each shape of the test and of the train split, about.
    share : float
        Of the train split.
    """
    template = load_template()
    skin = np.flatnonzero(template.component == 0)
    places = skin[farthest_points(template.vertices[skin].astype(float), PLACES)]
    mark(folder, "synthetic bodies of anny, each remeshed by itself")
    for data_set, numbers in NUMBERS.items():
        first = FIRST_TEST[data_set]
        train = [number for number in numbers if number < first]
        train = [
            train[i] for i in np.linspace(0, len(train) - 1, round(share * len(train))).astype(int)
        ]
        for number in (*train, *(number for number in numbers if number >= first)):
            body = body_of(data_set, number, vertices if number >= first else train_vertices)
            upright = body.vertices[:, [0, 2, 1]] * [1, 1, -1]
            surface = Surface(upright, body.faces)
            write_shape(folder, data_set, number, surface, places_of(body, places))


@plain_errors
def main() -> None:
    """Write both data sets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--vertices", type=int, default=2400, help="of each shape, about")
    parser.add_argument("--train-vertices", type=int, help="of the train split, by default alike")
    parser.add_argument("--share", type=float, default=1.0, help="of the train split to write")
    a = parser.parse_args()
    write(a.folder, a.vertices, a.train_vertices or a.vertices, a.share)


if __name__ == "__main__":
    main()
