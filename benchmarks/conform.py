"""How well *Conform* lays a body's mesh onto another body, beside plain ways, on known truth.

python -m benchmarks.conform --pairs 40 [--vertices 4000] [--write]

Unseen bodies in unseen poses, each remeshed: as many pairs of each of `KINDS`. Distances are in
percent of the target's height: to its surface, where that has no hole, and to the true place of
each vertex, which the bodies' common template gives. A face is turned over where it faces away from
where it should; where the remeshing or the pose has folded it, that is in doubt. Edges are compared
with the true ones.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from diffusionnet_blender.matching.arap import RestShape
from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.matching.conform import DATA_WEIGHTS, ROUNDS
from diffusionnet_blender.matching.registration import Schedule, deformed
from diffusionnet_blender.matching.rims import end_on_rim, is_on_rim
from diffusionnet_blender.surface.edges import unique_edges
from diffusionnet_blender.surface.surface import (
    Surface,
    triangle_areas,
    triangle_vectors,
    vertex_areas,
)
from diffusionnet_blender.surface.winding import vertex_normals
from diffusionnet_blender.tasks.conform import conform
from training.bodies import FIRST_HELD_OUT_SEED, load_template
from training.damage import left_by_holes, scan
from training.documents import put_between, table
from training.matched_bodies import MatchedBody, sample_matched_body
from training.meshes import add_noise

DOCUMENT = Path(__file__).parents[1] / "docs" / "conform.md"
# The same rounds as those of Conform, to closest points from the first on.
CLOSEST_ALONE = Schedule(ROUNDS, on_map=0, data_weights=DATA_WEIGHTS)


# Of an edge: the roughness of a scan beside its waves.
GRAIN = 0.05


def scanned(body: MatchedBody, seed: int) -> MatchedBody:
    """A body as a scanner sees it: waves and grain on its skin, holes in it."""
    rng = np.random.default_rng(seed)
    rough = replace(body, vertices=add_noise(scan(body.labelled(), rng), rng, GRAIN).vertices)
    return rough.with_faces(rough.faces[left_by_holes(rough.labelled(), rng)])


def pair_of(kind: str, seed: int, vertices: int) -> tuple[MatchedBody, MatchedBody]:
    """A mesh, and the target of one of `KINDS` that it is bent onto."""
    stylised, of_mesh, of_target = KINDS[kind]
    mesh = sample_matched_body(seed, 0.0, round(of_mesh * vertices))
    target = sample_matched_body(seed + 1, stylised, round(of_target * vertices))
    return mesh, scanned(target, seed) if kind == SCANS else target


SCANS = "onto scans with noise and holes"
# Of each kind the chance of cartoon proportions of the target, and the vertices of mesh and target,
# as shares of those asked for.
KINDS = {
    "bodies": (0.0, 1.0, 1.0),
    "onto stylised bodies": (1.0, 1.0, 1.0),
    SCANS: (0.0, 1.0, 1.0),
    "dense onto coarse": (0.0, 3.0, 0.4),
    "coarse onto dense": (0.0, 0.4, 3.0),
}


def aligned(mesh: MatchedBody, target: MatchedBody) -> np.ndarray:
    """The mesh with its middle and its area laid on the target's, (V, 3)."""

    def middle_and_size(body):
        area = triangle_areas(body.vertices, body.faces)
        centres = body.vertices[body.faces].mean(axis=1)
        return np.average(centres, axis=0, weights=area), np.sqrt(area.sum())

    (middle, size), (goal, goal_size) = middle_and_size(mesh), middle_and_size(target)
    return (mesh.vertices - middle) * goal_size / size + goal


def shrinkwrapped(mesh: MatchedBody, target: MatchedBody) -> np.ndarray:
    """Every vertex at the nearest point of the target after alignment."""
    surface = ClosestPoints(target.vertices, target.faces)
    return surface.positions(surface(aligned(mesh, target))[0])


def by_closest_points(mesh: MatchedBody, target: MatchedBody) -> np.ndarray:
    """As-rigid-as-possible registration to closest points after alignment, without a map."""
    size = np.sqrt(triangle_areas(target.vertices, target.faces).sum())
    surface = ClosestPoints(target.vertices / size, target.faces)
    start = aligned(mesh, target) / size
    mass = vertex_areas(start, mesh.faces)
    rest = RestShape.of(start, mesh.faces, mass / mass.sum())
    points, _ = surface(start)
    return size * deformed(rest, surface, points, np.zeros(len(start)), CLOSEST_ALONE)


