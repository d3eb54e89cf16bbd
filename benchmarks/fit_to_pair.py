"""What fitting a network to one pair does for shapes that no weights know, on synthetic animals.

python -m benchmarks.fit_to_pair --pairs 5
python -m benchmarks.fit_to_pair --pairs 5 --variety 0.5     # proportions that differ by half

Mean geodesic error x100 at unit area: the distance, along the source's own dense body, between
where a vertex of the target was put and where it belongs.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from benchmarks.matching import by_signatures
from benchmarks.quadrupeds import sample_animal, template
from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.matching.geodesic import geodesic_distances, surface_graph
from diffusionnet_blender.matching.points import SurfacePoints
from diffusionnet_blender.surface.surface import Surface, triangle_areas
from diffusionnet_blender.tasks.match import match
from training.matched_bodies import MatchedBody

# Vertices of the target whose error is measured.
MEASURED = 150


def errors(source: MatchedBody, target: MatchedBody, points: SurfacePoints) -> np.ndarray:
    """Of some vertices of the target, (MEASURED,)."""
    _, faces, _ = template()
    chosen = np.random.default_rng(0).choice(len(target.vertices), MEASURED, replace=False)
    at = points[chosen].interpolate(source.vertices, source.faces)
    found, _ = ClosestPoints(source.posed, faces)(at)
    right = target.template_points[chosen]
    graph = surface_graph(source.posed, faces)
    along = geodesic_distances(graph, right.nearest_vertex(faces))
    size = np.sqrt(triangle_areas(source.posed, faces).sum())
    return 100 * along[np.arange(MEASURED), found.nearest_vertex(faces)] / size


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--vertices", type=int, default=3000)
    parser.add_argument("--variety", type=float, default=1.0, help="of the proportions; 0: poses")
    chosen = parser.parse_args()
    names = ("WKS, functional map, ZoomOut", "match, none", "match, none, fitted")
    table = {name: [] for name in names}
    seconds = {name: [] for name in names}
    kept = 0
    for pair in range(chosen.pairs):
        source, target = (
            sample_animal(2 * pair + side, chosen.vertices, chosen.variety) for side in (0, 1)
        )
        surfaces = [Surface(animal.vertices, animal.faces) for animal in (source, target)]
        for name in names:
            started = time.process_time()
            if name == names[0]:
                points = by_signatures(*surfaces)
            else:
                found = match(*surfaces, fit=name == names[2])
                points, kept = found.target_to_source, kept + (found.fit == "kept")
            seconds[name].append(time.process_time() - started)
            table[name].append(errors(source, target, points))
        print(*(f"{table[name][-1].mean():6.2f}" for name in names), flush=True)
    print(
        f"{chosen.pairs} pairs of animals of {chosen.vertices:,} vertices, error x100 at unit area"
    )
    print(f"{'':32}{'mean':>7}{'median':>8}{'CPU s':>7}")
    for name in names:
        means = [error.mean() for error in table[name]]
        medians = [np.median(error) for error in table[name]]
        print(f"{name:32}{np.mean(means):7.2f}{np.mean(medians):8.2f}{np.mean(seconds[name]):7.1f}")
    print(f"the fitted network's map was kept on {kept} of {chosen.pairs} pairs")


if __name__ == "__main__":
    main()
