"""The command `rig`: a skeleton and skin weights for the character in a file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DiffusionNetError
from ..scene.options import Binding, Grouping
from ..tasks.models import loaded
from ..tasks.rig import job
from ..tasks.rig.kinds import kind_for
from ..tasks.rig.request import Bones, RigRequest
from .account import Account
from .opened import add_files, add_object_option, opened, output_of, require_outputs
from .options import (
    Commands,
    add_cache_option,
    add_options,
    add_quiet_option,
    values_of,
)
from .session import blender, cache_of, library
from .streams import note, stop_if_asked

if TYPE_CHECKING:
    import bpy

EPILOGUE = """\
Every character of a file (the objects of one parent or place) gets an armature and is bound to it.
What is doubtful about its joints is told on stderr, with how sure the parts of its body are; with
--strict that counts as a failure, and the exit status is 1. Poses other than A and T are fine: the
pose of the file is the rest pose.

A .vrm takes one character, with --kind vrm. It stands in a T-pose on the origin, and only its
author has permissions, until they are loosened in a VRM editor.

An animal on four legs: --model animal_parts, with a --kind of Rigify or plain.

With several files, --output is a folder. Rigify is enabled for the run if it is not.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to those of the command line."""
    rig = commands.add_parser(
        "rig",
        help="give the characters in files a skeleton and skin weights",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_files(rig, "Write the rigged characters", required=True)
    add_task_options(rig)
    add_cache_option(rig)
    add_quiet_option(rig)
    rig.set_defaults(run=run)


def add_task_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the task, for files of any number."""
    add_object_option(parser)
    add_options(parser, Bones)
    add_options(parser, Binding)
    add_options(parser, Grouping)
    add_options(parser, RigRequest)
    parser.add_argument(
        "--check", action="store_true", help="Add a short animation that bends the rig"
    )
    parser.add_argument("--author", default="", metavar="NAME", help="Author that a .vrm names")
    parser.add_argument("--strict", action="store_true", help="Fail where joints are doubtful")


def run(chosen: argparse.Namespace, account: Account | None = None) -> int:
    """Rig the characters of each file."""
    account = account or Account(chosen.quiet)
    require_outputs(chosen)
    options = values_of(RigRequest, chosen) | {"cache": cache_of(chosen)}
    model = options["model"] = loaded(chosen.model, [library()], "segment")
    kind_for(chosen.kind, model.card.four_legs)
    with blender(chosen):
        for path in chosen.files:
            _rig_file(path, options, chosen, account)
    return account.status


def _rig_file(
    path: Path, options: dict[str, Any], chosen: argparse.Namespace, account: Account
) -> None:
    """Rig the characters of a file and save it."""
    import bpy

    from ..scene.character import characters_of
    from ..scene.files import save_file
    from ..scene.vrm import SUFFIX, save_vrm

    output: Path = output_of(path, chosen) or chosen.output
    stop_if_asked()
    rigged: list[bpy.types.Object] = []
    try:
        _require_format(output, chosen.kind)
        objects = opened(path, chosen.object)
        characters = characters_of(objects, bpy.context.view_layer, chosen.each)
        if output.suffix.lower() == SUFFIX and len(characters) > 1:
            raise DiffusionNetError(
                f"A .vrm has one avatar, and there are {len(characters)} characters in the file",
                "Choose one by --object, or write a .glb.",
            )
        for character in characters:
            title = f"{path}: {character.name}"
            account.left_out(title, character.told)
            try:
                rig = _rig(title, character, options, chosen, account)
            except Exception as error:
                account.failed(path, error)
            else:
                rigged += character.members
        if rigged and output.suffix.lower() == SUFFIX:
            name = characters[0].name
            account.warned(output, save_vrm(output, rig, name, chosen.author))
        elif rigged:
            account.warned(output, save_file(output))
            account.pictured(rigged, "TEXTURE")
    except Exception as error:
        account.failed(path, error)


def _require_format(output: Path, kind: str) -> None:
    """Raise DiffusionNetError for a format that is not written of a kind of skeleton."""
    from ..scene.files import require_writable_suffix
    from ..scene.vrm import SUFFIX

    if output.suffix.lower() != SUFFIX:
        require_writable_suffix(output)
    elif kind != "vrm":
        raise DiffusionNetError(
            f"{output.name} cannot be written with the bones of {kind}",
            "Add --kind vrm, or write a .glb.",
        )


def _rig(
    title: str,
    character: Any,
    options: dict[str, Any],
    chosen: argparse.Namespace,
    account: Account,
) -> bpy.types.Object:
    from ..scene.binding import bind, require_unbound
    from ..scene.fits import Fit
    from ..scene.rig_check import write_check
    from ..scene.rig_jobs import rig_request
    from ..scene.skeletons import write_skeleton

    require_unbound(character)
    geometry, request = rig_request(character, **options)
    found = job.run(request, account.stages(title))
    if found.doubts and chosen.strict:
        raise DiffusionNetError(
            f"{character.name!r}: doubtful joints ({', '.join(found.doubts)})",
            "Look at them in Blender, or leave --strict out.",
        )
    fit = Fit.of(character.name, geometry, found)
    write_skeleton(fit, Bones(**values_of(Bones, chosen)))
    rig = bind(fit, Binding(**values_of(Binding, chosen)))
    if chosen.check:
        write_check(rig)
    bones = len([bone for bone in rig.data.bones if bone.use_deform])
    seconds = sum(found.seconds.values())
    account.found(character.name, found)
    account.note(
        f"{title}: {bones} bones on {len(request.surface.vertices):,} vertices in "
        f"{seconds:.1f} s, parts {found.confidence:.0%} sure"
    )
    if found.doubts:
        note(f"{title}: look at {', '.join(found.doubts)}")
    return rig
