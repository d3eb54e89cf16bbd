"""Which Python runs the worker, and where it finds the libraries."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from pathlib import Path

from ..errors import WorkerError

LIBRARIES = ("numpy", "scipy", "robust_laplacian", "safetensors", "threadpoolctl", "torch")


def python_executable() -> str:
    """The Python that this process is of; in Blender that is its own, and not Blender's program.

    Raises
    ------
    WorkerError
        If there is none.
    """
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [
        Path(sys.executable or "blender"),
        *(Path(sys.prefix) / "bin" / name for name in (version, "python3", "python")),
        Path(sys.prefix) / "bin" / "python.exe",
        Path(sys.prefix) / "python.exe",
    ]
    for path in candidates:
        if path.name.lower().startswith("python") and path.is_file():
            return str(path)
    raise WorkerError(
        f"Blender's own Python was not found in {sys.prefix}",
        "Install Blender again, from blender.org or your system's packages.",
    )


def library_paths() -> list[str]:
    """Folders in which this Python finds the libraries, in the order in which it looks."""
    folders = set()
    for name in LIBRARIES:
        # A module that something else put together by hand has no spec.
        with contextlib.suppress(ValueError):
            spec = importlib.util.find_spec(name)
            if spec and spec.submodule_search_locations:
                folders.update(str(Path(p).parent) for p in spec.submodule_search_locations)
            elif spec and spec.origin:
                folders.add(str(Path(spec.origin).parent))
    return [folder for folder in dict.fromkeys(sys.path) if folder in folders]
