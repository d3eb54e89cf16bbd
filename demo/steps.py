"""The steps of the tutorial from pictures of a window, with the pointer where one is to click.

python -m demo.steps build/app/tutorial docs/images/tutorial
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from PIL import Image

from demo.pointer import draw_pointer

QUALITY = 84


def publish_steps(folder: Path, target: Path) -> None:
    """Compress the pictures that a folder's pointers.json and its PNG files make.

    Parameters
    ----------
    folder : Path
    target : Path
        Folder of the WebP files, called as the PNG files are.
    """
    pointers = json.loads((folder / "pointers.json").read_text())
    target.mkdir(parents=True, exist_ok=True)
    for source in sorted(folder.glob("*.png")):
        with Image.open(source) as opened:
            picture = opened.convert("RGB")
        if source.stem in pointers:
            picture = draw_pointer(picture, pointers[source.stem], ring=1.0)
        step = target / f"{source.stem}.webp"
        picture.save(step, quality=QUALITY, method=6)
        print(f"{step}: {step.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    publish_steps(options.folder, options.target)
