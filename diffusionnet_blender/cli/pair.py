"""What the commands on a pair of meshes share: their options, and which mesh of a file is meant."""

from __future__ import annotations

from pathlib import Path

from ..errors import DiffusionNetError, ModelError
from ..tasks.models import DEFAULT_MATCH_MODEL
from .options import add_engine_options, add_quiet_option
from .session import about, library


def add_pair_options(parser) -> None:
    """Source and target, and what finds one on the other."""
    parser.add_argument("source", type=Path, metavar="SOURCE", help=".blend .glb .fbx .obj ...")
    parser.add_argument("target", type=Path, metavar="TARGET")
    parser.add_argument("--source-object", metavar="NAME", help="which object of the file")
    parser.add_argument("--target-object", metavar="NAME")
    parser.add_argument(
        "--model",
        default="auto",
        help=f"name or path; auto: {DEFAULT_MATCH_MODEL} where it is at hand; none: by distances "
        "alone",
    )
    parser.add_argument(
        "--fit",
        action="store_true",
        help="also fit a network to the pair and take its map where it is judged better (needs "
        "torch)",
    )
    add_engine_options(parser)
    add_quiet_option(parser)


def load_matching_model(name: str):
    """The model of an option: by name or path, "auto", or "none", which is None.

    Raises
    ------
    ModelError
        If there is no such model, or if it names parts.
    """
    from ..tasks.models import find_model, matching_model_path

    if name == "none":
        return None
    try:
        path = matching_model_path(DEFAULT_MATCH_MODEL if name == "auto" else name, [library()])
    except ModelError:
        if name == "auto":
            return None
        raise
    return find_model(str(path))


def mesh_in(path: Path, name: str | None, read):
    """The largest mesh of a file, or the one that is named.

    Parameters
    ----------
    path : Path
    name : str, optional
    read : callable
        Of `scene.files`: what reads the file, and gives its objects.

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
