"""The extension in a real Blender with a window: installed, clicked, looked at.

python -m tests.app.run                 # the checks: pictures and findings in build/app
python -m tests.app.run --scenario large     # how long the window stalls with 200,000 vertices

A Debian with Blender and an X server without a screen is made once, in a folder that
BLENDER_APP names; that takes root, some minutes and 1.3 GB.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from tools import package

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
BUILD = ROOT / "build" / "app"
CHARACTER = ROOT / "samples" / "ada.glb"
DEFAULT_SYSTEM = Path.home() / ".cache" / "diffusionnet-blender-app"
MODULE = "bl_ext.user_default.diffusionnet_blender"
# Of the screen. Every frame is drawn by the processor: where stalls are measured, a small one.
SIZES = {"panel": (1600, 1000), "large": (800, 600)}
START_UP = f"""
import time, bpy
bpy.ops.preferences.addon_disable(module={MODULE!r})
import sys
for name in [name for name in sys.modules if name.startswith({MODULE!r})]:
    del sys.modules[name]
clock = time.perf_counter()
import importlib
module = importlib.import_module({MODULE!r})
imported = time.perf_counter()
module.register()
print("START_UP", 1000 * (imported - clock), 1000 * (time.perf_counter() - imported), flush=True)
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", choices=SIZES, default="panel")
    parser.add_argument("--keep-zip", action="store_true", help="do not build the zip again")
    options = parser.parse_args()
    system = Path(os.environ.get("BLENDER_APP") or DEFAULT_SYSTEM)
    call(HERE / "system.sh", system)

    BUILD.mkdir(parents=True, exist_ok=True)
    python = enter(system, "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
    zips = sorted((BUILD / "zip").glob("*.zip"))
    if not (options.keep_zip and zips):
        zips = package.build(["linux-x64"], [python.strip()], BUILD / "zip")
    print(f"installing {zips[0].name}", flush=True)
    enter(
        system, "blender", "--command", "extension", "install-file",
        "-r", "user_default", "--enable", zips[0],
    )  # fmt: skip

    out = BUILD / options.scenario
    width, height = (str(pixels) for pixels in SIZES[options.scenario])
    out.mkdir(exist_ok=True)
    for old in out.iterdir():
        old.unlink()
    print(f"Blender's window: {options.scenario}", flush=True)
    done = subprocess.run(
        entering(
            system, "python3", HERE / "screen.py", out, f"{width}x{height}",
            "blender", "--window-geometry", "0", "0", width, height, "-noaudio",
            "--gpu-backend", "opengl", "--python", HERE / "session.py",
            "--", options.scenario, out, CHARACTER,
        ),
        env=environment(),
    )  # fmt: skip
    found = json.loads((out / "found.json").read_text()) if (out / "found.json").exists() else {}
    if done.returncode == 0:
        measured = enter(system, "blender", "--background", "--python-expr", START_UP)
        line = next(line for line in measured.splitlines() if line.startswith("START_UP"))
        imported, registered = (float(word) for word in line.split()[1:])
        found["start-up ms"] = {"import": round(imported, 1), "register": round(registered, 1)}
        (out / "found.json").write_text(json.dumps(found, indent=2))
    for what, value in found.items():
        print(f"  {what}: {value}")
    if done.returncode:
        print((out / "blender.log").read_text()[-4000:])
        print(f"failed; log and pictures are in {out}", file=sys.stderr)
        return 1
    left = found.get("worker at quit")
    if left and "bootstrap.py" in command_line(left):
        print(f"the worker {left} outlived Blender", file=sys.stderr)
        return 1
    print(f"passed; pictures are in {out}")
    return 0


def entering(system: Path, *command) -> list[str]:
    return [str(word) for word in (HERE / "enter.sh", system, *command)]


def environment() -> dict[str, str]:
    # A home that stays: the driver's compiled shaders in it save seconds at every start.
    home = BUILD / "home"
    home.mkdir(parents=True, exist_ok=True)
    return {**os.environ, "BIND": str(ROOT), "APP_HOME": str(home)}


def enter(system: Path, *command) -> str:
    done = subprocess.run(
        entering(system, *command),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\nfailed: {' '.join(map(str, command))}")
    return done.stdout


def call(*command) -> None:
    if subprocess.run([str(word) for word in command]).returncode:
        sys.exit(1)


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
