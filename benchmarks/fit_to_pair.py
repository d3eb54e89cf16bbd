"""What fitting a network to one pair does for shapes that no weights know, on synthetic animals.

python -m benchmarks.fit_to_pair --pairs 5
python -m benchmarks.transfer_report    # what was measured, into docs/transfer.md

Mean geodesic error x100 at unit area: the distance, along the source's own dense body, between
where a vertex of the target was put and where it belongs.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from benchmarks.matching import by_signatures
from benchmarks.meshes import BUILD
from benchmarks.quadrupeds import sample_animal, template
from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.matching.geodesic import geodesic_distances, surface_graph
from diffusionnet_blender.matching.points import SurfacePoints
from diffusionnet_blender.surface.surface import Surface, triangle_areas
from diffusionnet_blender.tasks.match import match
from training.matched_bodies import MatchedBody

# How much proportions differ: from poses of one animal to animals of all kinds.
VARIETIES = (0.0, 0.5, 1.0)
WAYS = ("WKS, functional map, ZoomOut", "match, none", "match, none, fitted")
RESULT = BUILD / "fit_to_pair.json"
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


def measured(variety: float, pairs: int, vertices: int) -> dict:
    """Mean error and CPU seconds of each way, and on how many pairs the network's map was kept."""
    found = {way: [] for way in WAYS}
    seconds = {way: [] for way in WAYS}
    kept = 0
    for pair in range(pairs):
        source, target = (sample_animal(2 * pair + side, vertices, variety) for side in (0, 1))
        surfaces = [Surface(animal.vertices, animal.faces) for animal in (source, target)]
        for way in WAYS:
            started = time.process_time()
            if way == WAYS[0]:
                points = by_signatures(*surfaces)
            else:
                matched = match(*surfaces, fit=way == WAYS[2])
                points, kept = matched.target_to_source, kept + (matched.fit == "kept")
            seconds[way].append(time.process_time() - started)
            found[way].append(float(errors(source, target, points).mean()))
        print(*(f"{found[way][-1]:6.2f}" for way in WAYS), flush=True)
    return {
        "pairs": pairs,
        "kept": kept,
        "ways": {
            way: {"mean": float(np.mean(found[way])), "cpu": float(np.mean(seconds[way]))}
            for way in WAYS
        },
    }


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--vertices", type=int, default=3000)
    chosen = parser.parse_args()
    rows = {}
    for variety in VARIETIES:
        row = rows[str(variety)] = measured(variety, chosen.pairs, chosen.vertices)
        print(f"variety {variety}: {row['pairs']} pairs of animals of {chosen.vertices:,} vertices")
        print(f"{'error x100 at unit area':32}{'mean':>7}{'CPU s':>7}")
        for way, one in row["ways"].items():
            print(f"{way:32}{one['mean']:7.2f}{one['cpu']:7.1f}")
        print(f"the fitted network's map was kept on {row['kept']} of {row['pairs']} pairs")
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
