"""How good a match is, beside plain ways to do it, on unseen synthetic bodies of known truth.

python -m benchmarks.matching --pairs 20

Mean geodesic error x100 at unit area: the distance, along the source's own dense body, between
where a point of the target was put and where it belongs.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.matching.functional_map import functional_map
from diffusionnet_blender.matching.geodesic import geodesic_distances, surface_graph
from diffusionnet_blender.matching.points import SurfacePoints
from diffusionnet_blender.matching.pointwise import embeddings, precise_map
from diffusionnet_blender.matching.spectral import spectral_mesh
from diffusionnet_blender.matching.zoomout import zoomout
from diffusionnet_blender.surface.discretization import discretize
from diffusionnet_blender.surface.repair import repair
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.signatures import wave_kernel_signature
from diffusionnet_blender.surface.surface import Surface, triangle_areas, triangle_vectors
from diffusionnet_blender.tasks.match import match
from diffusionnet_blender.tasks.models import find_model
from training.bodies import FIRST_HELD_OUT_SEED, load_template
from training.matched_bodies import MatchedBody, sample_matched_body

# Points of the target whose error is measured; their places are drawn by area.
MEASURED = 300
# Places nearer than this, in metres, are compared along a straight line.
STRAIGHT = 0.06
# A pair counts as turned around where half of it is this far off (x100).
ASTRAY = 15.0


class Truth:
    """The dense body under a remeshed one: distances along it, and where places are."""

    def __init__(self, body: MatchedBody):
        template = load_template()
        faces = template.faces[template.component[template.faces[:, 0]] == 0]
        self.skin, local = np.unique(faces, return_inverse=True)
        self.faces = local.reshape(-1, 3)
        self.vertices = body.posed[self.skin]
        self.size = np.sqrt(triangle_areas(self.vertices, self.faces).sum())
        self.graph = surface_graph(self.vertices, self.faces)
        self.closest = ClosestPoints(self.vertices, self.faces)
        self.body = body

    def error(self, position, normals, places: SurfacePoints) -> np.ndarray:
        """Distance x100 at unit area from positions on the body to places of the template."""
        faces = load_template().faces
        found, _ = self.closest(position, normals, 80.0)
        corners = self.faces[found.face]
        at = self.closest.positions(found)
        right = places.interpolate(self.body.posed, faces)
        start = np.searchsorted(self.skin, places.nearest_vertex(faces))
        start = np.minimum(start, len(self.skin) - 1)
        along = geodesic_distances(self.graph, start)[np.arange(len(start))[:, None], corners]
        distance = (along + np.linalg.norm(self.vertices[corners] - at[:, None], axis=2)).min(1)
        distance += np.linalg.norm(self.vertices[start] - right, axis=1)
        straight = np.linalg.norm(at - right, axis=1)
        return 100 * np.where(distance < STRAIGHT, straight, distance) / self.size


def measured_points(body: MatchedBody) -> np.ndarray:
    """Vertices of the skin, drawn by the area around them."""
    template = load_template()
    area = np.bincount(
        body.faces.ravel(),
        np.repeat(triangle_areas(body.vertices, body.faces), 3),
        minlength=len(body.vertices),
    )
    area[template.component[template.faces[body.template_points.face, 0]] != 0] = 0
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


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--vertices", type=int, default=4000)
    parser.add_argument("--stylised", type=float, default=0.0)
    parser.add_argument("--model", default="none", help="name or path; none: by distances alone")
    chosen = parser.parse_args()
    model = None if chosen.model == "none" else find_model(chosen.model)
    ways = {
        "nearest point after alignment": nearest_after_alignment,
        "WKS, functional map, ZoomOut": by_signatures,
        f"match, {chosen.model}": lambda s, t: match(s, t, model).target_to_source,
    }
    errors = {name: [] for name in ways}
    seconds = {name: [] for name in ways}
    seeds = range(FIRST_HELD_OUT_SEED, FIRST_HELD_OUT_SEED + chosen.pairs + 1)
    bodies = [sample_matched_body(seed, chosen.stylised, chosen.vertices) for seed in seeds]
    for source, target in zip(bodies[:-1], bodies[1:], strict=True):
        truth, samples = Truth(source), measured_points(target)
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
            error = truth.error(
                position[samples],
                normals[points.face][samples],
                target.template_points[samples],
            )
            errors[name].append(error)
        print(*(f"{np.mean(errors[name][-1]):6.2f}" for name in ways), flush=True)
    print(f"{chosen.pairs} pairs of {chosen.vertices} vertices, error x100 at unit area")
    print(f"{'':32}{'mean':>7}{'median':>8}{'astray':>8}{'CPU s':>7}")
    for name in ways:
        means = np.array([error.mean() for error in errors[name]])
        astray = np.mean([np.median(error) > ASTRAY for error in errors[name]])
        print(
            f"{name:32}{means.mean():7.2f}{np.median(means):8.2f}{astray:8.0%}"
            f"{np.mean(seconds[name]):7.1f}"
        )


if __name__ == "__main__":
    main()
