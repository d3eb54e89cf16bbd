"""Python interpreters of the worker process, and the folders of its libraries."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

from ..errors import WorkerError
from ..tasks.status.job import LIBRARIES


@dataclass(frozen=True)
class Launch:
    """An interpreter for the worker process, and its search path.

    Attributes
    ----------
    python : str
        Interpreter.
    paths : tuple of str
        Folders of libraries, searched before the interpreter's own.
    spare_paths : tuple of str
        Folders of libraries, searched after its own; only where it is of this Python's version.
    fix : str
        Remedy shown where it does not start, or lacks a library.
    """

    python: str
    paths: tuple[str, ...] = ()
    spare_paths: tuple[str, ...] = ()
    fix: str = "Remove the extension and install it again, then restart Blender."


def own_python(libraries: Path | None = None) -> Launch:
    """Python of this process, with its libraries.

    Parameters
    ----------
    libraries : Path, optional
        Folder of more libraries, such as PyTorch, searched before all others.

    Raises
    ------
    WorkerError
        If it is not found.
    """
    installed = () if libraries is None else (str(libraries),)
    return Launch(python_executable(), paths=(*installed, *library_paths()))


def environment(python: Path) -> Launch:
    """A Python of the user's, such as one that has PyTorch with its CUDA libraries.

    Parameters
    ----------
    python : Path
        The interpreter, or the folder of a virtual environment.

    Raises
    ------
    WorkerError
        If there is no interpreter.
    """
    inside = [python / part for part in ("bin/python", "Scripts/python.exe", "python.exe")]
    found = next((path for path in (python, *inside) if path.is_file()), None)
    if found is None:
        raise WorkerError(
            f"There is no Python at {python}",
            "In the preferences give the folder of an environment, or empty the field.",
        )
    return Launch(
        str(found),
        spare_paths=tuple(library_paths()),
        fix=f'In a terminal run: "{found}" -m pip install {" ".join(LIBRARIES)}. '
        f"Or empty the field Environment in the preferences.",
    )


def python_executable() -> str:
    """Python interpreter of this process; in Blender the bundled one, and not Blender's program.

    Raises
    ------
    WorkerError
        If there is no interpreter.
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
    """Folders of the libraries on this Python's search path, in its order."""
    folders: set[str] = set()
    for name in LIBRARIES:
        # Raised for a module that was made without a spec.
        with contextlib.suppress(ValueError):
            spec = importlib.util.find_spec(name)
            if spec and spec.submodule_search_locations:
                folders.update(str(Path(p).parent) for p in spec.submodule_search_locations)
            elif spec and spec.origin:
                folders.add(str(Path(spec.origin).parent))
    return [folder for folder in dict.fromkeys(sys.path) if folder in folders]
