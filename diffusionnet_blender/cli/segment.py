"""The command `segment`: parts of the meshes in files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..errors import DiffusionNetError
from ..scene.options import Grouping, Outputs, ReadOptions
from ..tasks.models import FROM_RIG, loaded
from ..tasks.segment import job
from .account import Account
from .opened import add_files, add_object_option, opened, output_of, require_outputs
from .options import (
    Commands,
    add_cache_option,
    add_options,
    add_quiet_option,
    file_path,
    values_of,
)
from .places import place, require_apart, require_places, save_arrays
from .session import blender, cache_of, library
from .streams import stop_if_asked

if TYPE_CHECKING:
    import bpy

    from ..scene.character_read import CharacterGeometry

EPILOGUE = """\
The meshes of --output have, as in the sidebar: integer attributes part (faces) and part_vertex,
color attribute part_color, a vertex group for each part, float attribute part_confidence.
--no-colors and so on leave one out; --face-sets and --materials add more.

The objects of a character (of one armature, parent or place) are segmented together, as one shape;
with --each every object by itself.

The file of --labels has, in the mesh's own order of vertices: vertices (V, 3) as stored in the
mesh, faces (F, 3) triangles, vertex_labels (V,), vertex_probabilities (V, C), class_names (C,),
seconds, side_confidence (probability that left and right of the figure are not exchanged; nan
where nothing tells or bones do) and doubts (D,), what the model is unsure of. For a file of several
meshes it has `objects`, their names, and NAME/vertices and so on; besides, for all of them
together, vertices in the world, faces, vertex_labels, vertex_probabilities, and `member`
(V,), the number of the object of each vertex.
Blender's importers weld the triangles of an STL (vertices in order of first appearance), omit
vertices without faces of an OBJ and a glTF, and rotate a glTF from y up to z up.
With several files, --output and --labels are folders.
"""


def add_parser(commands: Commands) -> None:
    """Add the command to those of the command line."""
    segment = commands.add_parser(
        "segment",
        help="segment the meshes in files into parts",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_files(segment, "Write the labelled meshes")
    segment.add_argument(
        "--labels", type=file_path, metavar="NPZ|DIR", help="Write the labels as .npz"
    )
    add_task_options(segment)
    add_cache_option(segment)
    add_quiet_option(segment)
    segment.set_defaults(run=run)


def add_task_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the task, for files of any number."""
    add_object_option(parser)
    add_options(parser, job.SegmentRequest)
    add_options(parser, Grouping)
    add_options(parser, ReadOptions)
    add_options(parser, Outputs)


def run(chosen: argparse.Namespace, account: Account | None = None) -> int:
    """Segment the meshes of each file."""
    account = account or Account(chosen.quiet)
    _check_paths(chosen)
    options = values_of(job.SegmentRequest, chosen)
    if chosen.model != FROM_RIG:
        # Loaded once for all files.
        options["model"] = loaded(chosen.model, [library()], "segment")
    options["cache"] = cache_of(chosen)
    with blender(chosen):
        for path in chosen.files:
            _segment_file(path, options, chosen, account)
    return account.status


def _check_paths(chosen: argparse.Namespace) -> None:
    """Raise DiffusionNetError for invalid outputs, before the first file is opened."""
    if chosen.output is None and chosen.labels is None:
        raise DiffusionNetError("There is nothing to write", "Give --output, --labels or both.")
    require_outputs(chosen)
    require_places(chosen.files, chosen.labels, "labels", ".npz")
    labels = [place(chosen.labels, path, ".npz") for path in chosen.files]
    require_apart(chosen.files, labels, "labels")


