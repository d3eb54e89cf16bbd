"""Pictures of many examples at once, to be looked at: python -m training.contact_sheet --help

Wrong labels, exploded meshes and tangled parts are seen at a glance, and in no other way.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy.spatial.transform import Rotation

from diffusionnet_blender.surface.surface import triangle_vectors

from .examples import Example
from .meshes import surface_points
from .parts import COLOURS, FINE_NAMES, PART_NAMES

WIDTH, HEIGHT = 220, 260
BACKGROUND = 245


def picture(
    example: Example, fine: bool, turn: float, colour_labels: np.ndarray | None = None
) -> Image.Image:
    """One example in the colours of its parts, seen from the front, turned by some degrees."""
    surface = example.surface
    names = FINE_NAMES if fine else PART_NAMES
    labels = example.fine if fine else example.labels
    palette = np.array([COLOURS[name] for name in names])
    if surface.is_point_cloud:
        points, corner, size = surface.vertices, np.arange(len(surface.vertices)), 3
        normals = np.tile([0, -1.0, 0], (len(points), 1))
        if surface.normals is not None:
            normals = surface.normals
    else:
        rng = np.random.default_rng(0)
        points, face, corner = surface_points(surface.vertices, surface.faces, 150_000, rng)
        normals = triangle_vectors(surface.vertices, surface.faces)[face]
        normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
        size = 1
    rotation = Rotation.from_euler("z", turn, degrees=True).as_matrix()
    points, normals = points @ rotation.T, normals @ rotation.T
    low, high = points.min(axis=0), points.max(axis=0)
    scale = min((WIDTH - 10) / (high[0] - low[0]), (HEIGHT - 30) / (high[2] - low[2]))
    middle = (low + high) / 2
    x = ((points[:, 0] - middle[0]) * scale + WIDTH / 2).astype(int)
    y = (HEIGHT / 2 + 8 - (points[:, 2] - middle[2]) * scale).astype(int)
    light = normals @ np.array([0.35, -0.8, 0.48])
    # The inside of open meshes is seen darker.
    shade = np.where(normals[:, 1] < 0, 0.5 + 0.5 * np.clip(light, 0, 1), 0.35)
    colour = np.clip(palette[labels[corner]] * shade[:, None] * 255, 0, 255)
    canvas = np.full((HEIGHT, WIDTH, 3), BACKGROUND, np.uint8)
    order = np.argsort(-points[:, 1])
    for dx in range(size):
        for dy in range(size):
            row = np.clip(y[order] + dy, 0, HEIGHT - 1)
            column = np.clip(x[order] + dx, 0, WIDTH - 1)
            canvas[row, column] = colour[order]
    return Image.fromarray(canvas)


def contact_sheet(
    make: Callable[[int], Example],
    seeds: list[int],
    path: Path,
    columns: int = 6,
    fine: bool = False,
    turn: float = 25.0,
) -> None:
    """Render examples side by side, each with its seed, kind and number of vertices."""
    rows = -(-len(seeds) // columns)
    sheet = Image.new("RGB", (columns * WIDTH, rows * HEIGHT), (BACKGROUND,) * 3)
    pen = ImageDraw.Draw(sheet)
    for index, seed in enumerate(seeds):
        example = make(seed)
        left, top = index % columns * WIDTH, index // columns * HEIGHT
        sheet.paste(picture(example, fine, turn), (left, top))
        caption = f"{seed} {example.kind} {len(example.fine)}"
        pen.text((left + 3, top + 2), caption, fill=(20, 20, 20))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


def main() -> None:
    """Write one sheet."""
    from .examples import sample_example
    from .suites import SUITES

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--suite", choices=list(SUITES), help="by default what is trained on")
    parser.add_argument("--first", type=int, default=0, help="seed")
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--turn", type=float, default=25.0, help="degrees from the front")
    parser.add_argument("--fine", action="store_true")
    arguments = parser.parse_args()
    make = SUITES[arguments.suite].make if arguments.suite else sample_example
    seeds = list(range(arguments.first, arguments.first + arguments.count))
    contact_sheet(make, seeds, arguments.path, fine=arguments.fine, turn=arguments.turn)


if __name__ == "__main__":
    main()
