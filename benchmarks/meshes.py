"""The meshes to measure on, made once and kept in build/bench/meshes.

python -m benchmarks.meshes body 10000
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench"
# A body that no model was trained on.
SEED = 2_000_000
BUMP_HEIGHT = 0.12


def body(vertex_count: int, seed: int = SEED) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A human body with about so many vertices: vertices, faces, and the part of each vertex."""
    import fast_simplification
    from scipy.spatial import cKDTree

    from training.bodies import sample_body
    from training.remesh import subdivide

    original = dense = sample_body(seed)
    while len(dense.vertices) < vertex_count:
        dense = subdivide(dense, smooth=True)
    vertices, faces = fast_simplification.simplify(
        dense.vertices.astype(np.float32),
        dense.faces.astype(np.int32),
        target_count=2 * vertex_count,
    )
    labels = original.labels[cKDTree(original.vertices).query(vertices)[1]]
    return vertices, faces, labels


def bumpy_sphere(vertex_count: int) -> tuple[np.ndarray, np.ndarray]:
    """An icosphere of the size nearest to so many vertices, with smooth bumps: vertices, faces."""
    import trimesh

    levels = np.arange(1, 9)
    level = levels[np.abs(np.log((10 * 4.0**levels + 2) / vertex_count)).argmin()]
    sphere = trimesh.creation.icosphere(subdivisions=int(level))
    x, y, z = sphere.vertices.T
    bumps = np.sin(5 * x + 1) * np.sin(4 * y + 2) + np.sin(6 * z + 3) * np.sin(3 * x + 4 * y)
    return sphere.vertices * (1 + BUMP_HEIGHT * bumps)[:, None], sphere.faces


def mesh_path(kind: str, size: int) -> Path:
    """Where a mesh is kept; made there if it is missing, in a process of its own."""
    path = BUILD / "meshes" / f"{kind}-{size}.npz"
    if not path.exists():
        subprocess.run(
            [sys.executable, "-m", "benchmarks.meshes", kind, str(size)], cwd=ROOT, check=True
        )
    return path


def load(kind: str, size: int) -> dict[str, np.ndarray]:
    """Arrays of a mesh: vertices, faces, and for a body labels."""
    with np.load(mesh_path(kind, size)) as stored:
        return {name: stored[name] for name in stored.files}


def main(kind: str, size: int) -> None:
    """Make one mesh and keep it."""
    other_body = partial(body, seed=SEED + 1)
    make = {"body": body, "other body": other_body, "sphere": bumpy_sphere}[kind]
    arrays = dict(zip(("vertices", "faces", "labels"), make(size), strict=False))
    folder = BUILD / "meshes"
    folder.mkdir(parents=True, exist_ok=True)
    staged = folder / f"{kind}-{size}.part"
    with staged.open("wb") as file:
        np.savez(file, **arrays)
    staged.replace(folder / f"{kind}-{size}.npz")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
