"""The command `segment`: the meshes in files get labels."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from ..errors import DiffusionNetError
from ..tasks.models import DEFAULT_MODEL
from .options import add_cache_option, add_engine_options, add_quiet_option, stage_lines
from .places import place, require_places, save_arrays
from .session import blender, cache_of, fail, library

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


def add_parser(commands) -> None:
    """Add the command to those of the command line."""
    segment = commands.add_parser(
        "segment",
        help="label the meshes in files",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    segment.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help=".blend .obj .ply .stl .glb .fbx .usd"
    )
    segment.add_argument("--model", default=DEFAULT_MODEL, help="name, or path of a .safetensors")
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
    add_cache_option(segment)
    add_engine_options(segment)
    add_quiet_option(segment)
    segment.set_defaults(run=run)


def run(chosen) -> int:
    """Segment the meshes of each file."""
    _check_paths(chosen)
    with blender():
        from ..tasks.models import find_model, labelling_model_path

        model = find_model(str(labelling_model_path(chosen.model, [library()])))
        return max(_segment_file(path, model, chosen) for path in chosen.files)


def _check_paths(chosen) -> None:
    """Refuse what cannot end well before the first file is opened."""
    if chosen.output is None and chosen.labels is None:
        raise DiffusionNetError("There is nothing to write", "Give --output, --labels or both.")
    require_places(chosen.files, chosen.output, "output")
    require_places(chosen.files, chosen.labels, "labels", ".npz")


def _segment_file(path: Path, model, chosen) -> int:
    """Label the meshes of a file and save it; 0 if all of them were done."""
    import bpy

    from ..operators.segment_object import segment_object
    from ..scene.files import open_file, require_known_suffix, save_file
    from ..scene.write import Outputs, write_labels

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
                    progress=stage_lines(f"{path}: {obj.name}", chosen.quiet),
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


def _summary(geometry, segmentation) -> str:
    parts = len(np.unique(segmentation.vertex_labels))
    seconds = sum(segmentation.seconds.values())
    text = (
        f"{geometry.name}: {parts} parts on {len(geometry.coordinates):,} vertices "
        f"in {seconds:.1f} s ({segmentation.engine}, {segmentation.device})"
    )
    return f"{text}, {segmentation.remark}" if segmentation.remark else text


def _save_labels(path: Path, found: list) -> None:
    """Write the labels of the meshes in a file."""
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
    save_arrays(path, **arrays)
