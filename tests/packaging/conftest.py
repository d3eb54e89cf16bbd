"""The extension's zip for this machine, built once."""

import platform
import sys
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
