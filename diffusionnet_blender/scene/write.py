"""Labels written to an object as the chosen outputs; all is checked before anything is written."""

from __future__ import annotations

from collections.abc import Iterable

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
    show_colours,
    write_attribute,
)
from .edit_mode import outside_edit_mode
from .legend import write_legend
from .mask import renew_mask
from .materials import write_materials
from .names import claim_names, names_in_use, record_names
from .options import Outputs
from .read import require_same_topology
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
    if obj.mode == "SCULPT" and obj.use_dynamic_topology_sculpting:
        raise DiffusionNetError(
            f"{obj.name!r} is being sculpted with dynamic topology", "Leave Sculpt Mode first."
        )


def left_out(obj: bpy.types.Object, result: Labels, outputs: Outputs) -> str:
    """Outputs that cannot be written, as text for the report; "" for none."""
    notes = []
    if outputs.vertex_groups:
        names = claim_names(obj.data, "VERTEX_GROUP", result.class_names, names_in_use(obj))
        locked = locked_groups(obj, names)
        if locked:
            notes.append(f"locked vertex groups {', '.join(locked)}")
    if outputs.on_faces_only and not len(result.polygon_labels):
        notes.append("face sets and materials, which need faces")
    return "; ".join(notes)


def write_labels(obj: bpy.types.Object, result: Labels, outputs: Outputs) -> None:
    """Write labels to the mesh of an object as the chosen outputs; other data is kept.

    Parameters
    ----------
    obj : bpy.types.Object
        In any mode but dynamic topology sculpting.
    result : Labels
    outputs : Outputs
        `left_out` lists those that the object cannot have.

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
    with outside_edit_mode(mesh):
        _write(obj, result, outputs, has_faces)
        mesh.update()


def write_labels_of_objects(
    labels: Iterable[tuple[bpy.types.Object, Labels]], outputs: Outputs
) -> tuple[list[bpy.types.Object], list[str], list[DiffusionNetError]]:
    """Write labels to several objects; an error costs its object alone.

    Returns
    -------
    list of bpy.types.Object
        Those that were written to.
    list of str
        Outputs that were left out.
    list of DiffusionNetError
    """
    written: list[bpy.types.Object] = []
    notes, errors = [], []
    for obj, result in labels:
        try:
            # Before writing: locked groups are found by the names that are free now.
            note = left_out(obj, result, outputs)
            write_labels(obj, result, outputs)
        except DiffusionNetError as error:
            errors.append(error)
            continue
        written.append(obj)
        notes += [note] if note else []
    return written, notes, errors


def _write(obj, result: Labels, outputs: Outputs, has_faces: bool) -> None:
    mesh = obj.data
    attributes = dict(
        zip(
            (wanted := _attributes(mesh, result, outputs, has_faces)),
            claim_names(mesh, "ATTRIBUTE", list(wanted), names_in_use(obj)),
            strict=True,
        )
    )
    for base, (kind, values) in wanted.items():
        write_attribute(mesh, attributes[base], kind, values)
    record_names(mesh, "ATTRIBUTE", list(attributes.values()))
    if outputs.colors:
        show_colours(mesh, attributes[COLOUR_ATTRIBUTE])

    groups = []
    if outputs.vertex_groups:
        groups = claim_names(mesh, "VERTEX_GROUP", result.class_names, names_in_use(obj))
        weights = (
            soft_weights(result.vertex_probabilities)
            if outputs.group_weights == "SOFT"
            else hard_weights(result.vertex_labels, len(result.class_names))
        )
        write_vertex_groups(obj, groups, weights)
        record_names(mesh, "VERTEX_GROUP", groups)
    if outputs.face_sets and has_faces:
        write_attribute(mesh, FACE_SETS, FACE_LABELS, result.polygon_labels + 1)
    if outputs.materials and has_faces:
        write_materials(mesh, result.class_names, result.class_colours, result.polygon_labels)
    write_legend(
        mesh,
        result,
        attributes.get(FACE_ATTRIBUTE, ""),
        attributes.get(VERTEX_ATTRIBUTE, ""),
        groups,
    )
    renew_mask(obj, result)


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
            starts = np.empty(len(mesh.polygons), dtype=np.int32)
            mesh.polygons.foreach_get("loop_start", starts)
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
