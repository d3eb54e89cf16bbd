"""The extension's zips for this machine, and the package's wheel, built once."""

import platform
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tools import package


def this_platform() -> str:
    system = {"linux": "linux", "win32": "windows", "darwin": "macos"}[sys.platform]
    machine = {"x86_64": "x64", "AMD64": "x64", "arm64": "arm64"}[platform.machine()]
    return f"{system}-{machine}"


@pytest.fixture(scope="session")
def extension_zip(tmp_path_factory) -> Path:
    # Building validates it as well.
    folder = tmp_path_factory.mktemp("dist")
    return package.build([this_platform()], list(package.PYTHONS), folder)[0]


@pytest.fixture(scope="session")
def official_zip(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("official")
    return package.build([this_platform()], list(package.PYTHONS), folder, official=True)[0]


@pytest.fixture(scope="session")
def distributions(tmp_path_factory) -> dict[str, Path]:
    """The package as pip takes it, by kind: the wheel is built from the sdist."""
    folder = tmp_path_factory.mktemp("distributions")
    _hatch(package.ROOT, "sdist", folder)
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    _hatch(folder / sdist.name.removesuffix(".tar.gz"), "wheel", folder)
    (wheel,) = folder.glob("*.whl")
    return {"sdist": sdist, "wheel": wheel}


def _hatch(source: Path, kind: str, output: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", output]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
