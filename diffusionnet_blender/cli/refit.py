"""The command `refit`: what one file's character wears, fitted to the body of another's."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from ..errors import DiffusionNetError
from ..tasks.refit import job
from ..tasks.refit.request import Fitting
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
Garments, hair, shoes and other things that the source's character wears are copied into the
target's file, fitted to its body. They follow the target's armature, where it has one. Which object
is a body is found by its name, or because the others lie on it; --body names that of the source.
Eyes, teeth, brows and lashes stay, since every body has its own.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to those of the command line."""
    refit = commands.add_parser(
        "refit",
        help="fit the clothes of one file's character to another's body",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_pair(refit)
    add_pair_options(refit)
    refit.add_argument("--body", metavar="NAME", help="The source's body (default: it is found)")
    add_options(refit, Fitting)
    add_quiet_option(refit)
    add_output(refit, "File of the target")
    refit.set_defaults(run=run)


def run(chosen: argparse.Namespace, account: Account | None = None) -> int:
    """Match the bodies of two files, fit the garments, and save the target."""
    return with_both_files(chosen, account, partial(_refit, chosen))


def _refit(chosen: argparse.Namespace, options: dict[str, Any], account: Account) -> int:
    import bpy

    from ..scene.files import save_file
    from ..scene.pair import require_pair
    from ..scene.refit_jobs import RefitJobs
    from ..scene.targets import named_object

    source, target, only_source = opened_pair(chosen)
    title = title_of(chosen)
    with about(title):
        require_pair(source, target)
        body = None
        if chosen.body is not None:
            body = named_object(source.members, chosen.body)
            if body is None:
                raise DiffusionNetError(
                    f"The source has no object {chosen.body!r}", "Name one of its meshes."
                )
        fitting, pins = values_of(Fitting, chosen), options.pop("pins")
        # Where the bodies stand decides nothing.
        jobs = RefitJobs(source, target, body, pins, fitting, **{**options, "method": "MATCH"})
        request = jobs.request(jobs.items[0])
    for path, name, surface in (
        (chosen.source, jobs.wardrobe.body.name, request.match.source),
        (chosen.target, jobs.target.name, request.match.target),
    ):
        require_size(path, name, surface)
    with about(title):
        result = job.run(request, account.stages(title))
        jobs.keep(jobs.items[0], result)
        made = [obj.name for obj in jobs.write()]
    account.missed(title, jobs.errors)
    left_out = [jobs.wardrobe.garments[number].name for number in result.left_out]
    account.left_out(title, [*left_out, *(obj.name for obj in jobs.wardrobe.of_face)])
    for obj in only_source:
        bpy.data.objects.remove(obj)
    account.warned(chosen.output, save_file(chosen.output))
    found = result.correspondence
    matched = "" if found is None else f"; matched {method_of(found)}"
    account.note(f"{chosen.output}: {', '.join(made)}{matched}")
    return account.status if found is None else told_uncertain(found, chosen, account)
