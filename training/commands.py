"""What the commands of this folder have in common."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection
from functools import wraps
from pathlib import Path
from typing import NoReturn

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.network.checkpoint import Model, load_model
from diffusionnet_blender.tasks.models import find_model


def plain_errors(main: Callable[[], None]) -> Callable[[], None]:
    """A command that ends with one line where a file or a folder is missing, or a model is no
    model."""

    @wraps(main)
    def run() -> None:
        try:
            main()
        except (FileNotFoundError, DiffusionNetError) as error:
            sys.exit(f"error: {error}")

    return run


def glb_files(folder: Path, names: Collection[str] | None = None) -> list[Path]:
    """The .glb files of a folder of characters, in the order of their names.

    Parameters
    ----------
    folder : Path
    names : collection of str, optional
        Those wanted, without suffix; by default all.

    Raises
    ------
    FileNotFoundError
        There are none.
    """
    paths = [path for path in sorted(folder.glob("*.glb")) if not names or path.stem in names]
    if not paths:
        called = f" called {', '.join(sorted(names))}" if names else ""
        raise FileNotFoundError(f"{folder} has no .glb files of characters{called}")
    return paths


def leave() -> NoReturn:
    """End the process at once: bpy as a Python module may crash at exit."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def model_named(name: str) -> Model:
    """A bundled model by its name, or any by the path of its .safetensors."""
    path = Path(name)
    return load_model(path) if path.suffix else find_model(name)
