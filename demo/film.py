"""An animated picture from pictures of a window, with the pointer drawn in.

python -m demo.film build/app/click docs/images/click.webp
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from PIL import Image

from demo.pointer import draw_pointer

QUALITY = 78
# Of the pointer's way to a button.
STEPS, STEP_SECONDS = 10, 0.05
PRESS_SECONDS = 0.35
# Progress is shown in so many pictures at most.
LONGEST_WAIT = 12


def film(folder: Path, target: Path) -> None:
    """Join the pictures that a folder's film.json lists.

    Parameters
    ----------
    folder : Path
        film.json is a list of pictures with `picture`, `seconds`, `x` and `y` of the pointer;
        `arrives`: the pointer moves there first; `pressed`: the button is pressed then; `waits`:
        one of many while the bar grows.
    target : Path
        An animated WebP.
    """
    frames: list[tuple[Image.Image, float]] = []
    shots = json.loads((folder / "film.json").read_text())
    place = shots[0]["x"], shots[0]["y"]
    picture = None
    for shot in thinned(shots):
        before, start, place = picture, place, (shot["x"], shot["y"])
        with Image.open(folder / shot["picture"]) as opened:
            picture = opened.convert("RGB")
        if shot.get("arrives"):
            for step in range(1, STEPS):
                share = (3 - 2 * step / STEPS) * (step / STEPS) ** 2
                between = [a + share * (b - a) for a, b in zip(start, place, strict=True)]
                frames.append((draw_pointer(before, between), STEP_SECONDS))
        frames.append((draw_pointer(picture, place), shot["seconds"]))
        if shot.get("pressed"):
            for ring in (0.6, 1.0):
                frames.append((draw_pointer(picture, place, ring), PRESS_SECONDS / 2))
    target.parent.mkdir(parents=True, exist_ok=True)
    pictures = [picture for picture, _ in frames]
    pictures[0].save(
        target,
        save_all=True,
        append_images=pictures[1:],
        duration=[round(1000 * seconds) for _, seconds in frames],
        loop=0,
        quality=QUALITY,
        method=6,
    )
    whole = sum(seconds for _, seconds in frames)
    print(f"{target}: {len(frames)} pictures, {whole:.1f} s, {target.stat().st_size / 1000:.0f} KB")


def thinned(shots: list[dict]) -> list[dict]:
    """The list with fewer pictures of the wait after the click; times add up to the same."""
    waiting = [number for number, shot in enumerate(shots) if shot.get("waits")]
    every = -(-len(waiting) // LONGEST_WAIT)
    left_out = set(waiting) - set(waiting[:: every or 1])
    thin: list[dict] = []
    for number, shot in enumerate(shots):
        if number in left_out:
            thin[-1] = {**thin[-1], "seconds": thin[-1]["seconds"] + shot["seconds"]}
        else:
            thin.append(shot)
    return thin


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    film(options.folder, options.target)
