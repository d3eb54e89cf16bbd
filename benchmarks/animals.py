"""How good matches of four-legged animals are, beside plain ways, on animals of known truth.

python -m benchmarks.animals --write              # the bundled models, into docs/animals.md
python -m benchmarks.animals --left-out --write   # models that have seen no relative of the animal

One species in two poses is one individual, remeshed twice; relatives are two individuals of one
species; of two species the pairs are of unlike relatives. Error x100 at unit area on the template,
along straight lines, of all that is known there (`training.animal_places`). The animals are those
of `training.animal_files`, in unseen poses and proportions; centaurs are generated, and their error
is that on the one that is matched to.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.matching import by_signatures, nearest_after_alignment
from diffusionnet_blender.matching.points import SurfacePoints
from diffusionnet_blender.network.checkpoint import Model, load_model
from diffusionnet_blender.surface.repair import repair
from diffusionnet_blender.surface.surface import Surface, triangle_areas, vertex_areas
from diffusionnet_blender.tasks.match import match
from diffusionnet_blender.tasks.models import (
    ANIMAL_MATCH_MODEL,
    ANIMAL_PARTS_MODEL,
    find_model,
)
from training import animal_match, animal_parts
from training.animal_match import MIDDLE, template
from training.animal_match import animal_match as matching_of
from training.animal_poses import pose_turns
from training.animal_variety import vary
from training.animals import LINKS, PARENTS, SPECIES, dense
from training.bodies import FIRST_HELD_OUT_SEED, chain_moves, skinned
from training.commands import plain_errors
from training.documents import put_between, table
from training.match_model import error_on
from training.meshes import NOWHERE, Body
from training.parts import ANIMALS
from training.quadrupeds import sample_quadruped
from training.remesh import remesh

PAGE = animal_parts.PAGE
# Skins of low polygons are rounded first, so that all animals are meshed alike.
LEVELS = (True,)
# Of the area that has a side: with more on the other one a pair counts as turned around.
TURNED = 1 / 3
RELATIVES, CENTAURS = "two of one species", "one centaur in two poses"
Pair = tuple[Body, Body]
Way = Callable[[Surface, Surface], SurfacePoints]
Error = Callable[[Body, Body, SurfacePoints, np.ndarray], tuple[float, float]]


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


def centaur(individual: int, vertices: int) -> tuple[Pair, np.ndarray]:
    """A generated centaur in two poses, its places known on itself, and its vertices at rest."""
    rng = np.random.default_rng([FIRST_HELD_OUT_SEED, individual])
    animal = sample_quadruped(rng, human=True)
    rest = animal.figure.vertices
    still = np.tile(np.eye(3), (len(LINKS), 1, 1))
    pair = []
    for _ in range(2):
        moves = chain_moves(PARENTS, animal.joints, pose_turns(rng, LINKS), still)
        figure = animal.figure
        posed = skinned(rest, figure.weights, moves)
        places = np.arange(len(rest))
        body = Body(posed, figure.faces, figure.fine, figure.component, places, ANIMALS)
        pair.append(remesh(body, rng, "even", vertices))
    return (pair[0], pair[1]), rest


def error_on_template(
    source: Body, target: Body, points: SurfacePoints, faces: np.ndarray
) -> tuple[float, float]:
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
    area = vertex_areas(target.vertices, target.faces)[measured]
    return error_on(known, found[measured], target.place[measured], area)


def error_at_rest(
    rest: np.ndarray, source: Body, target: Body, points: SurfacePoints, faces: np.ndarray
) -> tuple[float, float]:
    """The same of one individual in two poses, on its vertices (V, 3) at rest."""
    size = np.sqrt(triangle_areas(source.vertices, source.faces).sum())
    given, right = points.interpolate(rest[source.place], faces), rest[target.place]
    area = vertex_areas(target.vertices, target.faces)
    error = 100 * np.average(np.linalg.norm(given - right, axis=1), weights=area) / size
    sided = np.abs(right[:, 0]) > MIDDLE
    astray = np.sign(given[sided, 0]) != np.sign(right[sided, 0])
    return float(error), float(np.average(astray, weights=area[sided]))


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
        for source, target in pairs:
            for individual in range(individuals):
                pair = (
                    figure(source, individual, 0, vertices),
                    figure(target, individual, 1, vertices),
                )
                name = f"{source} to {target}"
                rows.append(_row(kind, name, pair, ways_of(features, parts), error_on_template))
    for name in SPECIES[group]:
        for individual in range(individuals):
            pair = figure(name, individual, 0, vertices), figure(name, individual + 1, 1, vertices)
            rows.append(_row(RELATIVES, name, pair, ways_of(features, parts), error_on_template))
    return rows


def measure_centaurs(count: int, vertices: int) -> list[dict]:
    """The same of generated centaurs by the bundled models."""
    ways = ways_of(find_model(ANIMAL_MATCH_MODEL), find_model(ANIMAL_PARTS_MODEL))
    rows = []
    for individual in range(count):
        pair, rest = centaur(individual, vertices)
        rows.append(_row(CENTAURS, str(individual), pair, ways, partial(error_at_rest, rest)))
    return rows


def _row(kind: str, name: str, pair: Pair, ways: dict[str, Way], error: Error) -> dict:
    """Error, share astray and seconds of each way on a pair."""
    source, target = pair
    clean = [repair(Surface(each.vertices, each.faces)) for each in pair]
    row = {"kind": kind, "pair": name}
    for way, run in ways.items():
        started = time.process_time()
        points = run(*(each.surface for each in clean))
        seconds = time.process_time() - started
        points = points[clean[1].clean_vertex]
        faces = clean[0].user_vertex[clean[0].surface.faces]
        row[way] = (*error(source, target, points, faces), seconds)
    print(f"{kind}: {name:28}", *(f"{way} {row[way][0]:.2f}" for way in ways), flush=True)
    return row


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
    parser.add_argument("--centaurs", type=int, default=12, help="generated ones")
    parser.add_argument("--vertices", type=int, default=4000)
    parser.add_argument("--write", action="store_true", help="into docs/animals.md")
    a = parser.parse_args()
    rows = [
        row for group in a.groups for row in measure(group, a.left_out, a.individuals, a.vertices)
    ]
    if not a.left_out:
        rows += measure_centaurs(a.centaurs, a.vertices)
    header = ["pairs of", "", "way", "mean", "median", "worst", "turned", "CPU s"]
    text = table(header, summary(rows))
    print(text)
    if a.write:
        put_between(PAGE, "matches left out" if a.left_out else "matches", text)


if __name__ == "__main__":
    main()
