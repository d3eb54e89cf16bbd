"""What the commands of this folder have in common."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps

from diffusionnet_blender.errors import DiffusionNetError


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
