"""The command `match`: where the vertices of one file's mesh are on another's."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from pathlib import Path

import numpy as np

from .errors import DiffusionNetError, ModelError

EPILOGUE = """\
MAP.npz holds, in the files' own order of vertices: target_to_source_face (Vt,), a row of
source_faces for each vertex of the target; target_to_source_barycentric (Vt, 3), where in that
triangle; confidence (Vt,), 0 to 1; source_vertices, source_faces, target_vertices, target_faces
(as stored in the meshes, in triangles); seconds. Of a file with several meshes the largest is
taken, or the object that is named.
"""
# The model whose features are used where none is named and it is at hand.
DEFAULT_MODEL = "body_match"


def add_parser(commands) -> None:
    """Add the command to those of the command line."""
    match = commands.add_parser(
        "match",
        help="find where each vertex of one mesh is on another",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    match.add_argument("source", type=Path, metavar="SOURCE", help=".blend .obj .ply .stl ...")
    match.add_argument("target", type=Path, metavar="TARGET")
    match.add_argument("--output", type=Path, required=True, metavar="MAP.npz")
    match.add_argument("--source-object", metavar="NAME", help="which object of the file")
    match.add_argument("--target-object", metavar="NAME")
    match.add_argument(
        "--model",
        default="auto",
        help="name or path; auto: body_match where it is at hand; none: by distances alone",
    )
    match.add_argument("--device", default="auto", help="auto, cpu, cuda, mps, xpu ...")
    match.add_argument("--engine", default="auto", choices=("auto", "torch", "numpy"))
    match.add_argument("--quiet", action="store_true", help="no progress on stderr")
    match.set_defaults(run=run)


def run(chosen) -> int:
    """Match two files and write the map."""
    from .tasks.match import match

    if chosen.output.suffix.lower() != ".npz":
        raise DiffusionNetError(f"--output {chosen.output} is not a .npz file", "Name it .npz.")
    if importlib.util.find_spec("bpy") is None:
        raise DiffusionNetError(
            "Reading files needs Blender, and this Python has no module bpy",
            "Run `blender --command diffusionnet ...`, or install bpy.",
        )
    model = load_matching_model(chosen.model)
    # Opening the second file closes the first: each is read into arrays at once.
    source = _read(chosen.source, chosen.source_object)
    target = _read(chosen.target, chosen.target_object)
    told = set()

    def progress(stage: str, fraction: float) -> None:
        if stage not in told and not chosen.quiet:
            told.add(stage)
            print(f"{chosen.source} to {chosen.target}: {stage}", file=sys.stderr, flush=True)

    found = match(
        source.surface,
        target.surface,
        model,
        engine=chosen.engine,
        device=chosen.device,
        progress=progress,
    )
    _save(
        chosen.output,
        target_to_source_face=found.target_to_source.face,
        target_to_source_barycentric=found.target_to_source.barycentric,
        confidence=found.confidence,
        source_vertices=source.coordinates,
        source_faces=source.surface.faces,
        target_vertices=target.coordinates,
        target_faces=target.surface.faces,
        seconds=np.float64(sum(found.seconds.values())),
    )
    if not chosen.quiet:
        print(
            f"{chosen.output}: by {found.features}, {np.mean(found.confidence > 0.5):.0%} of the "
            f"vertices sure, in {sum(found.seconds.values()):.1f} s",
            file=sys.stderr,
        )
    return 0


def load_matching_model(name: str):
    """The model of an option: by name or path, "auto", or "none", which is None.

    Raises
    ------
    ModelError
        If there is no such model, or if it names parts.
    """
    from .cli import library
    from .tasks.models import find_model, matching_model_path

    if name == "none":
        return None
    try:
        path = matching_model_path(DEFAULT_MODEL if name == "auto" else name, [library()])
    except ModelError:
        if name == "auto":
            return None
        raise
    return find_model(str(path))


def _read(path: Path, name: str | None):
    """Geometry of one mesh of a file."""
    from .scene.files import open_file
    from .scene.read import read_object

    return read_object(pick_mesh(open_file(path), name, path))


def pick_mesh(objects, name: str | None, path: Path):
    """The largest mesh among objects of a file, or the one that is named.

    Raises
    ------
    DiffusionNetError
        If there is none.
    """
    meshes = [obj for obj in objects if obj.type == "MESH" and name in (None, obj.name)]
    if not meshes:
        what = "no mesh" if name is None else f"no mesh called {name!r}"
        raise DiffusionNetError(f"{path} holds {what}", "Name one of its objects.")
    return max(meshes, key=lambda obj: len(obj.data.vertices))


def _save(path: Path, **arrays) -> None:
    """Write under another name, then rename: a reader sees a whole file or none."""
    staged = path.with_name(f".{path.stem}.{os.getpid()}.npz")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(staged, **arrays)
        os.replace(staged, path)
    except OSError as error:
        staged.unlink(missing_ok=True)
        raise DiffusionNetError(
            f"{path} cannot be written ({error.strerror})", "Choose another place."
        ) from error
