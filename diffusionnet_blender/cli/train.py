"""The command `train`: a new model from labelled meshes."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from pathlib import Path

from ..errors import DiffusionNetError
from ..scene.options import SOURCES, LabelSource
from ..tasks.progress import CallbackProgress
from ..tasks.train import job
from .options import add_options, add_quiet_option, names_in, spelling, values_of
from .session import about, blender, folder_of, library

EPILOGUE = """\
Labels in .blend files are parts (of this extension), vertex-groups, face-sets, materials, attribute
(integers; --attribute names it) or color. Other files have theirs beside them: BODY.obj in BODY.npy
or BODY.txt, one a vertex or one a face, in the order of the file; numbers (-1: no label; --classes
names them) or, in a .txt, names.

With --shapes whole shapes are learned: `folder`, the folder that a file is in is its class;
`collection`, the collection that an object is in, or with --collection the one inside that;
`property:NAME`, a custom property.

The model goes into the library, and its path to stdout. Ctrl C ends the run with the best so far
for the model; a second one ends it without. A run that was stopped goes on when it is started again
with the same files and settings.
"""


def add_parser(commands) -> None:
    """Add the command to those of the command line."""
    train = commands.add_parser(
        "train",
        help="teach a new model from labelled meshes",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    train.add_argument("files", nargs="+", type=Path, metavar="FILE", help="labelled meshes")
    add_options(train, job.TrainRequest)
    train.add_argument(
        "--labels",
        choices=("file", *(spelling(value) for value, _, _ in SOURCES)),
        help="where the labels are (default: parts in .blend files, file for all others)",
    )
    add_options(train, LabelSource, leave_out=["source"])
    train.add_argument("--collection", metavar="NAME", help="learn from the meshes in it alone")
    train.add_argument("--classes", default="", metavar="A,B,C", help="names of numbers in files")
    train.add_argument(
        "--shapes",
        metavar="folder|collection|property:NAME",
        help="learn what whole shapes are, and not their parts",
    )
    add_quiet_option(train)
    train.set_defaults(run=run)


def run(chosen) -> int:
    """Train on the meshes of all files."""
    from ..tasks.train.pipeline import require_torch
    from ..tasks.train.training_set import gathered, gathered_shapes

    require_torch()
    with blender():
        read = _read_shapes if chosen.shapes else _read_labelled
        found = [entry for path in chosen.files for entry in read(path, chosen)]
    given = gathered_shapes(found) if chosen.shapes else gathered(found)
    with _kept_on_interrupt() as (arm, enough):
        progress = CallbackProgress(_progress(chosen.quiet), _report(chosen.quiet, arm), enough)
        request = job.TrainRequest(
            given,
            model_folder=library(),
            checkpoint_folder=folder_of("checkpoints", "checkpoint_folder"),
            **values_of(job.TrainRequest, chosen),
        )
        done = job.run(request, progress)
    if not chosen.quiet:
        print(done.summary, file=sys.stderr)
    print(done.path)
    return 0


def _read_labelled(path: Path, chosen) -> list:
    """Name, surface and labels of each mesh in a file."""
    from ..scene.label_sources import read_label_source
    from ..scene.read import read_object

    in_blend = path.suffix.lower() == ".blend"
    source = chosen.labels or ("parts" if in_blend else "file")
    if source != "file" and not in_blend:
        raise DiffusionNetError(
            f"{path}: only .blend files have {source}", "Leave --labels out, or give --labels file."
        )
    with about(path):
        found, _ = _open(path, chosen)
        objects = list({obj.data: obj for obj in found}.values())
        if source == "file":
            return [_read_beside(path, objects, chosen)]
        where = LabelSource(source.upper().replace("-", "_"), chosen.attribute)
        found = []
        for obj in objects:
            geometry = read_object(obj)
            labels = read_label_source(obj, geometry, where)
            found.append((f"{path.stem}/{obj.name}", geometry.surface, labels))
        return found


def _open(path: Path, chosen):
    """Meshes of a file that are to be learned from, and the collection that they are in."""
    from ..scene.classes import find_collection
    from ..scene.files import open_file

    objects = open_file(path)
    if not chosen.collection:
        return objects, None
    collection = find_collection(chosen.collection)
    found = [obj for obj in objects if obj.name in collection.all_objects]
    if not found:
        raise DiffusionNetError(
            f"There is no mesh in the collection {collection.name!r}", "Name another collection."
        )
    return found, collection


def _read_beside(path: Path, objects, chosen):
    """A mesh whose labels are in a file beside it."""
    from dataclasses import replace

    from ..scene.label_sources import at_vertices
    from ..scene.read import read_object
    from ..tasks.label_files import find_label_file, read_label_file

    if len(objects) != 1:
        raise DiffusionNetError(
            f"There are {len(objects)} meshes in the file, and labels of one",
            "Join them, or export each into a file of its own.",
        )
    file, where = find_label_file(path)
    found = read_label_file(file, names_in(chosen.classes))
    geometry = read_object(objects[0])
    vertices, faces = len(geometry.coordinates), geometry.polygons.count
    count = len(found.labels)
    if not where and vertices == faces == count:
        raise DiffusionNetError(
            f"The mesh has as many faces as vertices, and {file.name} does not say which it is of",
            f"Call it {path.stem}.vertices{file.suffix} or {path.stem}.faces{file.suffix}.",
        )
    if count == vertices and where != "faces":
        return path.stem, geometry.surface, found
    if count == faces and where != "vertices":
        labels = at_vertices(geometry, found.labels)
        return path.stem, geometry.surface, replace(found, labels=labels)
    raise DiffusionNetError(
        f"{file.name} has {count:,} labels, and the mesh {vertices:,} vertices and {faces:,} faces",
        "Give one a vertex or one a face, in the order of the file.",
    )


def _read_shapes(path: Path, chosen) -> list:
    """Name, surface and class of each mesh in a file."""
    from ..scene.classes import class_by_collection, class_by_property
    from ..scene.read import read_object

    kind, _, name = chosen.shapes.partition(":")
    if kind not in ("folder", "collection", "property") or (kind == "property") != bool(name):
        raise DiffusionNetError(
            f"--shapes {chosen.shapes} is not known",
            "Give folder, collection, or property:NAME.",
        )
    found = []
    with about(path):
        objects, collection = _open(path, chosen)
        for obj in objects:
            if kind == "folder":
                title = path.absolute().parent.name
            elif kind == "collection":
                title = class_by_collection(obj, collection)
            else:
                title = class_by_property(obj, name)
            found.append((f"{path.stem}/{obj.name}", read_object(obj).surface, title))
    return found


@contextlib.contextmanager
def _kept_on_interrupt():
    """Ctrl C asks a training to end with the best so far; a second one is as always.

    Yields
    ------
    arm : callable
        From its first call on; before, there is nothing to keep.
    enough : callable
        Whether it was asked.
    """
    before = signal.getsignal(signal.SIGINT)
    asked = []

    def ask(number, frame) -> None:
        asked.append(number)
        signal.signal(signal.SIGINT, before)
        print("Ending with the best so far; Ctrl C again: without a model", file=sys.stderr)

    def arm() -> None:
        if not asked:
            signal.signal(signal.SIGINT, ask)

    try:
        yield arm, lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)


def _progress(quiet: bool):
    told = []

    def progress(stage: str, fraction: float) -> None:
        if stage not in told:
            told.append(stage)
            if not quiet:
                print(f"{stage} ...", file=sys.stderr, flush=True)

    return progress


def _report(quiet: bool, arm):
    from ..session.progress import TimeLeft, duration

    time_left = TimeLeft()

    def report(curve) -> None:
        seconds = time_left.at(curve.rows[-1, 0] / curve.steps if len(curve.rows) else 0.0)
        if not len(curve.rows):
            return
        arm()
        if quiet:
            return
        step, loss, _, right = curve.rows[-1]
        line = f"step {step:,.0f} of {curve.steps:,}: loss {loss:.3f}, {right:.1%} right"
        if seconds:
            line += f", {duration(seconds)} left"
        print(line, file=sys.stderr, flush=True)

    return report
