"""The extension registered for one demonstration, with a cache and a library of its own."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import diffusionnet_blender
from diffusionnet_blender.errors import DiffusionNetError

# Where demonstrations leave what they made.
OUTPUT = Path(__file__).resolve().parent.parent / "build" / "demo"


def parser_of(about: str) -> argparse.ArgumentParser:
    """The option that every demonstration has; `about` begins with what it does."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--output", type=Path, default=OUTPUT, metavar="DIR")
    return parser


def leave(status: int) -> NoReturn:
    """End the process at once: the bpy module's own shutdown reports the sidebar that was opened
    as memory not freed."""
    sys.stdout.flush()
    os._exit(status)


def demonstrate(show: Callable[[], None], about: str = "") -> int:
    """Call a function while the extension is registered; the exit status of the command.

    Every run shows every stage, and leaves nothing at home. Errors are printed, those of the
    extension after what they are about.
    """
    diffusionnet_blender.register()
    try:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["XDG_DATA_HOME"] = folder
            show()
    except DiffusionNetError as error:
        print(f"{about}{error}", file=sys.stderr)
        return 1
    except RuntimeError:
        # An operator has reported its error already.
        return 1
    finally:
        # bpy as a Python module crashes at exit while classes are registered.
        diffusionnet_blender.unregister()
    return 0
