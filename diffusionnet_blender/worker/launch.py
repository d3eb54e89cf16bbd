"""Which Python runs the worker, and where it finds the libraries."""

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
    """How the worker's process is started.

    Attributes
    ----------
    python : str
        Interpreter.
    paths : tuple of str
        Folders of libraries, which go before the interpreter's own.
    spare_paths : tuple of str
        Folders of libraries for what the interpreter lacks, if it is of this version.
    fix : str
        What to do where it does not start, or lacks a library.
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
        Folder of more libraries, such as PyTorch, which goes before all else.

    Raises
    ------
    WorkerError
        If it is not found.
    """
    first = () if libraries is None else (str(libraries),)
    return Launch(python_executable(), paths=(*first, *library_paths()))


def environment(python: Path) -> Launch:
    """A Python of the user's, such as one that has PyTorch with its CUDA libraries.

    Parameters
    ----------
    python : Path
        The interpreter, or the folder of a virtual environment.

    Raises
    ------
    WorkerError
        If there is none.
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