def _segment_file(
    path: Path, options: dict[str, Any], chosen: argparse.Namespace, account: Account
) -> None:
    """Segment the characters of a file and save it."""
    import bpy

    from ..scene.character import characters_of
    from ..scene.files import require_writable_suffix, save_file
    from ..scene.report_text import unsure_text
    from ..scene.segment_jobs import handed_back, segment_request
    from ..scene.write import write_labels_of_objects

    reading = ReadOptions(**values_of(ReadOptions, chosen))
    outputs = Outputs(**values_of(Outputs, chosen))
    output = output_of(path, chosen)
    labels = place(chosen.labels, path, ".npz")
    stop_if_asked()
    pictured: list[bpy.types.Object] = []
    done: list[tuple[CharacterGeometry, job.Segmentation]] = []
    try:
        if output:
            require_writable_suffix(output)
        objects = opened(path, chosen.object)
        for character in characters_of(objects, bpy.context.view_layer, chosen.each):
            title = f"{path}: {character.name}"
            account.left_out(title, character.told)
            try:
                geometry, request = segment_request(character, reading, **options)
                result = job.run(request, account.stages(title))
                segmented = handed_back(geometry, result)
                found, missed = segmented.unchanged()
                written, _, refused = write_labels_of_objects(found, outputs)
                for error in [*missed, *refused]:
                    account.failed(path, error)
                if not written:
                    continue
            except Exception as error:
                account.failed(path, error)
            else:
                done.append((geometry, result))
                pictured += [obj for obj, _ in found]
                account.found(character.name, result)
                account.note(f"{path}: {_summary(character.name, geometry, result)}")
                if result.doubts:
                    account.note(f"{title}: {unsure_text(result)}")
        if done and labels:
            _save_labels(labels, done)
        if done and output:
            account.warned(output, save_file(output))
        if done:
            account.pictured(pictured, "TEXTURE", "VERTEX")
    except Exception as error:
        account.failed(path, error)


def _summary(name: str, geometry: CharacterGeometry, result: job.Segmentation) -> str:
    parts = len(np.unique(result.vertex_labels))
    seconds = sum(result.seconds.values())
    several = len(geometry.members) > 1
    text = (
        f"{name}: {parts} parts on {len(result.vertex_labels):,} vertices "
        f"{f'of {len(geometry.members)} objects ' if several else ''}"
        f"in {seconds:.1f} s"
    )
    if result.engine:
        text += f" ({result.engine}, {result.device})"
    return f"{text}, {result.remark}" if result.remark else text


def _save_labels(path: Path, results: list[tuple[CharacterGeometry, job.Segmentation]]) -> None:
    """Write the labels of all meshes of a file, and those of all together."""
    arrays: dict[str, ArrayLike] = {}
    single = sum(len(geometry.members) for geometry, _ in results) == 1
    names: list[str] = []
    for geometry, result in results:
        for own, labels in zip(geometry.seen, geometry.split(result), strict=True):
            name = own.geometry.name
            prefix = "" if single else f"{name}/"
            names.append(name)
            arrays |= {
                f"{prefix}vertices": own.base.coordinates,
                f"{prefix}faces": own.base.triangles,
                f"{prefix}vertex_labels": labels.vertex_labels,
                f"{prefix}vertex_probabilities": labels.vertex_probabilities,
                f"{prefix}class_names": np.array(labels.class_names),
                f"{prefix}seconds": np.float64(sum(result.seconds.values())),
                f"{prefix}side_confidence": np.float64(
                    np.nan if result.side_confidence is None else result.side_confidence
                ),
                f"{prefix}doubts": np.array(result.doubts, dtype=str),
            }
    if not single:
        arrays["objects"] = np.array(names)
        arrays |= _pooled(results)
    save_arrays(path, **arrays)


def _pooled(
    results: list[tuple[CharacterGeometry, job.Segmentation]],
) -> dict[str, ArrayLike]:
    """Arrays of all meshes of a file together."""
    vertices, faces, member = [], [], []
    ends = objects = 0
    for geometry, _ in results:
        surface = geometry.placed.surface
        vertices.append(surface.vertices + geometry.origin)
        faces.append(surface.faces + ends)
        member.append(geometry.placed.member + objects)
        ends += len(surface.vertices)
        objects += len(geometry.members)
    found: dict[str, ArrayLike] = {
        "vertices": np.concatenate(vertices).astype(np.float32),
        "faces": np.concatenate(faces),
        "member": np.concatenate(member),
        "seconds": np.float64(sum(sum(result.seconds.values()) for _, result in results)),
    }
    names = max((result.class_names for _, result in results), key=len)
    # Classes beyond those of the model (props) come last.
    probabilities = [
        np.pad(p, ((0, 0), (0, len(names) - p.shape[1])))
        for p in (result.vertex_probabilities for _, result in results)
    ]
    return found | {
        "vertex_labels": np.concatenate([result.vertex_labels for _, result in results]),
        "vertex_probabilities": np.concatenate(probabilities),
        "class_names": np.array(names),
    }
