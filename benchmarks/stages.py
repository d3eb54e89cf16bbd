"""Right labels and seconds of `segment`, on a body's mesh and on its points alone.

The table of docs/segment.md; python -m benchmarks.stages [--model body_parts] [--repeats 3]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

import numpy as np

from benchmarks import meshes
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.models import find_model
from diffusionnet_blender.tasks.segment import segment

SIZES = (1_000, 10_000, 50_000)
STAGES = ("repair", "laplacian", "eigenbasis", "gradient", "features", "network")


def import_seconds() -> dict[str, float]:
    """Seconds to import the extension and to register it, in a fresh Blender module."""
    # bpy as a Python module crashes at exit while classes are registered: leave at once.
    script = (
        "import bpy, os, time; a = time.perf_counter(); import diffusionnet_blender; "
        "b = time.perf_counter(); diffusionnet_blender.register(); c = time.perf_counter(); "
        "print('TIMES', b - a, c - b, flush=True); os._exit(0)"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    line = next(line for line in found.stdout.splitlines() if line.startswith("TIMES"))
    imported, registered = map(float, line.split()[1:])
    return {"import": imported, "register": registered}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="body_parts")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    model = find_model(arguments.model)
    times = [import_seconds() for _ in range(arguments.repeats)]
    for what in ("import", "register"):
        print(f"{what} of the extension: {statistics.median(t[what] for t in times):.3f} s")
    for engine in ("numpy", "torch"):
        print(f"\nengine {engine}, medians of {arguments.repeats}, seconds")
        columns = (*STAGES, "all", "right")
        print(f"{'vertices':>15}" + "".join(f"{column:>12}" for column in columns))
        for size in SIZES:
            body = meshes.load("body", size)
            mesh = Surface(body["vertices"], body["faces"])
            for kind, surface in (("mesh", mesh), ("cloud", Surface(mesh.vertices))):
                runs = []
                for _ in range(arguments.repeats):
                    clock = time.perf_counter()
                    found = segment(surface, model, engine=engine, device="cpu")
                    runs.append({**found.seconds, "all": time.perf_counter() - clock})
                row = [statistics.median(run[stage] for run in runs) for stage in (*STAGES, "all")]
                row.append(float(np.mean(found.vertex_labels == body["labels"])))
                print(
                    f"{len(mesh.vertices):9,} {kind:5}"
                    + "".join(f"{value:12.3f}" for value in row),
                    flush=True,
                )


if __name__ == "__main__":
    main()
