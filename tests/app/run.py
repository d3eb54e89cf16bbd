"""The extension in a real Blender with a window: installed, clicked, looked at.

python -m tests.app.run                    # the checks: pictures and findings in build/app
python -m tests.app.run kills --kills 50   # the process that computes, killed so often
python -m tests.app.run large              # how long the window stalls with 200,000 vertices
python -m tests.app.run train              # a model of one's own, with this Python's PyTorch
python -m tests.app.run tutorial click     # pictures of the documentation alone

A Debian with Blender and an X server without a screen is made once, in a folder of BLENDER_APP;
that takes root, some minutes and 1.3 GB. BLENDER_SUITE names the Debian: trixie, with Blender 4.3
and Python 3.13, or sid, which is not the same every day, with Blender 5.2 and Python 3.14.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from tools import package

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
BUILD = ROOT / "build" / "app"
SAMPLES = ROOT / "samples"
DEFAULT_FOLDER = Path.home() / ".cache" / "diffusionnet-blender-app"
DEFAULT_SUITE = "trixie"
MODULE = "bl_ext.user_default.diffusionnet_blender"
# Of the screen. Every frame is drawn by the processor: where time matters, it is a small one.
SIZES = {
    "panel": (1600, 1000),
    "character": (1600, 1000),
    "preferences": (1600, 1000),
    "editing": (1600, 1000),
    "transfer": (1600, 1000),
    "control": (1500, 1800),
    "bend": (1500, 1800),
    "rig": (1600, 1000),
    "rigify": (1600, 1000),
    "animals": (1600, 1000),
    "train": (1600, 1000),
    "tutorial": (1200, 920),
    "click": (960, 820),
    "life": (800, 600),
    "kills": (800, 600),
    "large": (800, 600),
}
CHECKS = (
    "panel",
    "character",
    "preferences",
    "editing",
    "transfer",
    "control",
    "bend",
    "rig",
    "rigify",
    "animals",
    "life",
    "kills",
)
# How often the process is killed among the checks: enough to meet it in every state.
KILLS = 8
# Seconds after which a scenario is stuck, and for each kill.
LIMIT, LIMIT_OF_KILL = 3600, 120
# Five times from nothing; of a busy machine the processor's time tells more than the wall clock.
START_UP = f"""
import importlib, sys, time, bpy
bpy.ops.preferences.addon_disable(module={MODULE!r})
for _ in range(5):
    for name in [name for name in sys.modules if name.startswith({MODULE!r})]:
        del sys.modules[name]
    wall, processor = time.perf_counter(), time.thread_time()
    module = importlib.import_module({MODULE!r})
    module.register()
    spent = time.perf_counter() - wall, time.thread_time() - processor
    print("START_UP", *(1000 * seconds for seconds in spent), flush=True)
    module.unregister()
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SIZES))
    parser.add_argument("--kills", type=int, default=KILLS, help="of the scenario of that name")
    options = parser.parse_args()
    suite = os.environ.get("BLENDER_SUITE") or DEFAULT_SUITE
    system = Path(os.environ.get("BLENDER_APP") or DEFAULT_FOLDER) / suite
    if subprocess.run([HERE / "system.sh", system, suite, sys.executable]).returncode:
        return 1
    install(system)
    settings = {"kills": [options.kills], "train": [sys.prefix]}
    scenarios = options.scenarios or CHECKS
    failed = [s for s in scenarios if not passes(system, s, settings.get(s, []))]
    return 1 if failed else 0


def install(system: Path) -> None:
    """Build the zip for this Blender's Python, and install it as a user does."""
    python = enter(system, "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
    (archive,) = package.build(["linux-x64"], [python.strip()], BUILD / "zip")
    print(f"installing {archive.name}", flush=True)
    enter(
        system, "blender", "--command", "extension", "install-file",
        "-r", "user_default", "--enable", archive,
    )  # fmt: skip


def passes(system: Path, scenario: str, settings: list) -> bool:
    """Run a scenario in Blender's window, and tell what it found."""
    out = BUILD / scenario
    out.mkdir(parents=True, exist_ok=True)
    for old in out.iterdir():
        old.unlink()
    width, height = (str(pixels) for pixels in SIZES[scenario])
    print(f"{scenario}: in a window of {width} x {height}", flush=True)
    limit = LIMIT + LIMIT_OF_KILL * (settings[0] if scenario == "kills" else 0)
    done = subprocess.run(
        entering(
            system, "python3", HERE / "screen.py", out, f"{width}x{height}", limit,
            "blender", "--window-geometry", "0", "0", width, height, "-noaudio",
            "--gpu-backend", "opengl", "--python", HERE / "session.py",
            "--", scenario, out, SAMPLES, *settings,
        ),
        env=environment(),
    )  # fmt: skip
    result = out / "found.json"
    found = json.loads(result.read_text()) if result.exists() else {}
    if scenario == "large" and done.returncode == 0:
        found["start-up ms"] = start_up(system)
        result.write_text(json.dumps(found, indent=2))
    for what, value in found.items():
        print(f"  {what}: {value}")
    worker = found.get("worker at quit")
    log = (out / "blender.log").read_text()
    if done.returncode or "Traceback" in log:
        print(log[-4000:])
    elif worker and "bootstrap.py" in command_line(worker):
        print(f"the worker {worker} outlived Blender", file=sys.stderr)
    else:
        print(f"{scenario} passed; pictures are in {out}", flush=True)
        return True
    print(f"{scenario} failed; log and pictures are in {out}", file=sys.stderr)
    return False


def start_up(system: Path) -> dict[str, float]:
    """Milliseconds that the extension adds to Blender's start, medians."""
    told = enter(system, "blender", "--background", "--python-expr", START_UP)
    lines = [line.split()[1:] for line in told.splitlines() if line.startswith("START_UP")]
    walls, processor = zip(*(map(float, line) for line in lines), strict=True)
    return {"wall": round(median(walls), 1), "processor": round(median(processor), 1)}


def entering(system: Path, *command) -> list[str]:
    return [str(word) for word in (HERE / "enter.sh", system, *command)]


def environment() -> dict[str, str]:
    # A home that stays: the driver's compiled shaders in it save seconds at every start.
    home = BUILD / "home"
    home.mkdir(parents=True, exist_ok=True)
    # This Python, which has PyTorch, may be elsewhere; what is in /usr, the Debian has of its own.
    python = {str(Path(folder).resolve()) for folder in (sys.prefix, sys.base_prefix)}
    seen = " ".join([str(ROOT), *sorted(python - {"/usr"})])
    return {**os.environ, "BIND": seen, "APP_HOME": str(home)}


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


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
