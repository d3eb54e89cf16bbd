"""Shared parts of the commands on a pair of meshes: options, and the mesh of each file."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DiffusionNetError
from ..network.checkpoint import Model
from ..scene.options import Grouping
from ..tasks.match.request import Correspondence, Fit, MatchRequest
from ..tasks.match.side import FEWEST_VERTICES
from ..tasks.models import loaded
from .account import Account
from .options import FORMATS, add_in_place_option, add_options, file_path, values_of
from .places import require_apart
from .session import about, blender, library
from .streams import note

if TYPE_CHECKING:
    import bpy

    from ..scene.character import Character
    from ..surface.surface import Surface

# Value of --model for a match without one.
NO_MODEL = "none"
# By the outcome of fitting a network to the pair.
FIT_REMARKS: dict[Fit, str] = {
    "": "",
    "kept": " and a network fitted to this pair",
    "no better": " (a network fitted to this pair was no better)",
    "no torch": " (no network was fitted: torch is not installed)",
}


def add_pair(parser: argparse.ArgumentParser) -> None:
    """Add source and target."""
    parser.add_argument("source", type=file_path, metavar="SOURCE", help=FORMATS)
    parser.add_argument("target", type=file_path, metavar="TARGET", help="Likewise")


def add_pair_options(parser: argparse.ArgumentParser) -> None:
    """Add the objects of source and target, and the options of their match."""
    for side in ("source", "target"):
        text = f"Object of the {side}'s file, which stands for its character (default: the largest)"
        parser.add_argument(f"--{side}-object", metavar="NAME", help=text)
    add_options(parser, Grouping)
    add_options(parser, MatchRequest)
    parser.add_argument(
        "--pin",
        dest="pins",
        action="append",
        default=[],
        type=_pin,
        metavar="SOURCE:TARGET",
        help="Pin: number, from 0, of a vertex of the source and of the corresponding vertex of "
        "the target; may be given several times",
    )


def add_output(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the file that is written, and that it may be one of those that are read."""
    parser.add_argument("--output", type=file_path, required=True, metavar="FILE", help=what)
    add_in_place_option(parser)


def with_both_files(
    chosen: argparse.Namespace,
    account: Account | None,
    work: Callable[[dict[str, Any], Account], int],
) -> int:
    """Check the files and options of a pair, and do the work where Blender is at hand.

    Parameters
    ----------
    chosen : argparse.Namespace
        With the options of `add_pair`, `add_pair_options` and `add_output`.
    account : Account, optional
    work : callable
        From the fields of `MatchRequest` and the account to the exit status.
    """
    account = account or Account(chosen.quiet)
    require_apart([chosen.source, chosen.target], [chosen.output], "output", chosen.in_place)
    options = match_options(chosen)
    with blender(chosen):
        from ..scene.files import require_writable_suffix

        require_writable_suffix(chosen.output)
        return work(options, account)


def match_options(chosen: argparse.Namespace) -> dict[str, Any]:
    """Fields of `MatchRequest`, without the surfaces.

    Raises
    ------
    ModelError
        If there is no such model, or it does not match shapes.
    """
    options = values_of(MatchRequest, chosen)
    model: Model | None = None
    if chosen.model.lower() != NO_MODEL:
        model = loaded(chosen.model, [library()], "match")
    pins = np.array(chosen.pins, dtype=np.int64).reshape(-1, 2)
    return {**options, "model": model, "pins": pins}


def method_of(found: Correspondence) -> str:
    """Model, fit and confidence of a match in one line."""
    if found.in_place:
        method = "in place"
    elif found.way == "limbs" and found.fit != "kept":
        method = f"limb by limb{FIT_REMARKS[found.fit]}"
    elif found.way != "distances" and found.model_name:
        method = f"by model {found.model_name}{FIT_REMARKS[found.fit]}"
    else:
        method = f"by distances alone{FIT_REMARKS[found.fit]}"
    stray = "".join(
        f"; {side}: {repairs.stray()}"
        for side, repairs in zip(("source", "target"), found.repairs, strict=True)
        if repairs.stray_vertices
    )
    return f"{method}, confident on {found.confident_share:.0%} of vertices{stray}"


def told_uncertain(found: Correspondence, chosen: argparse.Namespace, account: Account) -> int:
    """Exit status of a command that has written its output; tells an uncertain match."""
    if found.uncertain and chosen.accept_uncertain:
        note(f"{found.doubt}{title_of(chosen)}, accepted")
    elif found.uncertain:
        account.uncertain(
            [
                f"{found.doubt}{title_of(chosen)}; check {chosen.output}",
                "Set pins (--pin), or accept it by --accept-uncertain",
            ]
        )
    return account.status


