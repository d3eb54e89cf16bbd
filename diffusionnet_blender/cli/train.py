"""The command `train`: a new model, trained on labelled meshes."""

from __future__ import annotations

import argparse
import contextlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, TypeAlias

from ..errors import DiffusionNetError
from ..options import names_in
from ..scene.options import SOURCES, LabelSource
from ..surface.surface import Surface
from ..tasks.progress import CallbackProgress
from ..tasks.train import job
from ..tasks.train.curve import Curve
from ..tasks.train.training_set import NamedLabels
from .options import (
    Commands,
    OneOf,
    add_options,
    add_quiet_option,
    spelling,
    stage_lines,
    values_of,
)
from .session import about, blender, folder_of, library
from .streams import note, say

if TYPE_CHECKING:
    import bpy

# Name, surface and labels.
LabelledMesh: TypeAlias = tuple[str, Surface, NamedLabels]

EPILOGUE = """\
Labels of .blend files are parts (of this extension), vertex-groups, face-sets, materials, attribute
(integers; --attribute names it) or color. Those of rig are the parts of the bones, in files of any
format with an armature. Labels of other files are in a file beside them: those of BODY.obj in
BODY.npy or BODY.txt, one for each vertex or each face, in the order of the mesh; numbers (-1: no
label; --classes names them) or, in a .txt, names.

With --shapes the model classifies whole shapes. The class of a mesh is the name of the file's
folder (`folder`), of the object's collection, with --collection of that inside it (`collection`),
or the value of a custom property (`property:NAME`).

The model is saved in the library, and its path printed on stdout. Ctrl C ends the training with the
best weights so far; a second one ends it without a model. Started again with the same files and
settings, the training resumes.
"""

# Value of --labels: in a file beside the mesh.
FILE = "FILE"
# Sources that files of other formats have as well.
ANYWHERE = (FILE, "RIG")
# Of --shapes.
SHAPE_CLASSES = ("folder", "collection", "property")


