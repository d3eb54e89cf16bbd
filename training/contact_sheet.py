"""Pictures of many examples at once, to be looked at: python -m training.contact_sheet --help

Wrong labels, exploded meshes and tangled parts are seen at a glance, and in no other way.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy.spatial.transform import Rotation

from diffusionnet_blender.surface.surface import Surface, triangle_vectors

from .commands import plain_errors
from .examples import Example
from .meshes import LAYER_COLOURS, LAYER_NAMES, surface_points
from .parts import COLOURS, FINE_NAMES, PART_NAMES

WIDTH, HEIGHT = 220, 260
BACKGROUND = 245

UNKNOWN_COLOUR = (0.2, 0.2, 0.2)
# The colours (V, 3) of the vertices of examples; labels that are not known, -1, come last.
COLOURINGS: dict[str, Callable[[Example], np.ndarray]] = {
    "parts": lambda example: _colours(example.anatomy.part_names, example.anatomy.colours)[
        example.labels
    ],
    "fine": lambda example: _colours((*FINE_NAMES, *PART_NAMES), COLOURS)[example.fine],
    "layers": lambda example: _colours(LAYER_NAMES, LAYER_COLOURS)[example.layers],
}


def _colours(names: Sequence[str], colours: Mapping[str, tuple[float, float, float]]) -> np.ndarray:
    return np.array([*(colours[name] for name in names), UNKNOWN_COLOUR])


def picture(example: Example, colouring: str, turn: float) -> Image.Image:
    """One example in the colours of `COLOURINGS`, seen from the front, turned by some degrees."""
    return drawn(example.surface, COLOURINGS[colouring](example), turn)


def drawn(surface: Surface, colours: np.ndarray, turn: float) -> Image.Image:
    """A surface, +z up, in colours (V, 3) from 0 to 1 at its vertices, seen along +y."""
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
    colour = np.clip(colours[corner] * shade[:, None] * 255, 0, 255)
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
    colouring: str = "parts",
    turn: float = 25.0,
) -> None:
    """Render examples side by side, each with its seed, kind and number of vertices."""
    rows = -(-len(seeds) // columns)
    sheet = Image.new("RGB", (columns * WIDTH, rows * HEIGHT), (BACKGROUND,) * 3)
    pen = ImageDraw.Draw(sheet)
    for index, seed in enumerate(seeds):
        example = make(seed)
        left, top = index % columns * WIDTH, index // columns * HEIGHT
        sheet.paste(picture(example, colouring, turn), (left, top))
        caption = f"{seed} {example.kind} {len(example.fine)}"
        pen.text((left + 3, top + 2), caption, fill=(20, 20, 20))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


@plain_errors
def main() -> None:
    """Write one sheet."""
    from .animals import NAMES
    from .examples import at_rest, make_from
    from .prepared import SOURCES
    from .suites import SUITES

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--suite", choices=list(SUITES), help="by default what is trained on")
    parser.add_argument("--animals", action="store_true", help="all of them at rest")
    parser.add_argument(
        "--source",
        choices=[*SOURCES, "animals", "things"],
        default="generated",
        help="of what is learnt",
    )
    parser.add_argument("--makehuman", type=Path, metavar="FOLDER", help="for dressed figures")
    parser.add_argument("--first", type=int, default=0, help="seed")
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--turn", type=float, default=25.0, help="degrees from the front")
    parser.add_argument("--colouring", choices=list(COLOURINGS), default="parts")
    arguments = parser.parse_args()
    if arguments.animals:
        arguments.first, arguments.count = 0, len(NAMES)

        def make(number: int) -> Example:
            return at_rest(NAMES[number])

    elif arguments.suite:
        make = SUITES[arguments.suite].make
    else:
        if arguments.source == "dressed" and arguments.makehuman is None:
            parser.error("dressed figures need --makehuman, the folder of MakeHuman's assets")
        make = make_from(arguments.source, arguments.makehuman)
    seeds = list(range(arguments.first, arguments.first + arguments.count))
    contact_sheet(make, seeds, arguments.path, colouring=arguments.colouring, turn=arguments.turn)


if __name__ == "__main__":
    main()
