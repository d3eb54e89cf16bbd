"""What the commands on a pair of meshes share: their options, and which mesh of a file is meant."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DiffusionNetError
from ..network.checkpoint import Model
from ..tasks.match.request import Correspondence, MatchRequest
from ..tasks.models import loaded
from .options import add_options, add_quiet_option, values_of
from .session import about, library

# Value of --model that names none.
NO_MODEL = "none"
# By what came of fitting a network to the pair.
FITTED = {
    "kept": " and a network fitted to this pair",
    "no better": " (a network fitted to this pair was no better)",
    "no torch": " (no network was fitted: torch is not installed)",
}


def add_pair_options(parser) -> None:
    """Source and target, and the options of their match."""
    parser.add_argument("source", type=Path, metavar="SOURCE", help=".blend .glb .fbx .obj ...")
    parser.add_argument("target", type=Path, metavar="TARGET")
    parser.add_argument("--source-object", metavar="NAME", help="which object of the file")
    parser.add_argument("--target-object", metavar="NAME")
    add_options(parser, MatchRequest)
    parser.add_argument(
        "--pin",
        dest="pins",
        action="append",
        default=[],
        type=_pin,
        metavar="SOURCE:TARGET",
        help="numbers of a vertex of the source and of one of the target that belong together; "
        "give it once for each pin",
    )
    add_quiet_option(parser)


def match_options(chosen: argparse.Namespace) -> dict[str, Any]:
    """Fields of `MatchRequest` but the surfaces.

    Raises
    ------
    ModelError
        If there is no such model, or if it does not match shapes.
    """
    options = values_of(MatchRequest, chosen)
    model: Model | None = None
    if chosen.model.lower() != NO_MODEL:
        model = loaded(chosen.model, [library()], "match")
    pins = np.array(chosen.pins, dtype=np.int64).reshape(-1, 2)
    return {**options, "model": model, "pins": pins}


def method_of(found: Correspondence) -> str:
    """How a match was found."""
    by = f"model {found.model_name}" if found.model_name else "distances alone"
    return f"by {by}{FITTED.get(found.fit, '')}, {found.sure:.0%} of the vertices sure"


def mesh_in(path: Path, name: str | None, read):
    """The largest mesh of a file, or the one that is named.

    Parameters
    ----------
    path : Path
    name : str, optional
    read : callable
        Of `scene.files`: from the file to its objects.

    Raises
    ------
    DiffusionNetError
        If the file cannot be read, or there is none.
    """
    with about(path):
        meshes = [obj for obj in read(path) if obj.type == "MESH" and name in (None, obj.name)]
        if not meshes:
            what = "no mesh" if name is None else f"no mesh called {name!r}"
            raise DiffusionNetError(f"There is {what} in it", "Name one of its objects.")
        return max(meshes, key=lambda obj: len(obj.data.vertices))


def _pin(text: str) -> tuple[int, int]:
    source, _, target = text.partition(":")
    try:
        return int(source), int(target)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not two numbers of vertices, as 12:345"
        ) from error
