"""Objects of a file that a command is asked for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DiffusionNetError

if TYPE_CHECKING:
    import bpy


def add_object_option(parser: argparse.ArgumentParser) -> None:
    """Add --object."""
    parser.add_argument(
        "--object",
        metavar="NAME",
        help="Mesh or armature of the file: its character alone (default: all of them)",
    )


def opened(path: Path, name: str | None) -> list[bpy.types.Object]:
    """Open a file: its meshes, or the object of a name, which stands for its character.

    Raises
    ------
    DiffusionNetError
        If the file cannot be read, or has no such object.
    """
    import bpy

    from ..scene.files import open_file
    from ..scene.targets import named_object

    objects = open_file(path)
    if name is None:
        return objects
    found = named_object(
        (obj for obj in bpy.data.objects if obj.type in ("MESH", "ARMATURE")), name
    )
    if found is None:
        raise DiffusionNetError(
            f"There is no mesh or armature called {name!r} in it", "Name one of its objects."
        )
    return [found]
