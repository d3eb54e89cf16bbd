"""The command `match`: a map from the vertices of one file's mesh to another's."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import DiffusionNetError
from ..options import options_of
from ..tasks.match import job
from ..tasks.transfer.request import TransferRequest
from .account import Account
from .options import Commands, add_options, add_quiet_option, file_path
from .pair import (
    add_pair,
    add_pair_options,
    character_in,
    match_options,
    mesh_in,
    method_of,
    require_size,
    title_of,
    told_uncertain,
)
from .places import require_apart, save_arrays
from .session import about, blender

if TYPE_CHECKING:
    from ..scene.match_jobs import ReadToMatch

EPILOGUE = """\
MAP.npz has, in the files' own order of vertices: target_to_source_face (Vt,), a row of source_faces
for each vertex of the target; target_to_source_barycentric (Vt, 3), coordinates in that triangle;
confidence (Vt,), 0 to 1; unmatched (Vt,), whether the source has no counterpart, as of a hat of
the target; in_place, whether the map was found by place; source_vertices,
source_faces, target_vertices, target_faces (as stored in the meshes, triangulated); seconds. The
objects of a character (of one armature, parent or place) are one shape: its vertices are one after
the other, source_objects and target_objects have their names, source_member and target_member (V,)
the number of the object of each vertex. Of a file with several characters the largest is read, or
that of the named object; with --each the largest mesh, or the named one, alone.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to those of the command line."""
    match = commands.add_parser(
        "match",
        help="map the vertices of one mesh to another",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_pair(match)
    add_task_options(match)
    add_quiet_option(match)
    match.add_argument(
        "--output", type=file_path, required=True, metavar="MAP.npz", help="File of the map"
    )
    match.set_defaults(run=run)


def add_task_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the task, for pairs of any number."""
    add_pair_options(parser)
    # The same option as of a transfer.
    names = [field.name for field, _ in options_of(TransferRequest)]
    add_options(parser, TransferRequest, leave_out=set(names) - {"accept_uncertain"})


def run(chosen: argparse.Namespace, account: Account | None = None) -> int:
    """Match two files and write the map."""
    account = account or Account(chosen.quiet)
    if chosen.output.suffix.lower() != ".npz":
        raise DiffusionNetError(f"--output {chosen.output} is not a .npz file", "Name it .npz.")
    require_apart([chosen.source, chosen.target], [chosen.output], "output")
    options = match_options(chosen)
    with blender(chosen):
        from ..scene.match_jobs import request_of

        # Opening the second file closes the first, of which only arrays are kept.
        source = _read(chosen.source, chosen.source_object, chosen.each, account)
        target = _read(chosen.target, chosen.target_object, chosen.each, account)
    title = title_of(chosen)
    with about(title):
        request = request_of(source, target, **options)
        found = job.run(request, account.stages(title))
    account.found(chosen.target.stem, found)
    seconds = sum(found.seconds.values())
    members = {
        name: array
        for side, shape in (("source", source), ("target", target))
        if shape.members is not None
        for name, array in (
            (f"{side}_member", shape.members.of_vertex),
            (f"{side}_objects", np.array([each.name for each in shape.geometry.members])),
        )
    }
    save_arrays(
        chosen.output,
        target_to_source_face=found.target_to_source.face,
        target_to_source_barycentric=found.target_to_source.barycentric,
        confidence=found.confidence,
        unmatched=found.unmatched,
        in_place=np.bool_(found.in_place),
        source_vertices=_coordinates(source),
        source_faces=request.source.faces,
        target_vertices=_coordinates(target),
        target_faces=request.target.faces,
        seconds=np.float64(seconds),
        **members,
    )
    account.note(f"{chosen.output}: {method_of(found)}, in {seconds:.1f} s")
    return told_uncertain(found, chosen, account)


def _read(path: Path, name: str | None, each: bool, account: Account) -> ReadToMatch:
    from ..scene.files import open_file
    from ..scene.match_jobs import read_to_match

    character = character_in(mesh_in(path, name, open_file, each), each)
    with about(path):
        read = read_to_match(character)
    account.missed(path, read.errors)
    require_size(path, character.name, read.geometry.placed.surface)
    return read


def _coordinates(read: ReadToMatch) -> np.ndarray:
    """Vertices (V, 3) of all members as their meshes store them."""
    return np.concatenate([seen.geometry.coordinates for seen in read.geometry.seen])
