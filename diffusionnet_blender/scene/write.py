"""Labels written to an object as the chosen outputs; all is checked before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import bpy
import numpy as np

from ..errors import DiffusionNetError
from ..tasks.labels import Labels
from .attributes import (
    CORNER_COLOURS,
    FACE_LABELS,
    VERTEX_COLOURS,
    VERTEX_LABELS,
    VERTEX_VALUES,
    AttributeKind,
    read_values,
    show_colours,
    write_attribute,
)
from .edit_mode import outside_edit_mode
from .legend import share_out, write_legend
from .mask import renew_mask
from .materials import write_materials
from .options import Outputs
from .ownership import (
    Claimed,
    Kind,
    Role,
    claim,
    is_still_ours,
    kept_text,
    record,
    still_ours,
)
from .read import require_same_topology
from .results import keep_remarks
from .transaction import transaction
from .vertex_groups import hard_weights, locked_groups, soft_weights, write_vertex_groups

FACE_ATTRIBUTE = "part"
VERTEX_ATTRIBUTE = "part_vertex"
COLOUR_ATTRIBUTE = "part_color"
CONFIDENCE_ATTRIBUTE = "part_confidence"
FACE_SETS = ".sculpt_face_set"


def require_writable(obj: bpy.types.Object) -> None:
    """Raise DiffusionNetError if Blender does not let data be written to the object."""
    if obj.type != "MESH":
        raise DiffusionNetError(f"{obj.name!r} is not a mesh", "Choose a mesh object.")
    linked = next((data for data in (obj, obj.data) if data.library), None)
    if linked:
        raise DiffusionNetError(
            f"{obj.name!r} is linked from {bpy.path.basename(linked.library.filepath)}, "
            "and linked data cannot be changed",
            "Use Object > Relations > Make Local > Selected Objects and Data.",
        )
    if obj.data.override_library:
        raise DiffusionNetError(
            f"The mesh of {obj.name!r} is a library override, which cannot hold new data",
            "Use Object > Relations > Make Local > Selected Objects and Data.",
        )
    if obj.mode == "SCULPT" and obj.use_dynamic_topology_sculpting:
        raise DiffusionNetError(
            f"{obj.name!r} is being sculpted with dynamic topology", "Leave Sculpt Mode first."
        )


def write_labels(obj: bpy.types.Object, result: Labels, outputs: Outputs) -> list[str]:
    """Write labels to the mesh of an object as the chosen outputs; other data is kept.

    What the artist made or changed stays, see `ownership`.

    Parameters
    ----------
    obj : bpy.types.Object
        In any mode but dynamic topology sculpting.
    result : Labels
    outputs : Outputs

    Returns
    -------
    list of str
        Remarks for the report: outputs that were left out, and those with another name.

    Raises
    ------
    DiffusionNetError
        If the object cannot be written to or is not the one that the result is of; then nothing
        has been written.
    """
    require_writable(obj)
    mesh = obj.data
    if mesh.is_editmode:
        obj.update_from_editmode()
    require_same_topology(obj, result.topology)
    if not outputs.on_vertices and not outputs.on_faces_only:
        raise DiffusionNetError("Nothing to write is chosen", "Choose at least one output.")
    has_faces = len(result.polygon_labels) > 0
    if not has_faces and not outputs.on_vertices:
        raise DiffusionNetError(
            f"{obj.name!r} has no faces, so no face sets or materials can be written",
            "Choose attributes, colors or vertex groups.",
        )
    with transaction(obj), outside_edit_mode(mesh):
        remarks = _write(obj, result, outputs, has_faces)
        mesh.update()
    keep_remarks(mesh, remarks)
    return remarks


def write_labels_of_objects(
    labels: Iterable[tuple[bpy.types.Object, Labels]], outputs: Outputs
) -> tuple[list[bpy.types.Object], list[str], list[DiffusionNetError]]:
    """Write labels to the objects of a character; an error costs its object alone.

    Returns
    -------
    list of bpy.types.Object
        Those that were written to.
    list of str
        Remarks.
    list of DiffusionNetError
    """
    written: list[bpy.types.Object] = []
    remarks, errors = [], []
    for obj, result in labels:
        try:
            remarks += write_labels(obj, result, outputs)
        except DiffusionNetError as error:
            errors.append(error)
            continue
        written.append(obj)
    share_out([obj.data for obj in written])
    return written, remarks, errors


def _write(obj, result: Labels, outputs: Outputs, has_faces: bool) -> list[str]:
    mesh, classes = obj.data, len(result.class_names)
    # All names are chosen before the first thing is written.
    wanted = _attributes(mesh, result, outputs, has_faces)
    attributes = _claim(obj, Kind.ATTRIBUTE, list(wanted), outputs)
    group_names = result.class_names if outputs.vertex_groups else ()
    groups = _claim(obj, Kind.VERTEX_GROUP, group_names, outputs)
    face_sets = outputs.face_sets and has_faces and _may_write_face_sets(obj, outputs)
    locked = locked_groups(obj, groups.names)
    remarks = [kept_text(attributes, "attribute"), kept_text(groups, "vertex group")]
    if locked:
        remarks.append(f"left out: locked vertex groups {', '.join(locked)}")
    if outputs.on_faces_only and not has_faces:
        remarks.append("left out: face sets and materials, which need faces")
    elif outputs.face_sets and not face_sets:
        remarks.append("left out: face sets, since yours stay as they are")

    names = dict(zip(wanted, attributes.names, strict=True))
    for base, (kind, values) in wanted.items():
        write_attribute(mesh, names[base], kind, values)
    if face_sets:
        write_attribute(mesh, FACE_SETS, FACE_LABELS, result.polygon_labels + 1)
    recorded = [*attributes.names, *([FACE_SETS] if face_sets else [])]
    record(obj, Kind.ATTRIBUTE, Role.LABELS, recorded, classes=classes + 1)
    if outputs.vertex_groups:
        weights = (
            soft_weights(result.vertex_probabilities)
            if outputs.group_weights == "SOFT"
            else hard_weights(result.vertex_labels, classes)
        )
        write_vertex_groups(obj, groups.names, weights)
        record(obj, Kind.VERTEX_GROUP, Role.LABELS, groups.names, weights=weights)
    if outputs.materials and has_faces:
        write_materials(
            mesh,
            result.class_names,
            result.class_colours,
            result.polygon_labels,
            outputs.overwrite,
        )
    write_legend(
        mesh,
        result,
        names.get(FACE_ATTRIBUTE, ""),
        names.get(VERTEX_ATTRIBUTE, ""),
        groups.names,
    )
    if outputs.colors:
        show_colours(mesh, names[COLOUR_ATTRIBUTE], partial(is_still_ours, obj, Kind.ATTRIBUTE))
    renew_mask(obj, result)
    return [remark for remark in remarks if remark]


def _claim(obj, kind: Kind, wanted: Sequence[str], outputs: Outputs) -> Claimed:
    return claim(obj, kind, Role.LABELS, wanted, outputs.overwrite)


def _may_write_face_sets(obj, outputs: Outputs) -> bool:
    """A mesh has one attribute of face sets, whose name Blender has chosen."""
    return (
        outputs.overwrite
        or FACE_SETS not in obj.data.attributes
        or bool(still_ours(obj, Kind.ATTRIBUTE, Role.LABELS, [FACE_SETS]))
    )


def _attributes(
    mesh, result: Labels, outputs: Outputs, has_faces: bool
) -> dict[str, tuple[AttributeKind, np.ndarray]]:
    """Kind and values of every attribute to write, by the name it should have."""
    found: dict[str, tuple[AttributeKind, np.ndarray]] = {}
    if outputs.attributes:
        found[VERTEX_ATTRIBUTE] = (VERTEX_LABELS, result.vertex_labels)
        if has_faces:
            found[FACE_ATTRIBUTE] = (FACE_LABELS, result.polygon_labels)
    if outputs.colors:
        opaque = np.ones((len(result.class_colours), 4), dtype=np.float32)
        opaque[:, :3] = result.class_colours
        if has_faces:
            starts = read_values(mesh.polygons, "loop_start", np.int32)
            corners = np.diff(starts, append=len(mesh.loops))
            found[COLOUR_ATTRIBUTE] = (
                CORNER_COLOURS,
                np.repeat(opaque[result.polygon_labels], corners, axis=0),
            )
        else:
            found[COLOUR_ATTRIBUTE] = (VERTEX_COLOURS, opaque[result.vertex_labels])
    if outputs.confidence:
        found[CONFIDENCE_ATTRIBUTE] = (VERTEX_VALUES, result.confidence)
    return found
