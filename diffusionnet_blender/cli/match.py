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
from .options import Commands, add_options, stage_lines
from .pair import (
    add_pair_options,
    match_options,
    mesh_in,
    method_of,
    require_size,
    title_of,
    told_uncertain,
)
from .places import require_apart, save_arrays
from .session import about, blender
from .streams import note

if TYPE_CHECKING:
    from ..scene.read import ObjectGeometry

EPILOGUE = """\
MAP.npz has, in the files' own order of vertices: target_to_source_face (Vt,), a row of source_faces
for each vertex of the target; target_to_source_barycentric (Vt, 3), coordinates in that triangle;
confidence (Vt,), 0 to 1; in_place, whether the map was found by place; source_vertices,
source_faces, target_vertices, target_faces (as stored in the meshes, triangulated); seconds. Of a
file with several meshes the largest is read, or the named object.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to those of the command line."""
    match = commands.add_parser(
        "match",
        help="map the vertices of one mesh to another",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_pair_options(match)
    # The same option as of a transfer.
    names = [field.name for field, _ in options_of(TransferRequest)]
    add_options(match, TransferRequest, leave_out=set(names) - {"accept_uncertain"})
    match.add_argument(
        "--output", type=Path, required=True, metavar="MAP.npz", help="File of the map"
    )
    match.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Match two files and write the map."""
    if chosen.output.suffix.lower() != ".npz":
        raise DiffusionNetError(f"--output {chosen.output} is not a .npz file", "Name it .npz.")
    require_apart([chosen.source, chosen.target], [chosen.output], "output")
    options = match_options(chosen)
    with blender(chosen):
        # Opening the second file closes the first, of which only arrays are kept.
        source, origin = _read(chosen.source, chosen.source_object)
        target, end = _read(chosen.target, chosen.target_object)
    title = title_of(chosen)
    with about(title):
        request = job.MatchRequest(source.surface, target.surface, offset=end - origin, **options)
        found = job.run(request, stage_lines(title, chosen.quiet))
    seconds = sum(found.seconds.values())
    save_arrays(
        chosen.output,
        target_to_source_face=found.target_to_source.face,
        target_to_source_barycentric=found.target_to_source.barycentric,
        confidence=found.confidence,
        in_place=np.bool_(found.in_place),
        source_vertices=source.coordinates,
        source_faces=source.surface.faces,
        target_vertices=target.coordinates,
        target_faces=target.surface.faces,
        seconds=np.float64(seconds),
    )
    if not chosen.quiet:
        note(f"{chosen.output}: {method_of(found)}, in {seconds:.1f} s")
    return told_uncertain(found, chosen)


def _read(path: Path, name: str | None) -> tuple[ObjectGeometry, np.ndarray]:
    """Geometry of one mesh of a file, and its origin in the world (3,)."""
    from ..scene.files import open_file
    from ..scene.read import origin_of, read_object

    obj = mesh_in(path, name, open_file)
    geometry = read_object(obj)
    require_size(path, geometry)
    return geometry, origin_of(obj)
