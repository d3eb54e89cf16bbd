"""Build the Blender extension: one zip per platform, with the wheels of every Python in it.

python -m tools.package --platforms linux-x64 --pythons 3.11 3.13

The package is staged in build/extension, the wheels are downloaded once into build/wheels, and
Blender's own extension tool (it comes with the bpy module) builds and validates the zips.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "diffusionnet_blender"
BUILD = ROOT / "build"
REQUIREMENTS = ROOT / "requirements" / "extension.txt"
PYTHONS = ("3.11", "3.13")
# Blender's platforms, and the tags of the wheels that run there on old systems too (on macOS pip
# takes those for still older versions as well).
PLATFORMS = {
    "linux-x64": ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "windows-x64": ("win_amd64",),
    "macos-x64": ("macosx_10_13_x86_64",),
    "macos-arm64": ("macosx_12_0_arm64",),
}
NOT_SHIPPED = shutil.ignore_patterns("__pycache__", "*.py[cod]", ".*", "wheels")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--platforms", nargs="+", choices=PLATFORMS, default=list(PLATFORMS))
    parser.add_argument("--pythons", nargs="+", default=list(PYTHONS))
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    options = parser.parse_args(arguments)
    for archive in build(options.platforms, options.pythons, options.output):
        print(f"{archive.stat().st_size / 1e6:7.1f} MB  {archive}")


def build(platforms: list[str], pythons: list[str], output: Path) -> list[Path]:
    """Stage, build and validate the extension; return the zips in the platforms' order."""
    wheels = sorted({w for p in platforms for v in pythons for w in download_wheels(p, v)})
    staged = stage(BUILD / "extension", platforms, wheels)
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
    folder = BUILD / "wheels" / f"{platform}-{python}"
    complete = folder / "complete.txt"
    wanted = REQUIREMENTS.read_text()
    if not complete.exists() or complete.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        tags = [word for tag in PLATFORMS[platform] for word in ("--platform", tag)]
        run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
            + ["--no-deps", "--only-binary=:all:", "--implementation", "cp"]
            + ["--python-version", python, *tags]
            + ["--dest", str(folder), "--requirement", str(REQUIREMENTS)]
        )
        complete.write_text(wanted)
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


def run(command: list[str]) -> None:
    """Run a command quietly; show what it said only if it failed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}\nfailed: {' '.join(command)}")


if __name__ == "__main__":
    main()
