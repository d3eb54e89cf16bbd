"""What the commands of this folder have in common."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
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


def leave() -> NoReturn:
    """End the process at once: bpy as a Python module may crash at exit."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def model_named(name: str) -> Model:
    """A bundled model by its name, or any by the path of its .safetensors."""
    path = Path(name)
    return load_model(path) if path.suffix else find_model(name)
