"""Command line: `python -m diffusionnet_blender ...` and `blender --command diffusionnet ...`."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from . import cli_match, cli_transfer
from .errors import DiffusionNetError
from .folders import user_folder

EPILOGUE = """\
Written onto each mesh: integer attributes part (faces) and part_vertex, color attribute part_color,
a vertex group for each part, float attribute part_confidence.

Labels (--labels OUT.npz) hold, in the file's own order of vertices: vertices (V, 3) as stored in
the mesh, faces (F, 3) triangles, vertex_labels (V,), vertex_probabilities (V, C), class_names
(C,), seconds. A file of several meshes has `objects`, their names, and NAME/vertices and so on.
Blender's importers weld the triangles of an STL (vertices in the order in which they first
appear), leave vertices that no face uses out of an OBJ and a glTF, and turn a glTF's y up to z up.
With several files, --output and --labels name folders.
"""


def main(arguments: Sequence[str], program: str) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str
        Without the program's name.
    program : str
        For the help text.

    Returns
    -------
    int
        Exit status: 0 if all was done, 1 if anything failed. A wrong option exits with 2.
    """
    chosen = build_parser(program).parse_args(arguments)
    try:
        return chosen.run(chosen)
    except DiffusionNetError as error:
        return fail(str(error))


def build_parser(program: str) -> argparse.ArgumentParser:
    """The one parser of both ways in."""
    parser = argparse.ArgumentParser(
        prog=program, description="Cut characters into body parts with DiffusionNet."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    from . import cli_train

    segment = commands.add_parser(
        "segment",
        help="label the meshes in files",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    segment.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help=".blend .obj .ply .stl .glb .fbx .usd"
    )
    segment.add_argument("--model", default="body_parts", help="name, or path of a .safetensors")
    segment.add_argument(
        "--output",
        type=Path,
        metavar="FILE|DIR",
        help="write the labelled meshes; in a folder, as .blend",
    )
    segment.add_argument("--labels", type=Path, metavar="NPZ|DIR", help="write the labels as .npz")
    segment.add_argument(
        "--use-modifiers",
        action="store_true",
        help="look at meshes as modifiers, armature and shape keys show them",
    )
    segment.add_argument(
        "--use-rest-shape",
        action="store_true",
        help="compute on meshes as modelled, whose matrices every pose and place shares; models "
        "that are fed no positions, as body_parts, give every pose the labels of the rest shape",
    )
    segment.add_argument(
        "--exact",
        action="store_true",
        help="compute on every vertex of a dense mesh, and not on a proxy of it",
    )
    segment.add_argument(
        "--clean",
        action="store_true",
        help="take frays and islands out of the parts",
    )
    segment.add_argument(
        "--cache",
        metavar="DIR|off",
        help="where the matrices of meshes are kept for the next run (default: the user's cache)",
    )
    segment.add_argument("--device", default="auto", help="auto, cpu, cuda, mps, xpu ...")
    segment.add_argument("--engine", default="auto", choices=("auto", "torch", "numpy"))
    segment.add_argument("--quiet", action="store_true", help="no progress on stderr")
    segment.set_defaults(run=_segment)

    cli_train.add_commands(commands)
    cli_match.add_parser(commands)
    cli_transfer.add_parser(commands)

    models = commands.add_parser("models", help="list, show and import models")
    actions = models.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="names of the models at hand")
    listing.set_defaults(run=_list_models)
    info = actions.add_parser("info", help="the card of a model, as JSON")
    info.add_argument("name")
    info.set_defaults(run=_show_model)
    importing = actions.add_parser("import", help="add a model to the library")
    importing.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="published weights (.pth), or a .safetensors with its .json card beside it",
    )
    importing.add_argument(
        "--card",
        type=Path,
        metavar="CARD.json",
        help="for a .pth: its class names, colours, features, licence ...",
    )
    importing.set_defaults(run=_import_model)
    return parser


def _list_models(chosen) -> int:
    from .tasks.models import list_models

    for card in list_models([library()]):
        what = f"{len(card.class_names)} classes" if card.class_names else "matches shapes"
        print(f"{card.name}\t{what}\t{card.title}")
    return 0


def _show_model(chosen) -> int:
    from .network.card import ModelCard
    from .tasks.models import model_path

    path = model_path(chosen.name, [library()]).with_suffix(".json")
    ModelCard.load(path)
    print(path.read_text(encoding="utf-8").rstrip())
    return 0


def _import_model(chosen) -> int:
    from .tasks.models import import_model

    print(import_model(chosen.file, library(), chosen.card))
    return 0


def library() -> Path:
    """Folder of the user's own models."""
    return folder_of("models", "model_folder")


def folder_of(name: str, preference: str) -> Path:
    """A folder of the user's: as the preferences say, where there are any."""
    if __package__.startswith("bl_ext."):
        from .preferences import settings

        return getattr(settings(), preference)
    return user_folder(name)


def cache_of(chosen):
    """The cache of matrices, or None where it is switched off."""
    from .surface.cache import OperatorCache

    if chosen.cache == "off":
        return None
    if chosen.cache is not None:
        return OperatorCache(Path(chosen.cache))
    return OperatorCache(folder_of("cache", "cache_folder"))


def _segment(chosen) -> int:
    _check_paths(chosen)
    with blender():
        from .tasks.models import find_model, labelling_model_path

        model = find_model(str(labelling_model_path(chosen.model, [library()])))
        return max(_segment_file(path, model, chosen) for path in chosen.files)


