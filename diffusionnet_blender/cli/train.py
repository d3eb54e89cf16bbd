"""The command `train`: a new model, trained on labelled meshes."""

from __future__ import annotations

import argparse
import contextlib
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ..errors import DiffusionNetError
from ..options import names_in
from ..scene.options import SOURCES, Grouping, LabelSource
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
    file_path,
    spelling,
    stage_lines,
    values_of,
)
from .session import about, blender, folder_of, library
from .streams import note, note_left_out, say

if TYPE_CHECKING:
    import bpy

    from ..scene.character import Character
    from ..scene.read import ObjectGeometry

# Name, surface and labels.
LabelledMesh: TypeAlias = tuple[str, Surface, NamedLabels]

EPILOGUE = """\
Labels of .blend files are parts (of this extension), vertex-groups, face-sets, materials, attribute
(integers; --attribute names it) or color. Those of rig are the parts of the bones, in files of any
format with an armature. Labels of other files are in a file beside them: those of BODY.obj in
BODY.npy or BODY.txt, one for each vertex or each face, in the order of the mesh; numbers (-1: no
label; --classes names them) or, in a .txt, names. Of a file of several meshes they are one after
the other, in the order of `objects` in the file that `segment --labels` writes.

The objects of a character (of one armature, parent or place) are one shape; with --each every
object by itself. What a character carries is left out of it, as in a segmentation.

With --shapes the model classifies whole shapes. The class of a mesh is the name of the file's
folder (`folder`), of the object's collection, with --collection of that inside it (`collection`),
or the value of a custom property of it or its armature (`property:NAME`).

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
    train.add_argument("files", nargs="+", type=file_path, metavar="FILE", help="Labelled meshes")
    add_options(train, job.TrainRequest)
    sources = OneOf([FILE, *(value for value, _, _ in SOURCES)])
    train.add_argument(
        "--labels",
        type=sources,
        metavar=sources.metavar,
        help="Source of the labels (default: parts for .blend files, file for all others)",
    )
    add_options(train, LabelSource, leave_out=["source"])
    add_options(train, Grouping)
    train.add_argument(
        "--collection", metavar="NAME", help="Train on the characters of this collection alone"
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
    with blender(chosen):
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
    """Labelled characters of a file."""
    import bpy

    from ..scene.character import characters_of
    from ..scene.label_sources import read_label_source

    in_blend = path.suffix.lower() == ".blend"
    source = chosen.labels or ("PARTS" if in_blend else FILE)
    if source not in ANYWHERE and not in_blend:
        raise DiffusionNetError(
            f"{path}: only .blend files have {spelling(source)}",
            "Leave --labels out, or give --labels file.",
        )
    with about(path):
        opened, _ = _open(path, chosen)
        characters = characters_of(opened, bpy.context.view_layer, chosen.each)
        if source == FILE:
            return _read_beside(path, characters, chosen)
        where = LabelSource(source, chosen.attribute)
        return _labelled(path, characters, partial(read_label_source, where=where), chosen)


@contextlib.contextmanager
def _told(path: Path, character: Character, quiet: bool) -> Iterator[list[DiffusionNetError]]:
    """Print which members of a character are left out, then the errors that are put in a list."""
    title = f"{path}: {character.name}"
    note_left_out(title, character.told, quiet)
    errors: list[DiffusionNetError] = []
    yield errors
    for error in errors:
        note(f"{title}: {error}")


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
    path: Path, characters: list[Character], chosen: argparse.Namespace
) -> list[LabelledMesh]:
    """Characters of a file, with the labels of all their members in a file beside it."""
    from ..scene.label_sources import at_vertices
    from ..tasks.label_files import find_label_file, read_label_file

    file, domain = find_label_file(path)
    labels = read_label_file(file, names_in(chosen.classes))
    members = [obj for character in characters for obj in character.members]
    sizes = {
        "vertices": [len(obj.data.vertices) for obj in members],
        "faces": [len(obj.data.polygons) for obj in members],
    }
    count = len(labels.labels)
    fitting = [kind for kind, each in sizes.items() if sum(each) == count and domain in ("", kind)]
    if len(fitting) > 1:
        raise DiffusionNetError(
            f"The mesh has as many faces as vertices, and {file.name} may have labels of either",
            f"Call it {path.stem}.vertices{file.suffix} or {path.stem}.faces{file.suffix}.",
        )
    if not fitting:
        whose = f"the {len(members)} meshes" if len(members) > 1 else "the mesh"
        order = (
            f"of {', '.join(obj.name for obj in members)}" if len(members) > 1 else "of the file"
        )
        raise DiffusionNetError(
            f"{file.name} has {count:,} labels, and {whose} {sum(sizes['vertices']):,} vertices "
            f"and {sum(sizes['faces']):,} faces",
            f"Give one a vertex or one a face, in the order {order}.",
        )
    (kind,) = fitting
    ends = np.cumsum(sizes[kind])[:-1]
    of_member = dict(zip(members, np.split(labels.labels, ends), strict=True))

    def read(obj: bpy.types.Object, geometry: ObjectGeometry) -> NamedLabels:
        own = of_member[obj]
        return replace(labels, labels=own if kind == "vertices" else at_vertices(geometry, own))

    return _labelled(path, characters, read, chosen)


def _labelled(
    path: Path,
    characters: list[Character],
    read: Callable[[bpy.types.Object, ObjectGeometry], NamedLabels],
    chosen: argparse.Namespace,
) -> list[LabelledMesh]:
    """Characters with labels; the errors of single members are printed."""
    from ..scene.training_objects import read_labelled

    meshes = []
    for character in characters:
        with _told(path, character, chosen.quiet) as told:
            name, surface, labels = read_labelled(character, read, told)
        meshes.append((f"{path.stem}/{name}", surface, labels))
    return meshes


def _read_shapes(path: Path, chosen: argparse.Namespace) -> list[tuple[str, Surface, str]]:
    """Name, surface and class of each character in a file."""
    import bpy

    from ..scene.classes import class_by_collection, class_by_property
    from ..scene.training_objects import read_whole, whole_characters

    kind, _, name = chosen.shapes.partition(":")
    if kind not in SHAPE_CLASSES or (kind == "property") != bool(name):
        raise DiffusionNetError(
            f"--shapes {chosen.shapes} is not known",
            "Give folder, collection, or property:NAME.",
        )
    with about(path):
        objects, collection = _open(path, chosen)

        def class_of(obj: bpy.types.Object) -> str:
            if kind == "folder":
                return path.absolute().parent.name
            if kind == "collection":
                return class_by_collection(obj, collection)
            return class_by_property(obj, name)

        shapes = []
        for character in whole_characters(objects, bpy.context.view_layer, chosen.each, class_of):
            with _told(path, character, chosen.quiet) as told:
                own, surface, title = read_whole(character, class_of, told)
            shapes.append((f"{path.stem}/{own}", surface, title))
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
