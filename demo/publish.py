"""Make pictures small enough for the documentation; several become one, side by side.

python -m demo.publish build/demo/ada.png docs/images/demo.webp
python -m demo.publish before.png after.png docs/images/both.webp --crop 460 340 860 830
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

QUALITY = 90
# Pixels between pictures.
GAP = 8


def publish(
    sources: Sequence[Path], target: Path, crop: tuple[int, int, int, int] | None = None
) -> None:
    """Compress pictures into one.

    Parameters
    ----------
    sources : sequence of Path
        From left to right, of one height.
    target : Path
    crop : tuple of int, optional
        Left, top, right and bottom in pixels of what is kept of each.
    """
    pictures = []
    for source in sources:
        with Image.open(source) as picture:
            pictures.append(picture.convert("RGB").crop(crop))
    width = sum(picture.width for picture in pictures) + GAP * (len(pictures) - 1)
    joined = Image.new("RGB", (width, max(picture.height for picture in pictures)), "white")
    left = 0
    for picture in pictures:
        joined.paste(picture, (left, 0))
        left += picture.width + GAP
    target.parent.mkdir(parents=True, exist_ok=True)
    joined.save(target, quality=QUALITY, method=6)
    print(f"{target}: {target.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", nargs="+", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--crop", nargs=4, type=int, metavar=("LEFT", "TOP", "RIGHT", "BOTTOM"))
    options = parser.parse_args()
    publish(options.sources, options.target, options.crop and tuple(options.crop))