def conformed(mesh: MatchedBody, target: MatchedBody) -> np.ndarray:
    """By the task, as a script calls it."""
    shapes = (Surface(body.vertices, body.faces) for body in (mesh, target))
    return conform(*shapes, accept_uncertain=True).vertices


CONFORM = "Conform"
WAYS: dict[str, Callable[[MatchedBody, MatchedBody], np.ndarray]] = {
    "Shrinkwrap after alignment": shrinkwrapped,
    "registration to closest points": by_closest_points,
    CONFORM: conformed,
}
ALL = "all"


def is_over_hole(surface: ClosestPoints, places: np.ndarray) -> np.ndarray:
    """Which places (V, 3) of a body have no surface of a target beneath, (V,) bool."""
    rim = is_on_rim(surface.vertices, surface.faces)
    return end_on_rim(surface(places)[0], surface.faces, rim)


def against_skin(mesh: MatchedBody, places: np.ndarray, posed: np.ndarray) -> np.ndarray:
    """Which faces of a mesh, at places (V, 3), face away from the template's skin, (F,) bool."""
    skin = load_template().faces
    outward = mesh.template_points.interpolate(vertex_normals(posed, skin), skin)
    facing = outward[mesh.faces].sum(axis=1)
    return np.einsum("fi,fi->f", triangle_vectors(places, mesh.faces), facing) < 0


def errors(mesh: MatchedBody, target: MatchedBody, at: np.ndarray) -> dict[str, float]:
    """Measures of one result."""
    height = np.ptp(target.posed[:, 2]) / 100
    right = mesh.template_points.interpolate(target.posed, load_template().faces)
    surface = ClosestPoints(target.vertices, target.faces)
    away = np.linalg.norm(surface.positions(surface(at)[0]) - at, axis=1) / height
    off = np.linalg.norm(at - right, axis=1) / height
    facing = np.einsum(
        "fi,fi->f", triangle_vectors(at, mesh.faces), triangle_vectors(right, mesh.faces)
    )
    turned = facing < 0
    doubtful = against_skin(mesh, mesh.vertices, mesh.posed)
    doubtful |= against_skin(mesh, right, target.posed)
    edges, _ = unique_edges(mesh.faces)
    lengths = [np.linalg.norm(x[edges[:, 0]] - x[edges[:, 1]], axis=1) for x in (at, right)]
    ratio = lengths[0] / np.maximum(lengths[1], 1e-9)
    return {
        "surface": float(away[~is_over_hole(surface, right)].mean()),
        "place": float(off.mean()),
        "worst": float(np.percentile(off, 99)),
        "turned": float(turned.mean()),
        "doubtful": float((turned & doubtful).mean()),
        "short": float(np.percentile(ratio, 1)),
        "long": float(np.percentile(ratio, 99)),
    }


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--vertices", type=int, default=4000)
    parser.add_argument("--write", action="store_true", help="into docs/conform.md")
    chosen = parser.parse_args()
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for number in range(chosen.pairs):
        seed, kind = FIRST_HELD_OUT_SEED + number, list(KINDS)[number % len(KINDS)]
        mesh, target = pair_of(kind, seed, chosen.vertices)
        for name, way in WAYS.items():
            clock = time.process_time()
            at = way(mesh, target)
            seconds = time.process_time() - clock
            result = errors(mesh, target, at) | {"seconds": seconds}
            for group in (kind, ALL):
                found.setdefault((group, name), []).append(result)
        print(kind, seed, *(f"{found[kind, name][-1]['place']:6.2f}" for name in WAYS), flush=True)
    rows = []
    for group, name in itertools.product((*KINDS, ALL), WAYS):
        results = found.get((group, name))
        if results is None or (name != CONFORM and group != ALL):
            continue
        mean = {key: float(np.mean([one[key] for one in results])) for key in results[0]}
        rows.append(
            [
                group,
                str(len(results)),
                name,
                f"{mean['surface']:.3f}",
                f"{mean['place']:.2f}",
                f"{mean['worst']:.1f}",
                f"{100 * mean['turned']:.1f}",
                f"{100 * mean['doubtful']:.1f}",
                f"{mean['short']:.2f} / {mean['long']:.2f}",
                f"{mean['seconds']:.1f}",
            ]
        )
    header = ["pairs", "", "way", "surface, %", "place, %", "place, 99 %", "turned over, %"]
    text = table([*header, "in doubt, %", "edges, 1 / 99 %", "CPU s"], rows)
    text = f"{chosen.pairs} pairs of about {chosen.vertices:,} vertices.\n\n{text}"
    print(text)
    if chosen.write:
        put_between(DOCUMENT, "conform", text)


if __name__ == "__main__":
    main()
