"""Build the Blender extension: one zip per platform, with the wheels of every Python in it.

python -m tools.package --platforms linux-x64 --pythons 3.11 3.13
python -m tools.package --platforms linux-x64 --pythons 3.11 --with-torch
python -m tools.package --official

The package is staged in build/extension, the wheels are downloaded once into build/wheels, and
Blender's own extension tool (it comes with the bpy module) builds and validates the zips. The
wheels are the package's dependencies at the versions of requirements/constraints.txt.

Zips for Blender's official platform (--official) come without torch_installer, the one part that
installs something and uses the network: the platform's rules forbid it. Each kind of zip goes to a
folder of its own, since id and version are the same. TORCH_INDEX names the index that torch's CPU
builds come from, as in tools/setup.sh.
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
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement

from tools import guide

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "diffusionnet_blender"
BUILD = ROOT / "build"
DIST = ROOT / "dist"
PROJECT = ROOT / "pyproject.toml"
CONSTRAINTS = ROOT / "requirements" / "constraints.txt"
# Blender brings it.
NOT_BUNDLED = {"numpy"}
# What torch imports; its compiler's needs (setuptools, triton) are not among it.
TORCH_LIBRARIES = ("filelock", "fsspec", "Jinja2", "MarkupSafe", "mpmath", "networkx", "sympy")
TORCH_LIBRARIES += ("typing_extensions",)
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
NOT_SHIPPED = ("__pycache__", "*.py[cod]", "py.typed", ".*", "wheels")
# Left out of the zips for Blender's official platform: a folder, and the permission that it needs.
INSTALLER = "torch_installer"
INSTALLERS_PERMISSION = "network"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--platforms", nargs="+", choices=PLATFORMS, default=list(PLATFORMS))
    parser.add_argument("--pythons", nargs="+", default=list(PYTHONS))
    parser.add_argument("--with-torch", action="store_true", help="bundle torch's CPU build")
    parser.add_argument(
        "--official", action="store_true", help="for Blender's platform: nothing is installed"
    )
    parser.add_argument("--output", type=Path, default=DIST)
    options = parser.parse_args(arguments)
    for archive in build(
        options.platforms, options.pythons, options.output, options.with_torch, options.official
    ):
        print(f"{archive.stat().st_size / 1e6:7.1f} MB  {archive}")


def build(
    platforms: list[str],
    pythons: list[str],
    output: Path,
    with_torch: bool = False,
    official: bool = False,
) -> list[Path]:
    """Stage, build and validate the extension; return the zips in the platforms' order."""
    targets = [(platform, python) for platform in platforms for python in pythons]
    wheels = {wheel for target in targets for wheel in download_wheels(*target)}
    if with_torch:
        wheels |= {wheel for target in targets for wheel in download_torch(*target)}
    staged = stage(BUILD / "extension", platforms, sorted(wheels), official)
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


def bundled_libraries() -> list[str]:
    """Names of the libraries that the extension brings: the package's dependencies."""
    dependencies = tomllib.loads(PROJECT.read_text())["project"]["dependencies"]
    names = [Requirement(dependency).name for dependency in dependencies]
    return [name for name in names if name not in NOT_BUNDLED]


def pins(names: Iterable[str], python: str) -> list[str]:
    """Return "name==version" for libraries, as the constraints have them for a Python."""
    lines = [line.partition("#")[0].strip() for line in CONSTRAINTS.read_text().splitlines()]
    pinned = [Requirement(line) for line in lines if line]
    versions = {
        pin.name: str(pin.specifier)
        for pin in pinned
        if pin.marker is None or pin.marker.evaluate({"python_version": python})
    }
    return [f"{name}{versions[name]}" for name in names]


def download_wheels(platform: str, python: str) -> list[Path]:
    """Return the wheels that the extension bundles for one platform, downloaded once."""
    wanted = pins(bundled_libraries(), python)
    return _download(f"{platform}-{python}", PLATFORMS[platform], python, wanted)


def download_torch(platform: str, python: str) -> list[Path]:
    """Return torch's CPU build for one platform and what it imports, downloaded once."""
    (pin,) = pins(["torch"], python)
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
    libraries = pins(TORCH_LIBRARIES, python)
    return torch + _download(
        f"torch-libraries-{platform}-{python}", PLATFORMS[platform], python, libraries
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


def stage(folder: Path, platforms: list[str], wheels: list[Path], official: bool) -> Path:
    """Copy the package, the guide and the wheels into a folder; its manifest names the wheels."""
    shutil.rmtree(folder, ignore_errors=True)
    left_out = (*NOT_SHIPPED, INSTALLER) if official else NOT_SHIPPED
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns(*left_out))
    shutil.copy(ROOT / "LICENSE", folder)
    guide.build(folder / "guide")
    (folder / "wheels").mkdir()
    for wheel in wheels:
        shutil.copy(wheel, folder / "wheels")
    manifest = folder / "blender_manifest.toml"
    names = sorted({f"./wheels/{wheel.name}" for wheel in wheels})
    manifest.write_text(manifest_text(manifest.read_text(), platforms, names, official))
    return folder


def manifest_text(text: str, platforms: list[str], wheels: list[str], official: bool) -> str:
    """Return a manifest's text with its platforms and wheels set: keys before its first table."""
    text = re.sub(r"^platforms\s*=\s*\[[^\]]*\]\n", "", text, flags=re.MULTILINE)
    if official:
        text = re.sub(rf"^{INSTALLERS_PERMISSION}\s*=.*\n", "", text, flags=re.MULTILINE)
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
