"""Build the Blender extension: one zip per platform, with the wheels of every Python in it.

python -m tools.package --platforms linux-x64 --pythons 3.11 3.13
python -m tools.package --platforms linux-x64 --pythons 3.11 --with-torch

The package is staged in build/extension, the wheels are downloaded once into build/wheels, and
Blender's own extension tool (it comes with the bpy module) builds and validates the zips. Those
with torch go to a folder of their own, dist/with-torch, since id and version are the same.
TORCH_INDEX names the index that torch's CPU builds come from, as in tools/setup.sh.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "diffusionnet_blender"
BUILD = ROOT / "build"
DIST = ROOT / "dist"
REQUIREMENTS = ROOT / "requirements" / "extension.txt"
TORCH = ROOT / "requirements" / "torch.txt"
# What torch imports; its compiler's needs (setuptools, triton) are not among it.
TORCH_LIBRARIES = ROOT / "requirements" / "torch-libraries.txt"
CONSTRAINTS = ROOT / "requirements" / "constraints.txt"
PYTHONS = ("3.11", "3.13")
# Blender's platforms, and the tags of the wheels that run there on old systems too (on macOS pip
# takes those for still older versions as well).
PLATFORMS = {
    "linux-x64": ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "windows-x64": ("win_amd64",),
    "macos-x64": ("macosx_10_13_x86_64",),
    "macos-arm64": ("macosx_12_0_arm64",),
}
# torch no longer runs on macOS as old as the rest does.
TORCH_PLATFORMS = {"macos-arm64": ("macosx_14_0_arm64",)}
NOT_SHIPPED = shutil.ignore_patterns("__pycache__", "*.py[cod]", ".*", "wheels")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--platforms", nargs="+", choices=PLATFORMS, default=list(PLATFORMS))
    parser.add_argument("--pythons", nargs="+", default=list(PYTHONS))
    parser.add_argument("--with-torch", action="store_true", help="bundle torch's CPU build")
    parser.add_argument("--output", type=Path, help="default: dist, or dist/with-torch")
    options = parser.parse_args(arguments)
    output = options.output or (DIST / "with-torch" if options.with_torch else DIST)
    for archive in build(options.platforms, options.pythons, output, options.with_torch):
        print(f"{archive.stat().st_size / 1e6:7.1f} MB  {archive}")


def build(
    platforms: list[str], pythons: list[str], output: Path, with_torch: bool = False
) -> list[Path]:
    """Stage, build and validate the extension; return the zips in the platforms' order."""
    targets = [(platform, python) for platform in platforms for python in pythons]
    wheels = {wheel for target in targets for wheel in download_wheels(*target)}
    if with_torch:
        wheels |= {wheel for target in targets for wheel in download_torch(*target)}
    staged = stage(BUILD / "extension", platforms, sorted(wheels))
    output.mkdir(parents=True, exist_ok=True)
    manifest = tomllib.loads((staged / "blender_manifest.toml").read_text())
    name = f"{manifest['id']}-{manifest['version']}"
    archives = [output / f"{name}-{p.replace('-', '_')}.zip" for p in platforms]
    for archive in archives:
        archive.unlink(missing_ok=True)
    blender_extension(
        "build", "--source-dir", str(staged), "--output-dir", str(output), "--split-platforms"
    )
    for archive in archives:
        blender_extension("validate", str(archive))
    return archives


def download_wheels(platform: str, python: str) -> list[Path]:
    """Return the wheels of requirements/extension.txt for one platform, downloaded once."""
    wanted = REQUIREMENTS.read_text().split()
    return _download(f"{platform}-{python}", PLATFORMS[platform], python, wanted)


def download_torch(platform: str, python: str) -> list[Path]:
    """Return torch's CPU build for one platform and what it imports, downloaded once."""
    pin = next(line for line in TORCH.read_text().split() if line.startswith("torch=="))
    # On Linux the default build brings CUDA, on the other systems it is the one for the CPU.
    wanted = f"{pin}+cpu" if platform.startswith("linux") else pin
    index = os.environ.get("TORCH_INDEX")
    try:
        torch = _download(
            f"torch-{platform}-{python}",
            PLATFORMS[platform] + TORCH_PLATFORMS.get(platform, ()),
            python,
            [wanted],
            *(["--index-url", index] if index else []),
        )
    except CommandError as error:
        raise SystemExit(
            f"{error}\n\nPip finds no CPU build of {pin} for Python {python} on {platform}.\n"
            "Name an index that has one, TORCH_INDEX=URL: PyTorch's installation page names that "
            "of its CPU builds.\nOr leave it out: PLATFORMS and PYTHONS say what is built."
        ) from error
    names = TORCH_LIBRARIES.read_text().split()
    return torch + _download(
        f"torch-libraries-{platform}-{python}",
        PLATFORMS[platform],
        python,
        [line for line in CONSTRAINTS.read_text().split() if line.partition("==")[0] in names],
    )


def _download(
    name: str, tags: tuple[str, ...], python: str, wanted: list[str], *options: str
) -> list[Path]:
    folder = BUILD / "wheels" / name
    complete = folder / "complete.txt"
    key = "\n".join([*wanted, *options, ""])
    if not complete.exists() or complete.read_text() != key:
        shutil.rmtree(folder, ignore_errors=True)
        run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
            + ["--no-deps", "--only-binary=:all:", "--implementation", "cp"]
            + ["--python-version", python]
            + [word for tag in tags for word in ("--platform", tag)]
            + ["--dest", str(folder), *options, *wanted]
        )
        complete.write_text(key)
    return sorted(folder.glob("*.whl"))


def stage(folder: Path, platforms: list[str], wheels: list[Path]) -> Path:
    """Copy the package and the wheels into a folder, and name them in its manifest."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(PACKAGE, folder, ignore=NOT_SHIPPED)
    shutil.copy(ROOT / "LICENSE", folder)
    (folder / "wheels").mkdir()
    for wheel in wheels:
        shutil.copy(wheel, folder / "wheels")
    manifest = folder / "blender_manifest.toml"
    names = sorted({f"./wheels/{wheel.name}" for wheel in wheels})
    manifest.write_text(manifest_text(manifest.read_text(), platforms, names))
    return folder


def manifest_text(text: str, platforms: list[str], wheels: list[str]) -> str:
    """Return a manifest's text with its platforms and wheels set: keys before its first table."""
    text = re.sub(r"^platforms\s*=\s*\[[^\]]*\]\n", "", text, flags=re.MULTILINE)
    first_table = re.search(r"^\[", text, flags=re.MULTILINE)
    end = first_table.start() if first_table else len(text)
    # A list of plain strings reads the same in JSON and in TOML.
    keys = f"platforms = {json.dumps(platforms)}\nwheels = {json.dumps(wheels, indent=2)}\n\n"
    return text[:end] + keys + text[end:]


def blender_extension(*arguments: str) -> None:
    """Run Blender's extension tool, which is plain Python inside the bpy module."""
    bpy = Path(importlib.util.find_spec("bpy").origin).parent
    (tool,) = bpy.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py")
    run([sys.executable, str(tool), *arguments])


class CommandError(SystemExit):
    """A command failed; if nobody minds, the program ends with what it said."""


def run(command: list[str]) -> None:
    """Run a command quietly; show what it said only if it failed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise CommandError(f"{done.stdout}\nfailed: {' '.join(command)}")


if __name__ == "__main__":
    main()