@contextlib.contextmanager
def blender():
    """Files are read and written by Blender, with the extension registered.

    Raises
    ------
    DiffusionNetError
        If this Python has no Blender.
    """
    if importlib.util.find_spec("bpy") is None:
        raise DiffusionNetError(
            "Reading and writing files needs Blender, and this Python has no module bpy",
            "Run `blender --command diffusionnet ...`, or install bpy "
            "(pip install bpy==4.5.15, Python 3.11).",
        )
    import bpy

    # Labels are saved with a legend, so Blender must know what a legend is.
    from . import register, unregister

    registered = hasattr(bpy.types.Mesh, "diffusionnet")
    if not registered:
        register()
    try:
        yield
    finally:
        # bpy as a Python module crashes at exit while classes are registered.
        if not registered:
            unregister()


def _check_paths(chosen) -> None:
    """Refuse what cannot end well before the first file is opened."""
    if chosen.output is None and chosen.labels is None:
        raise DiffusionNetError("There is nothing to write", "Give --output, --labels or both.")
    require_places(chosen.files, chosen.output, "output")
    require_places(chosen.files, chosen.labels, "labels", ".npz")


def require_places(
    files: Sequence[Path], target: Path | None, option: str, suffix: str = ""
) -> None:
    """Raise DiffusionNetError unless each file's result has a place of its own in the target."""
    if target is not None and not _is_folder(target):
        if len(files) > 1:
            raise DiffusionNetError(
                f"--{option} {target} is one file, and there are {len(files)} to write",
                "Give a folder.",
            )
        if suffix and target.suffix.lower() != suffix:
            raise DiffusionNetError(
                f"--{option} {target} is not a {suffix} file", f"Name it {suffix}."
            )
    stems = [path.stem for path in files]
    twice = next((stem for stem in stems if stems.count(stem) > 1), None)
    if target is not None and twice:
        raise DiffusionNetError(
            f"Two files are called {twice!r} and would be written to one place",
            "Run the command once for each.",
        )


def _segment_file(path: Path, model, chosen) -> int:
    """Label the meshes of a file and save it; 0 if all of them were done."""
    import bpy

    from .operators.segment_object import segment_object
    from .scene.files import open_file, require_known_suffix, save_file
    from .scene.write import Outputs, write_labels

    # Nothing that would take the place of what the artist has: no face sets, no materials.
    outputs = Outputs(confidence=True)
    output = place(chosen.output, path, ".blend")
    labels = place(chosen.labels, path, ".npz")
    cache = cache_of(chosen)
    status, found = 0, []
    try:
        if output:
            require_known_suffix(output)
        for obj in open_file(path):
            depsgraph = bpy.context.evaluated_depsgraph_get() if chosen.use_modifiers else None
            try:
                geometry, segmentation, result = segment_object(
                    obj,
                    model,
                    depsgraph=depsgraph,
                    use_rest_shape=chosen.use_rest_shape,
                    exact=chosen.exact,
                    clean=chosen.clean,
                    engine=chosen.engine,
                    device=chosen.device,
                    cache=cache,
                    progress=_progress(path, obj.name, chosen.quiet),
                )
                write_labels(obj, result, outputs)
            except DiffusionNetError as error:
                status = fail(f"{path}: {error}")
            else:
                found.append((geometry, segmentation))
                if not chosen.quiet:
                    print(f"{path}: {_summary(geometry, segmentation)}", file=sys.stderr)
        if found and labels:
            _save_labels(labels, found)
        if found and output:
            save_file(output)
    except DiffusionNetError as error:
        return fail(f"{path}: {error}")
    return status


def place(target: Path | None, source: Path, suffix: str) -> Path | None:
    """Where the result of a file goes."""
    if target is not None and _is_folder(target):
        return target / f"{source.stem}{suffix}"
    return target


def _is_folder(path: Path) -> bool:
    return path.is_dir() or not path.suffix


def _progress(path: Path, name: str, quiet: bool):
    """A line on stderr for each stage."""
    told = []

    def progress(stage: str, fraction: float) -> None:
        if stage not in told:
            told.append(stage)
            if not quiet:
                print(f"{path}: {name}: {stage}", file=sys.stderr, flush=True)

    return progress


def _summary(geometry, segmentation) -> str:
    parts = len(np.unique(segmentation.vertex_labels))
    seconds = sum(segmentation.seconds.values())
    text = (
        f"{geometry.name}: {parts} parts on {len(geometry.coordinates):,} vertices "
        f"in {seconds:.1f} s ({segmentation.engine}, {segmentation.device})"
    )
    return f"{text}, {segmentation.remark}" if segmentation.remark else text


def _save_labels(path: Path, found: list) -> None:
    """Write the .npz under another name, then rename it."""
    arrays = {}
    for geometry, segmentation in found:
        prefix = f"{geometry.name}/" if len(found) > 1 else ""
        arrays |= {
            f"{prefix}vertices": geometry.coordinates,
            f"{prefix}faces": geometry.surface.faces,
            f"{prefix}vertex_labels": segmentation.vertex_labels,
            f"{prefix}vertex_probabilities": segmentation.vertex_probabilities,
            f"{prefix}class_names": np.array(segmentation.class_names),
            f"{prefix}seconds": np.float64(sum(segmentation.seconds.values())),
        }
    if len(found) > 1:
        arrays["objects"] = np.array([geometry.name for geometry, _ in found])
    staged = path.with_name(f".{path.stem}.{os.getpid()}.npz")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(staged, **arrays)
        os.replace(staged, path)
    except OSError as error:
        if staged.exists():
            staged.unlink()
        raise DiffusionNetError(
            f"{path} cannot be written ({error.strerror})", "Choose another place."
        ) from error


def fail(line: str) -> int:
    """Say in one line on stderr what went wrong; the exit status."""
    print(" ".join(line.split()), file=sys.stderr)
    return 1