def title_of(chosen: argparse.Namespace) -> str:
    """Both files, for progress and errors."""
    return f"{chosen.source} to {chosen.target}"


def require_size(path: Path, name: str, surface: Surface) -> None:
    """Raise DiffusionNetError if a shape of a file has too few vertices to be matched."""
    count = len(surface.vertices)
    if count < FEWEST_VERTICES:
        raise DiffusionNetError(
            f"{path}: {name!r} has only {count} vertices",
            f"A map needs at least {FEWEST_VERTICES}; subdivide it.",
        )


def mesh_in(
    path: Path,
    name: str | None,
    read: Callable[[Path], list[bpy.types.Object]],
    each: bool = False,
) -> bpy.types.Object:
    """A mesh of the largest character of a file, or the one of a name.

    Parameters
    ----------
    path : Path
    name : str, optional
    read : callable
        Of `scene.files`: returns the objects of a file.
    each : bool
        The largest mesh.

    Raises
    ------
    DiffusionNetError
        If the file cannot be read, or has no such mesh.
    """
    import bpy

    from ..scene.character import characters_of
    from ..scene.targets import named_object

    with about(path):
        meshes = [obj for obj in read(path) if obj.type == "MESH"]
        if name is not None:
            named = named_object(meshes, name)
            meshes = [named] if named else []
        if not meshes:
            subject = "no mesh" if name is None else f"no mesh called {name!r}"
            raise DiffusionNetError(f"There is {subject} in it", "Name one of its objects.")
        largest = max(meshes, key=lambda obj: len(obj.data.vertices))
        if name is not None or each:
            return largest
        # Of several characters, the one with the most vertices.
        whole = max(
            characters_of(meshes, bpy.context.view_layer),
            key=lambda character: sum(len(obj.data.vertices) for obj in character.members),
        )
        return largest if largest in whole.members else whole.members[0]


def character_in(
    obj: bpy.types.Object, each: bool, own: Collection[bpy.types.Object] | None = None
) -> Character:
    """The character that a mesh of an open file belongs to.

    Parameters
    ----------
    obj : bpy.types.Object
    each : bool
        The mesh alone.
    own : collection of bpy.types.Object, optional
        Those of its file, where others are open as well.
    """
    import bpy

    from ..scene.character import alone, characters_of

    (found,) = characters_of([obj], bpy.context.view_layer, each)
    members = tuple(o for o in found.members if own is None or o in own)
    if obj not in members:
        # Left out of its own, as a level of detail, and named.
        return alone(obj)
    return replace(found, members=members)


def opened_pair(
    chosen: argparse.Namespace,
) -> tuple[Character, Character, set[bpy.types.Object]]:
    """Open both files: source, target, and the objects that the file of the target does not have.

    Parameters
    ----------
    chosen : argparse.Namespace
        With the options of `add_pair` and `add_pair_options`.

    Raises
    ------
    DiffusionNetError
        If a file cannot be read, or has no such mesh.
    """
    import bpy

    from ..scene.files import add_file, open_file
    from ..scene.pair import pair_of

    opened: list[bpy.types.Object] = []

    def read(path: Path) -> list[bpy.types.Object]:
        opened.extend(open_file(path))
        return opened

    each = chosen.each
    target = mesh_in(chosen.target, chosen.target_object, read, each)
    if os.path.realpath(chosen.source) == os.path.realpath(chosen.target):
        # Opened once: the source is a part of the target's file, and stays in it.
        source = mesh_in(chosen.source, chosen.source_object, lambda _: opened, each)
        return *pair_of(bpy.context, source, target, each), set()
    receiving = character_in(target, each)
    # Objects of both files may have the same name, and are found by the names in their files.
    before = set(bpy.data.objects)
    own = {obj: obj.name for obj in before if obj.library is None}
    for obj, name in own.items():
        obj.name = f"{name} (target)"
    source = mesh_in(chosen.source, chosen.source_object, add_file, each)
    only_source = set(bpy.data.objects) - before
    giving = character_in(source, each, only_source)
    taken = set(own.values())
    for obj in [obj for obj in only_source if obj.name in taken]:
        obj.name = f"{obj.name} (source)"
    for obj, name in own.items():
        obj.name = name
    return giving, receiving, only_source


def _pin(text: str) -> tuple[int, int]:
    """A pin of the command line."""
    source, _, target = text.partition(":")
    try:
        return int(source), int(target)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not two numbers of vertices, as 12:345"
        ) from error
