"""The command `transfer`: data of one file's mesh, moved onto another's."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..errors import DiffusionNetError
from ..tasks.match import job as match_job
from ..tasks.transfer import job
from ..tasks.transfer.kinds import KINDS, Kinds
from .options import add_options, names_in, stage_lines, values_of
from .pair import add_pair_options, match_options, mesh_in
from .session import blender

EPILOGUE = """\
What is moved: texture (images baked anew into the target's own UV map, which is made where there is
none), uv (the source's UV map, seams marked), weights (vertex groups), shape_keys, colors,
attributes, materials, labels (parts of an earlier segmentation), armature (a copy at rest, its
joints carried by the skin around them; with weights, so that it moves the target). Of a file with
several meshes the largest is taken, or the object that is named. All or nothing is written.
"""


def add_parser(commands) -> None:
    """Add the command to those of the command line."""
    transfer = commands.add_parser(
        "transfer",
        help="move textures, UVs, weights, shape keys and attributes from one mesh to another",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_pair_options(transfer)
    transfer.add_argument(
        "--what", required=True, metavar="KINDS", help=f"with commas: {','.join(KINDS)}"
    )
    transfer.add_argument("--output", type=Path, required=True, metavar="FILE")
    add_options(transfer, Kinds, leave_out=KINDS)
    add_options(transfer, job.TransferRequest)
    transfer.set_defaults(run=run)


def run(chosen) -> int:
    """Match two files, move what is asked for, and save the target."""
    kinds = _kinds(chosen)
    options = match_options(chosen)
    with blender():
        from ..scene.files import require_known_suffix

        require_known_suffix(chosen.output)
        return _transfer(chosen, kinds, options)


def _transfer(chosen, kinds: Kinds, options: dict) -> int:
    import bpy

    from ..scene.files import add_file, open_file, save_file
    from ..scene.pair import require_pair
    from ..scene.read import read_object
    from ..scene.transfer import Prepared, read_transfer
    from ..scene.transfer_write import write_transfer

    target = mesh_in(chosen.target, chosen.target_object, open_file)
    # Objects of the two files may be called alike; each is found by the name that its file has.
    own = {obj: obj.name for obj in bpy.data.objects}
    for obj, name in own.items():
        obj.name = f"{name} (target)"
    source = mesh_in(chosen.source, chosen.source_object, add_file)
    for obj in set(bpy.data.objects) - set(own):
        obj.name = f"{obj.name} (source)"
    for obj, name in own.items():
        obj.name = name
    given = set(bpy.data.objects) - set(own)
    require_pair(source, target)
    # What the source lacks is told before anything is computed.
    reading = read_transfer(source, target, kinds)
    progress = stage_lines(f"{chosen.source} to {chosen.target}", chosen.quiet)
    surfaces = (read_object(obj).surface for obj in (source, target))
    found = match_job.match(*surfaces, progress=progress, **options)
    moved = job.run(reading.request(found, **values_of(job.TransferRequest, chosen)), progress)
    written = write_transfer(source, target, Prepared(reading, moved))
    for obj in given:
        bpy.data.objects.remove(obj)
    save_file(chosen.output)
    if not chosen.quiet:
        print(
            f"{chosen.output}: {'; '.join(written)}; {found.sure:.0%} of the vertices sure",
            file=sys.stderr,
        )
    return 0


def _kinds(chosen) -> Kinds:
    names = names_in(chosen.what)
    unknown = [name for name in names if name not in KINDS]
    if unknown or not names:
        raise DiffusionNetError(
            f"--what {chosen.what!r} names {unknown[0]!r}" if unknown else "--what names nothing",
            f"Known are {', '.join(KINDS)}.",
        )
    return Kinds.only(*names, **values_of(Kinds, chosen))
