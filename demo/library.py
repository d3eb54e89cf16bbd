"""The report of a library of the sample characters, as a browser shows it: build/demo/library.png.

python -m demo.library
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "demo" / "library"
PICTURE = ROOT / "build" / "demo" / "library.png"
SIZE = "1200,800"


def main() -> None:
    """Process the samples and a damaged file, and take the picture."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    inputs = FOLDER / "in"
    inputs.mkdir(parents=True)
    for path in (ROOT / "samples").iterdir():
        if path.suffix in (".glb", ".blend"):
            shutil.copy(path, inputs)
    # As an upload that broke off leaves it.
    whole = (ROOT / "samples" / "ada.glb").read_bytes()
    (inputs / "unfinished.glb").write_bytes(whole[: len(whole) // 2])
    command = [sys.executable, "-m", "diffusionnet_blender", "library", str(inputs)]
    # The damaged file makes its exit status 1.
    subprocess.run(
        [*command, "--task", "segment", "--output", str(FOLDER / "out"), "--cache", "off"],
        cwd=ROOT,
        check=False,
    )
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("Chromium is needed to take the picture: apt-get install chromium")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--window-size={SIZE}"]
    page = (FOLDER / "out" / "report.html").as_uri()
    subprocess.run([browser, *options, f"--screenshot={PICTURE}", page], check=True)


if __name__ == "__main__":
    main()
