"""The command `conform`: one file's character bent onto the shape and pose of another's."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING, Any

from ..scene.options import Conforming
from ..tasks.conform import job
from ..tasks.conform.request import Bending
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

if TYPE_CHECKING:
    import bpy

    from ..scene.character import Character

EPILOGUE = """\
A copy of the source's meshes, with their topology, UV maps, materials, vertex groups and shape
keys, lies on the target: FILE is that of the target with these objects. With --as-key FILE is that
of the source, whose meshes have the shape as a shape key.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to those of the command line."""
    conform = commands.add_parser(
        "conform",
        help="bend one file's character onto the shape and pose of another's",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_pair(conform)
    add_pair_options(conform)
    add_options(conform, Bending)
    add_options(conform, Conforming)
    add_quiet_option(conform)
    add_output(conform, "File to write")
    conform.set_defaults(run=run)


def run(chosen: argparse.Namespace, account: Account | None = None) -> int:
    """Match two files, bend the source onto the target, and save the result."""
    return with_both_files(chosen, account, partial(_conform, chosen))


def _conform(chosen: argparse.Namespace, options: dict[str, Any], account: Account) -> int:
    import bpy

    from ..scene.conform_jobs import ConformJobs
    from ..scene.files import save_file
    from ..scene.pair import require_pair

    source, target, not_written = _opened(chosen)
    title = title_of(chosen)
    with about(title):
        require_pair(source, target)
        pins = options.pop("pins")
        # Where they stand decides nothing.
        matching = {**options, "method": "MATCH"}
        bending = values_of(Bending, chosen)
        jobs = ConformJobs(source, target, pins, bending, chosen.region, **matching)
        request = jobs.request(jobs.items[0])
    for path, shape, surface in (
        (chosen.source, source, request.match.target),
        (chosen.target, target, request.match.source),
    ):
        require_size(path, shape.name, surface)
    with about(title):
        found = job.run(request, account.stages(title))
        jobs.keep(jobs.items[0], found)
        made = jobs.write_keys() if chosen.as_key else [obj.name for obj in jobs.write()]
    account.missed(title, jobs.errors)
    for obj in not_written:
        bpy.data.objects.remove(obj)
    account.warned(chosen.output, save_file(chosen.output))
    written = ", ".join(dict.fromkeys(made))
    matched = method_of(found.correspondence)
    account.note(f"{chosen.output}: {written}, {found.distance:.3%} off; matched {matched}")
    return told_uncertain(found.correspondence, chosen, account)


def _opened(chosen: argparse.Namespace) -> tuple[Character, Character, set[bpy.types.Object]]:
    """Source, target, and the objects that the file that is written does not have."""
    if not chosen.as_key:
        return opened_pair(chosen)
    other = {"source": "target", "target": "source"}
    roles = other | {f"{side}_object": f"{role}_object" for side, role in other.items()}
    values = {name: getattr(chosen, roles.get(name, name)) for name in vars(chosen)}
    target, source, not_written = opened_pair(argparse.Namespace(**values))
    return source, target, not_written
