"""The command `transfer`: data of one file's mesh, transferred to another's."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from ..errors import DiffusionNetError
from ..options import names_in
from ..tasks.match import job as match_job
from ..tasks.transfer import job
from ..tasks.transfer.kinds import KINDS, Kinds
from .account import Account
from .options import Commands, add_options, add_quiet_option, values_of
from .pair import (
    add_output,
    add_pair,
    add_pair_options,
    method_of,
    opened_pair,
    require_size,
    title_of,
    told_uncertain,
    with_both_files,
)
from .session import about

EPILOGUE = """\
KINDS: texture (images baked into the target's own UV map, or a new one if it has none), uv (the
source's UV map, with seams marked), weights (vertex groups), shape_keys, colors, attributes,
materials, labels (parts of an earlier segmentation), armature (a copy in rest pose, fitted to the
target; with weights it deforms the target). The objects of a character (of one armature, parent or
place) are one shape, and all get their share. Of a file with several characters the largest is
read, or that of the named object; with --each the largest mesh, or the named one, alone. All kinds
are written, or none.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to those of the command line."""
    transfer = commands.add_parser(
        "transfer",
        help="move textures, UVs, weights, shape keys and attributes from one mesh to another",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_pair(transfer)
    add_task_options(transfer)
    add_quiet_option(transfer)
    add_output(transfer, "File of the target")
    transfer.set_defaults(run=run)


def add_task_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the task, for pairs of any number."""
    add_pair_options(parser)
    parser.add_argument(
        "--what",
        required=True,
        metavar="KINDS",
        help=f"Data to transfer, with commas: {', '.join(KINDS)}",
    )
    add_options(parser, Kinds, leave_out=KINDS)
    add_options(parser, job.TransferRequest)


def run(chosen: argparse.Namespace, account: Account | None = None) -> int:
    """Match two files, transfer the chosen kinds of data, and save the target."""
    kinds = kinds_of(chosen)
    return with_both_files(chosen, account, partial(_transfer, chosen, kinds))


def _transfer(
    chosen: argparse.Namespace, kinds: Kinds, options: dict[str, Any], account: Account
) -> int:
    import bpy

    from ..scene.files import save_file
    from ..scene.match_jobs import match_request
    from ..scene.matches import Match, fingerprint
    from ..scene.options import Outputs
    from ..scene.pair import require_pair
    from ..scene.transfer_jobs import TransferJobs, read_pair

    source, target, only_source = opened_pair(chosen)
    title = title_of(chosen)
    progress = account.stages(title)
    with about(title):
        require_pair(source, target)
        errors, request = match_request(source, target, **options)
    for path, shape, surface in (
        (chosen.source, source, request.source),
        (chosen.target, target, request.target),
    ):
        require_size(path, shape.name, surface)
    with about(title):
        # Raises for layers that the source lacks, before anything is computed.
        reading = read_pair(source, target, kinds)
        found = match_job.run(request, progress)
        match = Match(found, options["pins"], fingerprint(source), fingerprint(target))
        moving = values_of(job.TransferRequest, chosen)
        jobs = TransferJobs(source, target, match, kinds, reading, **moving)
        for item in jobs.items:
            jobs.keep(item, job.run(jobs.request(item), progress))
        written = jobs.write(at_once=True, outputs=Outputs())
    account.found(target.name, found)
    account.missed(title, [*errors, *jobs.errors])
    for obj in only_source:
        bpy.data.objects.remove(obj)
    account.warned(chosen.output, save_file(chosen.output))
    account.note(f"{chosen.output}: {'; '.join(written)}; matched {method_of(found)}")
    for contact in jobs.contacts:
        if contact.gap is not None:
            account.note(f"{contact.name}: gaps of lips and lids are {contact.gap:.2%} off")
    account.pictured(target.members, "SINGLE", "TEXTURE")
    return told_uncertain(found, chosen, account)


def kinds_of(chosen: argparse.Namespace) -> Kinds:
    """Kinds that --what names, with dashes or underscores."""
    names = [name.replace("-", "_") for name in names_in(chosen.what.lower())]
    unknown = [name for name in names if name not in KINDS]
    if unknown or not names:
        raise DiffusionNetError(
            f"--what {chosen.what!r} names {unknown[0]!r}" if unknown else "--what names nothing",
            f"Known are {', '.join(KINDS)}.",
        )
    return Kinds.only(*names, **values_of(Kinds, chosen))
