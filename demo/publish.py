"""Make a picture small enough for the documentation.

python -m demo.publish build/demo/ada.png docs/images/demo.webp
"""

import sys
from pathlib import Path

from PIL import Image

QUALITY = 90


def publish(source: Path, target: Path) -> None:
    """Compress a picture."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(source) as picture:
        picture.convert("RGB").save(target, quality=QUALITY, method=6)
    print(f"{target}: {target.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    publish(Path(sys.argv[1]), Path(sys.argv[2]))
