"""Libraries to measure on: generated characters in four formats, and files that are bad on purpose.

python -m benchmarks.library_files FOLDER COUNT
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from benchmarks.meshes import SEED, body, bumpy_sphere

SUFFIXES = ("obj", "ply", "stl", "glb")
FEWEST, MOST = 1_000, 5_000
DAMAGED_SHARE = 0.01
# So many that hang, and so many that need too much memory.
HANGING = EATING = 3
HANGING_VERTICES = 300_000


def make(folder: Path, count: int) -> list[Path]:
    """Characters of 1k to 5k vertices, each its own; those that are there are kept."""
    import trimesh

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(count):
        path = folder / f"character{number:05}.{SUFFIXES[number % len(SUFFIXES)]}"
        paths.append(path)
        if path.exists():
            continue
        size = int(np.random.default_rng(number).integers(FEWEST, MOST + 1))
        vertices, faces, _ = body(size, SEED + 1 + number)
        if path.suffix == ".glb":
            # y is up in a glTF.
            vertices = vertices[:, [0, 2, 1]] * [1, 1, -1]
        staged = path.with_name(f"part.{path.name}")
        trimesh.Trimesh(vertices, faces, process=False).export(staged)
        staged.rename(path)
    return paths


def make_bad(folder: Path, good: list[Path]) -> tuple[Path, dict[str, str]]:
    """A manifest of good files and bad ones, and the reason that each bad one is to be told with.

    Parameters
    ----------
    folder : Path
    good : list of Path
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"file": str(path)} for path in good]
    told: dict[str, str] = {}
    for number in range(max(1, round(DAMAGED_SHARE * len(good)))):
        path = folder / f"damaged{number}.glb"
        path.write_bytes(b"glTF\x02\0\0\0" + bytes(100))
        told[path.stem] = "could not read"
        rows.append({"file": str(path)})
    vertices, faces = bumpy_sphere(HANGING_VERTICES)
    for number in range(HANGING):
        path = folder / f"hanging{number}.stl"
        if not path.exists():
            _write_stl(path, vertices * (1 + number), faces)
        told[path.stem] = "took more than"
        rows.append({"file": str(path), "exact": True})
    for number in range(EATING):
        path = folder / f"eating{number}.ply"
        path.write_text("ply\nformat ascii 1.0\nelement vertex 900000000\nend_header\n")
        told[path.stem] = "GB of memory"
        rows.append({"file": str(path)})
    order = np.random.default_rng(0).permutation(len(rows))
    manifest = folder / "manifest.jsonl"
    manifest.write_text("".join(json.dumps(rows[n]) + "\n" for n in order))
    return manifest, told


def _write_stl(path: Path, vertices: np.ndarray, faces: np.ndarray) -> None:
    kind = [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("unused", "<u2")]
    rows = np.zeros(len(faces), dtype=kind)
    rows["corners"] = vertices[faces]
    path.write_bytes(bytes(80) + np.uint32(len(faces)).tobytes() + rows.tobytes())


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]))
