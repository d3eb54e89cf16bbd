"""The Laplacian of `surface.intrinsic` beside that of robust_laplacian: seconds, memory, cancel.

Every measurement is made in a process of its own, both libraries by turns. Both use one thread;
seconds are of processor time, which other work on the machine changes less than wall time. Memory
is the peak of the computation above the memory that the process held before. The longest wait for a
cancel is that between two calls of the progress function; a call of robust_laplacian cannot be
left.

python -m benchmarks.laplacian [10000 50000 200000] [--runs 5]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from statistics import median
from time import perf_counter, process_time

import numpy as np
import robust_laplacian

from benchmarks import machine, meshes, meter
from diffusionnet_blender.surface.intrinsic import delaunay_laplacian

OURS, THEIRS = "surface.intrinsic", "robust_laplacian"
SIZES = (10_000, 50_000, 200_000)


def measured(library: str, vertices: np.ndarray, faces: np.ndarray) -> dict[str, float]:
    """Seconds, bytes and the longest wait of one computation, in this process."""
    vertices = np.ascontiguousarray(vertices, dtype=np.float64)
    faces = np.ascontiguousarray(faces, dtype=np.int64)
    # What a first call loads is no part of the measurement.
    small = np.eye(3), np.array([[0, 1, 2]])
    robust_laplacian.mesh_laplacian(*small)
    delaunay_laplacian(*small)

    called = []
    before = meter.current_memory()
    meter.reset_peak()
    start, busy = perf_counter(), process_time()
    if library == OURS:
        delaunay_laplacian(vertices, faces, lambda fraction: called.append(perf_counter()))
    else:
        robust_laplacian.mesh_laplacian(vertices, faces)
    end, busy = perf_counter(), process_time() - busy
    peak = meter.peak_memory()
    return {
        "vertices": len(vertices),
        "seconds": busy,
        "memory": float("nan") if peak is None else peak - before,
        "wait": float(np.diff([start, *called, end]).max()),
    }


def in_a_process(library: str, size: int) -> dict[str, float]:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.laplacian", "--one", library, str(size)]
    done = subprocess.run(command, cwd=meshes.ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def main() -> None:
    """Print a table of medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--one", choices=(OURS, THEIRS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        mesh = meshes.load("body", arguments.sizes[0])
        print(json.dumps(measured(arguments.one, mesh["vertices"], mesh["faces"])))
        return
    print(*(f"{name} {value}" for name, value in machine.describe().items()), sep=", ")
    print(f"load {machine.load_average()}, medians of {arguments.runs} runs (fastest to slowest)")
    print("| vertices | library | seconds | memory, MB | longest wait for a cancel, s |")
    print("|---|---|---|---|---|")
    for size in arguments.sizes:
        meshes.mesh_path("body", size)
        runs = {library: [] for library in (OURS, THEIRS)}
        for _ in range(arguments.runs):
            for library, found in runs.items():
                found.append(in_a_process(library, size))
        for library, found in runs.items():
            seconds = [one["seconds"] for one in found]
            print(
                f"| {found[0]['vertices']:,} | {library} | {median(seconds):.3f} "
                f"({min(seconds):.3f} to {max(seconds):.3f}) "
                f"| {median(one['memory'] for one in found) / 1e6:.0f} "
                f"| {median(one['wait'] for one in found):.3f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
