"""How good matches of four-legged animals are, beside plain ways, on animals of known truth.

python -m benchmarks.animals --write              # the bundled models, into docs/animals.md
python -m benchmarks.animals --left-out --write   # models that have seen no relative of the animal

One species in two poses is one individual, remeshed twice; of two species the pairs are of unlike
relatives. Error x100 at unit area on the template, along straight lines, of all that is known there
(`training.animal_places`). The animals are those of `training.animal_files`, in unseen poses and
proportions.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from benchmarks.matching import by_signatures, nearest_after_alignment
from diffusionnet_blender.matching.points import SurfacePoints
from diffusionnet_blender.network.checkpoint import Model, load_model
from diffusionnet_blender.surface.repair import repair
from diffusionnet_blender.surface.surface import Surface, triangle_areas
from diffusionnet_blender.tasks.match import match
from diffusionnet_blender.tasks.models import (
    ANIMAL_MATCH_MODEL,
    ANIMAL_PARTS_MODEL,
    find_model,
)
from training import animal_match, animal_parts
from training.animal_match import animal_match as matching_of
from training.animal_match import template
from training.animal_variety import vary
from training.animals import SPECIES, dense
from training.bodies import FIRST_HELD_OUT_SEED
from training.commands import plain_errors
from training.documents import put_between, table
from training.match_model import error_on
from training.meshes import NOWHERE, Body
from training.remesh import remesh

PAGE = animal_parts.PAGE
# Skins of low polygons are rounded first, so that all animals are meshed alike.
LEVELS = (True,)
# Of the area that has a side: with more on the other one a pair counts as turned around.
TURNED = 1 / 3
Way = Callable[[Surface, Surface], SurfacePoints]


def figure(name: str, individual: int, pose: int, vertices: int) -> Body:
    """An animal of a species, remeshed, its places on the template known.

    Parameters
    ----------
    name : of `animals.NAMES`.
    individual, pose : int
        Seeds of its build and of its pose.
    vertices : int
    """
    build = np.random.default_rng([FIRST_HELD_OUT_SEED, individual])
    posed = np.random.default_rng([FIRST_HELD_OUT_SEED, individual, pose])
    return remesh(vary(dense(name, LEVELS), build, posed), posed, "even", vertices)


def error_of(source: Body, target: Body, points: SurfacePoints, faces: np.ndarray):
    """Mean error x100, and the share of the sided area that is mapped to the other side.

    Parameters
    ----------
    source, target : Body
    points : SurfacePoints
        On the source, one for each vertex of the target.
    faces : (F, 3) int
        Of the source, as the points count them.
    """
    known = template()
    found = source.place[points.nearest_vertex(faces)]
    measured = known.has_partner(target.place, source.place) & (found != NOWHERE)
    third = np.repeat(triangle_areas(target.vertices, target.faces) / 3, 3)
    area = np.bincount(target.faces.ravel(), third, minlength=len(target.vertices))[measured]
    return error_on(known, found[measured], target.place[measured], area)


def ways_of(features: Model, parts: Model) -> dict[str, Way]:
    """Ways to a map by what they are called."""
    return {
        "nearest point, aligned": nearest_after_alignment,
        "WKS, ZoomOut": by_signatures,
        "None": lambda s, t: match(s, t, None, method="MATCH").target_to_source,
        "animal_match": lambda s, t: (
            match(s, t, features, method="MATCH", parts_models=(parts, parts)).target_to_source
        ),
    }


def measure(group: str, left_out: bool, individuals: int, vertices: int) -> list[dict]:
    """Errors of every pair of a group of species by every way."""
    if left_out:
        features = load_model(animal_match.folder_of(group) / f"{animal_match.NAME}.safetensors")
        parts = load_model(animal_parts.folder_without(group) / f"{animal_parts.NAME}.safetensors")
    else:
        features, parts = find_model(ANIMAL_MATCH_MODEL), find_model(ANIMAL_PARTS_MODEL)
    rows = []
    for kind, pairs in matching_of(SPECIES[group]).pairs.items():
        for source_name, target_name in pairs:
            for individual in range(individuals):
                source = figure(source_name, individual, 0, vertices)
                target = figure(target_name, individual, 1, vertices)
                clean = [repair(Surface(each.vertices, each.faces)) for each in (source, target)]
                row = {"kind": kind, "pair": f"{source_name} to {target_name}"}
                for name, way in ways_of(features, parts).items():
                    started = time.process_time()
                    points = way(*(each.surface for each in clean))
                    seconds = time.process_time() - started
                    points = points[clean[1].clean_vertex]
                    faces = clean[0].user_vertex[clean[0].surface.faces]
                    row[name] = (*error_of(source, target, points, faces), seconds)
                rows.append(row)
                shown = "  ".join(f"{n} {row[n][0]:.2f}" for n in ways_of(features, parts))
                print(f"{kind}: {row['pair']:28} {shown}", flush=True)
    return rows


def summary(rows: list[dict]) -> list[list[str]]:
    """Lines of the table."""
    lines = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        own = [row for row in rows if row["kind"] == kind]
        for name in [key for key in own[0] if key not in ("kind", "pair")]:
            error, astray, seconds = np.transpose([row[name] for row in own])
            lines.append(
                [
                    kind,
                    str(len(own)),
                    name,
                    f"{error.mean():.2f}",
                    f"{np.median(error):.2f}",
                    f"{error.max():.1f}",
                    str(int((astray > TURNED).sum())),
                    f"{np.median(seconds):.1f}",
                ]
            )
    return lines


@plain_errors
def main() -> None:
    """Measure, print, and write the table if that is wanted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--left-out", action="store_true", help="models without relatives")
    parser.add_argument("--groups", nargs="+", choices=list(SPECIES), default=list(SPECIES))
    parser.add_argument("--individuals", type=int, default=2, help="of each pair of species")
    parser.add_argument("--vertices", type=int, default=4000)
    parser.add_argument("--write", action="store_true", help="into docs/animals.md")
    a = parser.parse_args()
    rows = [
        row for group in a.groups for row in measure(group, a.left_out, a.individuals, a.vertices)
    ]
    header = ["pairs of", "", "way", "mean", "median", "worst", "turned", "CPU s"]
    text = table(header, summary(rows))
    print(text)
    if a.write:
        put_between(PAGE, "matches left out" if a.left_out else "matches", text)


if __name__ == "__main__":
    main()
