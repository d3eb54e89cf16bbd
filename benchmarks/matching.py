"""How good a match is, beside plain ways to do it, on unseen synthetic bodies of known truth.

python -m benchmarks.matching --pairs 100 --model body_match
python -m benchmarks.matching --pairs 20 --model body_match --case cut   # and the other cases
python -m benchmarks.transfer_report    # what was measured, into docs/transfer.md

Mean geodesic error x100 at unit area: the distance, along the source's own dense body, between
where a point of the target was put and where it belongs.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.meshes import BUILD
from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.matching.functional_map import functional_map, map_of_points
from diffusionnet_blender.matching.geodesic import geodesic_distances, surface_graph
from diffusionnet_blender.matching.points import SurfacePoints, points_at_vertices
from diffusionnet_blender.matching.pointwise import embeddings, nearest_rows, precise_map
from diffusionnet_blender.matching.spectral import spectral_mesh
from diffusionnet_blender.matching.zoomout import zoomout
from diffusionnet_blender.surface.discretization import discretize, truncated
from diffusionnet_blender.surface.edges import edges_of_sides
from diffusionnet_blender.surface.repair import repair
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.signatures import wave_kernel_signature
from diffusionnet_blender.surface.surface import Surface, triangle_areas, triangle_vectors
from diffusionnet_blender.tasks.engines import choose_engine
from diffusionnet_blender.tasks.match import match
from diffusionnet_blender.tasks.match.maps import FIRST_MAP_SIZE
from diffusionnet_blender.tasks.match.side import MAP_SIZE, vertex_features
from diffusionnet_blender.tasks.models import find_model
from training.bodies import FIRST_HELD_OUT_SEED, load_template, sample_body
from training.damage import left_by_cut
from training.matched_bodies import MatchedBody, match_body, sample_matched_body

# Points of the target whose error is measured; their places are drawn by area.
MEASURED = 300
# Places nearer than this, in metres, are compared along a straight line.
STRAIGHT = 0.06
# A pair counts as turned around where half of it is this far off (x100).
ASTRAY = 15.0


class Truth:
    """The dense body under a remeshed one: where places of the template are, and how far off it.

    Parameters
    ----------
    posed : (T, 3) float
        The template's vertices in the shape and pose of the body; only those of its skin count.
    places : SurfacePoints
        On the template, those that are asked for.
    """

    def __init__(self, posed: np.ndarray, places: SurfacePoints):
        template = load_template()
        faces = template.faces[template.component[template.faces[:, 0]] == 0]
        skin, local = np.unique(faces, return_inverse=True)
        self.faces = local.reshape(-1, 3)
        self.vertices = posed[skin]
        self.size = np.sqrt(triangle_areas(self.vertices, self.faces).sum())
        self.closest = ClosestPoints(self.vertices, self.faces)
        self.right = places.interpolate(posed, template.faces)
        start = np.searchsorted(skin, places.nearest_vertex(template.faces))
        self.start = np.minimum(start, len(skin) - 1)
        self.along = geodesic_distances(surface_graph(self.vertices, self.faces), self.start)

    def error(self, position, normals) -> np.ndarray:
        """Distance x100 at unit area from positions on the body to the places."""
        found, _ = self.closest(position, normals, 80.0)
        corners = self.faces[found.face]
        at = self.closest.positions(found)
        along = self.along[np.arange(len(at))[:, None], corners]
        distance = (along + np.linalg.norm(self.vertices[corners] - at[:, None], axis=2)).min(1)
        distance += np.linalg.norm(self.vertices[self.start] - self.right, axis=1)
        straight = np.linalg.norm(at - self.right, axis=1)
        return 100 * np.where(distance < STRAIGHT, straight, distance) / self.size


def measured_points(body: MatchedBody, lost: np.ndarray) -> np.ndarray:
    """Vertices of the skin, drawn by the area around them, but for those that are `lost` (V,)."""
    template = load_template()
    area = np.bincount(
        body.faces.ravel(),
        np.repeat(triangle_areas(body.vertices, body.faces), 3),
        minlength=len(body.vertices),
    )
    known = len(body.template_points)
    inner = template.component[template.faces[body.template_points.face, 0]] != 0
    area[:known][inner] = 0
    # Vertices made by subdivision are not known on the template.
    area[known:] = 0
    area[:known][lost] = 0
    rng = np.random.default_rng(0)
    count = min(MEASURED, np.count_nonzero(area))
    return rng.choice(len(area), count, replace=False, p=area / area.sum())


def nearest_after_alignment(source: Surface, target: Surface) -> SurfacePoints:
    """Closest points after the centres were laid together and the areas made equal."""

    def normalised(surface):
        area = triangle_areas(surface.vertices, surface.faces)
        middle = np.average(surface.vertices[surface.faces].mean(axis=1), axis=0, weights=area)
        return (surface.vertices - middle) / np.sqrt(area.sum())

    return ClosestPoints(normalised(source), source.faces)(normalised(target))[0]


def by_signatures(source: Surface, target: Surface) -> SurfacePoints:
    """Wave kernel signatures, one functional map, ZoomOut, precise map."""
    meshes, known = [], []
    for surface in (source, target):
        mesh = spectral_mesh(discretize(surface, DiscretizationSettings(k=150)))
        signature = wave_kernel_signature(mesh.eigenvalues, mesh.eigenvectors, 64)
        meshes.append(mesh)
        known.append(signature / (mesh.mass @ signature))
    refined = zoomout(*meshes, functional_map(*meshes, *known, 30), 150)
    there, here = embeddings(meshes[0].eigenvectors, meshes[1].eigenvectors, refined)
    return precise_map(there, source.faces, here)


def raw_map(source: Surface, target: Surface, model) -> SurfacePoints:
    """The most similar features, vertex by vertex."""
    settings = model.card.discretization
    features = [
        vertex_features(model, discretize(surface, settings), choose_engine())
        for surface in (source, target)
    ]
    return points_at_vertices(nearest_rows(*features), source.faces)


def refined_map(source: Surface, target: Surface, model) -> SurfacePoints:
    """The same, a functional map of it, ZoomOut, and a precise map."""
    meshes, features = [], []
    settings = model.card.discretization
    for surface in (source, target):
        found = discretize(surface, replace(settings, k=MAP_SIZE))
        meshes.append(spectral_mesh(found))
        features.append(vertex_features(model, truncated(found, settings.k), choose_engine()))
    partners = points_at_vertices(nearest_rows(*features), source.faces)
    refined = zoomout(*meshes, map_of_points(*meshes, partners, FIRST_MAP_SIZE), MAP_SIZE)
    there, here = embeddings(meshes[0].eigenvectors, meshes[1].eigenvectors, refined)
    return precise_map(there, source.faces, here)


CASES = ("clean", "resolutions", "loose", "rotated", "cut", "damaged", "cut source", "stylised")
RESULTS = BUILD / "matching"


def body_of(case: str, seed: int, vertices: int, is_target: bool) -> MatchedBody:
    """A body of a case of the table; only targets are turned, damaged or dense."""
    rng = np.random.default_rng(seed)
    if case == "loose":
        body = sample_body(rng, stylised=0.0)
        return match_body(body, rng, "even", vertices, skin_alone=False)
    if case == "resolutions":
        body = sample_matched_body(seed, 0.0, 12_500 if is_target else 1000)
        return _subdivided(body) if is_target else body
    # Stylised bodies against realistic ones.
    body = sample_matched_body(seed, float(case == "stylised" and is_target), vertices)
    if case == "cut" and is_target or case == "cut source" and not is_target:
        return body.with_faces(body.faces[~below_waist(body)[body.faces].any(axis=1)])
    if not is_target:
        return body
    if case == "damaged":
        return body.with_faces(body.faces[left_by_cut(body.labelled(), rng)])
    if case == "rotated":
        turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
        turn *= np.linalg.det(turn)
        return replace(body, vertices=rng.uniform(0.1, 10) * body.vertices @ turn.T + [3, 1, 2])
    return body


def below_waist(body: MatchedBody) -> np.ndarray:
    """What a bust and its arms lack, (V,) bool."""
    template = load_template()
    height = template.vertices[:, 2]
    waist = height.min() + 0.55 * np.ptp(height)
    return body.template_points.interpolate(template.vertices, template.faces)[:, 2] <= waist


def _subdivided(body: MatchedBody) -> MatchedBody:
    """Each triangle in four; the vertices that were there come first."""
    ends, number = edges_of_sides(body.faces)
    a, b, c = body.faces.T
    ab, bc, ca = number.reshape(-1, 3).T + len(body.vertices)
    faces = [[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]]
    return replace(
        body,
        vertices=np.concatenate([body.vertices, body.vertices[ends].mean(axis=1)]),
        faces=np.concatenate([np.stack(face, axis=1) for face in faces]),
    )


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--vertices", type=int, default=4000)
    parser.add_argument("--case", choices=CASES, default="clean")
    parser.add_argument("--model", default="none", help="name or path; none: by distances alone")
    chosen = parser.parse_args()
    model = None if chosen.model == "none" else find_model(chosen.model)
    by_features = {
        "nearest features": lambda s, t: raw_map(s, t, model),
        "features, ZoomOut, precise": lambda s, t: refined_map(s, t, model),
    }
    ways = {
        "nearest point after alignment": nearest_after_alignment,
        "WKS, functional map, ZoomOut": by_signatures,
        **(by_features if model else {}),
        "match": lambda s, t: match(s, t, model).target_to_source,
    }
    errors = {name: [] for name in ways}
    seconds = {name: [] for name in ways}
    seeds = range(FIRST_HELD_OUT_SEED, FIRST_HELD_OUT_SEED + chosen.pairs + 1)
    for seed in seeds[:-1]:
        source = body_of(chosen.case, seed, chosen.vertices, is_target=False)
        target = body_of(chosen.case, seed + 1, chosen.vertices, is_target=True)
        lost = below_waist(target) & (chosen.case == "cut source")
        samples = measured_points(target, lost)
        truth = Truth(source.posed, target.template_points[samples])
        meshes = [repair(Surface(b.vertices, b.faces)) for b in (source, target)]
        for name, way in ways.items():
            started = time.process_time()
            points = way(*(mesh.surface for mesh in meshes))
            seconds[name].append(time.process_time() - started)
            points = points[meshes[1].clean_vertex]
            surface = meshes[0].surface
            position = points.interpolate(surface.vertices, surface.faces)
            normals = triangle_vectors(surface.vertices, surface.faces)
            normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
            error = truth.error(position[samples], normals[points.face][samples])
            errors[name].append(error)
        print(*(f"{np.mean(errors[name][-1]):6.2f}" for name in ways), flush=True)
    size = "1,000 and 50,000" if chosen.case == "resolutions" else f"{chosen.vertices:,}"
    print(f"{chosen.case}: {chosen.pairs} pairs of {size} vertices, error x100 at unit area")
    print(f"{'':32}{'mean':>7}{'median':>8}{'astray':>8}{'CPU s':>7}")
    rows = {}
    for name in ways:
        means = np.array([error.mean() for error in errors[name]])
        rows[name] = {
            "mean": float(means.mean()),
            "median": float(np.median(means)),
            "astray": float(np.mean([np.median(error) > ASTRAY for error in errors[name]])),
            "cpu": float(np.mean(seconds[name])),
        }
        row = rows[name]
        print(
            f"{name:32}{row['mean']:7.2f}{row['median']:8.2f}{row['astray']:8.0%}{row['cpu']:7.1f}"
        )
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB")
    RESULTS.mkdir(parents=True, exist_ok=True)
    found = {"pairs": chosen.pairs, "vertices": size, "ways": rows}
    (RESULTS / f"{chosen.case}-{Path(chosen.model).stem}.json").write_text(
        json.dumps(found, indent=1)
    )


if __name__ == "__main__":
    main()