def add_parser(commands: Commands) -> None:
    """Add the command to those of the command line."""
    train = commands.add_parser(
        "train",
        help="train a new model on labelled meshes",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    train.add_argument("files", nargs="+", type=Path, metavar="FILE", help="Labelled meshes")
    add_options(train, job.TrainRequest)
    sources = OneOf([FILE, *(value for value, _, _ in SOURCES)])
    train.add_argument(
        "--labels",
        type=sources,
        metavar=sources.metavar,
        help="Source of the labels (default: parts for .blend files, file for all others)",
    )
    add_options(train, LabelSource, leave_out=["source"])
    train.add_argument(
        "--collection", metavar="NAME", help="Train on the meshes of this collection alone"
    )
    train.add_argument(
        "--classes", default="", metavar="A,B,C", help="Class names of the numbers in files"
    )
    train.add_argument(
        "--shapes",
        metavar="folder|collection|property:NAME",
        help="Train on whole shapes, and not on their parts",
    )
    add_quiet_option(train)
    train.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Train on the meshes of all files."""
    from ..tasks.train.pipeline import require_place, require_torch
    from ..tasks.train.training_set import gathered, gathered_shapes

    require_torch()
    require_place(chosen.model_name, library(), chosen.replace)
    with blender():
        if chosen.shapes:
            training_set = gathered_shapes(
                [shape for path in chosen.files for shape in _read_shapes(path, chosen)]
            )
        else:
            training_set = gathered(
                [mesh for path in chosen.files for mesh in _read_labelled(path, chosen)]
            )
    with _kept_on_interrupt() as (arm, enough):
        stages = stage_lines(chosen.model_name, chosen.quiet)
        progress = CallbackProgress(stages, _report(chosen.quiet, arm), enough)
        request = job.TrainRequest(
            training_set,
            model_folder=library(),
            checkpoint_folder=folder_of("checkpoints", "checkpoint_folder"),
            **values_of(job.TrainRequest, chosen),
        )
        trained = job.run(request, progress)
    if not chosen.quiet:
        note(trained.summary)
    say(str(trained.path))
    return 0


def _read_labelled(path: Path, chosen: argparse.Namespace) -> list[LabelledMesh]:
    """Labelled meshes of a file."""
    from ..scene.label_sources import read_label_source
    from ..scene.read import read_object

    in_blend = path.suffix.lower() == ".blend"
    source = chosen.labels or ("PARTS" if in_blend else FILE)
    if source not in ANYWHERE and not in_blend:
        raise DiffusionNetError(
            f"{path}: only .blend files have {spelling(source)}",
            "Leave --labels out, or give --labels file.",
        )
    with about(path):
        opened, _ = _open(path, chosen)
        # Each mesh once, however many objects have it.
        objects = list({obj.data: obj for obj in opened}.values())
        if source == FILE:
            return [_read_beside(path, objects, chosen)]
        meshes = []
        for obj in objects:
            geometry = read_object(obj)
            labels = read_label_source(obj, geometry, LabelSource(source, chosen.attribute))
            meshes.append((f"{path.stem}/{obj.name}", geometry.surface, labels))
        return meshes


def _open(
    path: Path, chosen: argparse.Namespace
) -> tuple[list[bpy.types.Object], bpy.types.Collection | None]:
    """Objects of a file to train on, and the collection of --collection."""
    from ..scene.classes import find_collection
    from ..scene.files import open_file

    objects = open_file(path)
    if not chosen.collection:
        return objects, None
    collection = find_collection(chosen.collection)
    inside = [obj for obj in objects if obj in collection.all_objects[:]]
    if not inside:
        raise DiffusionNetError(
            f"There is no mesh in the collection {collection.name!r}", "Name another collection."
        )
    return inside, collection


def _read_beside(
    path: Path, objects: list[bpy.types.Object], chosen: argparse.Namespace
) -> LabelledMesh:
    """The mesh of a file, with the labels in a file beside it."""
    from dataclasses import replace

    from ..scene.label_sources import at_vertices
    from ..scene.read import read_object
    from ..tasks.label_files import find_label_file, read_label_file

    if len(objects) != 1:
        raise DiffusionNetError(
            f"There are {len(objects)} meshes in the file, and labels of one",
            "Join them, or export each into a file of its own.",
        )
    file, domain = find_label_file(path)
    labels = read_label_file(file, names_in(chosen.classes))
    geometry = read_object(objects[0])
    vertices, faces = len(geometry.coordinates), geometry.polygons.count
    count = len(labels.labels)
    if not domain and vertices == faces == count:
        raise DiffusionNetError(
            f"The mesh has as many faces as vertices, and {file.name} may have labels of either",
            f"Call it {path.stem}.vertices{file.suffix} or {path.stem}.faces{file.suffix}.",
        )
    if count == vertices and domain != "faces":
        return path.stem, geometry.surface, labels
    if count == faces and domain != "vertices":
        labels = replace(labels, labels=at_vertices(geometry, labels.labels))
        return path.stem, geometry.surface, labels
    raise DiffusionNetError(
        f"{file.name} has {count:,} labels, and the mesh {vertices:,} vertices and {faces:,} faces",
        "Give one a vertex or one a face, in the order of the file.",
    )


def _read_shapes(path: Path, chosen: argparse.Namespace) -> list[tuple[str, Surface, str]]:
    """Name, surface and class of each mesh in a file."""
    from ..scene.classes import class_by_collection, class_by_property
    from ..scene.read import read_object

    kind, _, name = chosen.shapes.partition(":")
    if kind not in SHAPE_CLASSES or (kind == "property") != bool(name):
        raise DiffusionNetError(
            f"--shapes {chosen.shapes} is not known",
            "Give folder, collection, or property:NAME.",
        )
    shapes = []
    with about(path):
        objects, collection = _open(path, chosen)
        for obj in objects:
            if kind == "folder":
                title = path.absolute().parent.name
            elif kind == "collection":
                title = class_by_collection(obj, collection)
            else:
                title = class_by_property(obj, name)
            shapes.append((f"{path.stem}/{obj.name}", read_object(obj).surface, title))
    return shapes


@contextlib.contextmanager
def _kept_on_interrupt() -> Iterator[tuple[Callable[[], None], Callable[[], bool]]]:
    """Context in which Ctrl C ends a training with the best weights; a second one interrupts it.

    Yields
    ------
    arm : callable
        Starts this; before the first weights, Ctrl C interrupts.
    enough : callable
        Returns whether Ctrl C was pressed.
    """
    handler = signal.getsignal(signal.SIGINT)
    interrupts: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        interrupts.append(number)
        signal.signal(signal.SIGINT, handler)
        note("Ending with the best so far; Ctrl C again: without a model")

    def arm() -> None:
        if not interrupts:
            signal.signal(signal.SIGINT, end)

    try:
        yield arm, lambda: bool(interrupts)
    finally:
        signal.signal(signal.SIGINT, handler)


def _report(quiet: bool, arm: Callable[[], None]) -> Callable[[Curve], None]:
    """Receiver of the curve that calls `arm` and writes a line on stderr."""
    from ..session.progress import TimeLeft, duration

    time_left = TimeLeft()

    def report(curve: Curve) -> None:
        seconds = time_left.at(curve.rows[-1, 0] / curve.steps if len(curve.rows) else 0.0)
        if not len(curve.rows):
            return
        arm()
        if quiet:
            return
        step, loss, _, accuracy = curve.rows[-1]
        line = f"step {step:,.0f} of {curve.steps:,}: loss {loss:.3f}, {accuracy:.1%} right"
        if seconds:
            line += f", {duration(seconds)} left"
        note(line)

    return report
