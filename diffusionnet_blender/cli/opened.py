"""Shared parts of the commands on files of any number: paths, and the objects of each file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DiffusionNetError
from .options import FORMATS, add_in_place_option, file_path
from .places import place, require_apart, require_places

if TYPE_CHECKING:
    import bpy


def add_files(parser: argparse.ArgumentParser, output: str, required: bool = False) -> None:
    """Add the files, --output and --in-place.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    output : str
        Help text of --output.
    required : bool
        Whether --output has to be given.
    """
    parser.add_argument("files", nargs="+", type=file_path, metavar="FILE", help=FORMATS)
    parser.add_argument(
        "--output",
        type=file_path,
        required=required,
        metavar="FILE|DIR",
        help=f"{output}; in a folder, as .blend",
    )
    add_in_place_option(parser)


def output_of(path: Path, chosen: argparse.Namespace) -> Path | None:
    """Where the result of a file goes; None without --output."""
    return place(chosen.output, path, ".blend")


def require_outputs(chosen: argparse.Namespace) -> list[Path | None]:
    """Check --output before the first file is opened.

    Returns
    -------
    list of Path or None
        Where the result of each file goes.

    Raises
    ------
    DiffusionNetError
        If results have no places of their own, cannot be written, or would overwrite an input
        without --in-place.
    """
    require_places(chosen.files, chosen.output, "output")
    outputs = [output_of(path, chosen) for path in chosen.files]
    require_apart(chosen.files, outputs, "output", chosen.in_place)
    return outputs


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
