"""Labels that are on a mesh, read back and written again in every way in which they were."""

from __future__ import annotations

from dataclasses import replace

import bpy
import numpy as np

from ..errors import DiffusionNetError
from .attributes import FACE_LABELS, VERTEX_LABELS, read_attribute
from .edit_mode import outside_edit_mode
from .materials import MARK
from .names import names_in_use, record_names
from .read import topology_of
from .results import LabelResult, find_result, keep_result
from .write import (
    COLOUR_ATTRIBUTE,
    CONFIDENCE_ATTRIBUTE,
    FACE_SETS,
    Outputs,
    require_writable,
    write_labels,
)


def read_labels(obj: bpy.types.Object) -> LabelResult:
    """What is written on an object, as a result.

    Where the last run's result is at hand its probabilities come along; else each vertex is of
    its class for certain.

    Raises
    ------
    DiffusionNetError
        If there are no labels of faces on the mesh, or it cannot be written to.
    """
    require_writable(obj)
    mesh, legend = obj.data, obj.data.diffusionnet
    with outside_edit_mode(mesh):
        names = (legend.face_attribute, legend.vertex_attribute)
        if not legend.parts or any(name not in mesh.attributes for name in names):
            raise DiffusionNetError(
                f"{obj.name!r} has no attributes that say which part is where",
                "Segment it with the output Attributes switched on.",
            )
        faces = read_attribute(mesh, names[0], FACE_LABELS)
        vertices = read_attribute(mesh, names[1], VERTEX_LABELS)
        topology = topology_of(mesh)
        areas = np.empty(len(mesh.polygons))
        mesh.polygons.foreach_get("area", areas)
    count = len(legend.parts)
    kept = find_result(mesh)
    if kept is None or kept.topology != topology:
        kept = LabelResult(
            class_names=(),
            class_colours=np.zeros((0, 3)),
            vertex_probabilities=np.zeros((len(vertices), count), dtype=np.float32),
            polygon_labels=faces,
            polygon_areas=areas,
            topology=topology,
            model_name=legend.model,
            seconds={},
        )
    # Labels may have come from elsewhere since; a number beyond the legend is of its last part.
    return replace(
        kept,
        class_names=tuple(part.name for part in legend.parts),
        class_colours=np.array([tuple(part.colour) for part in legend.parts]),
        vertex_probabilities=_certain(kept.vertex_probabilities, vertices.clip(0, count - 1)),
        polygon_labels=faces.clip(0, count - 1),
    )


def outputs_on(obj: bpy.types.Object, result: LabelResult, soft: bool) -> Outputs:
    """In which ways labels are written on an object.

    Parameters
    ----------
    obj : bpy.types.Object
        Not in Edit Mode.
    result : LabelResult
        What `read_labels` found.
    soft : bool
        Whether vertex groups are to weigh by probability.
    """
    mesh = obj.data
    ours = {o.name for o in mesh.diffusionnet.owned if o.kind == "ATTRIBUTE"}
    there = {name for name in ours if name in mesh.attributes}
    face_sets = FACE_SETS in mesh.attributes and np.array_equal(
        read_attribute(mesh, FACE_SETS, FACE_LABELS), result.polygon_labels + 1
    )
    return Outputs(
        colours=any(COLOUR_ATTRIBUTE in name for name in there),
        vertex_groups=any(p.vertex_group in obj.vertex_groups for p in mesh.diffusionnet.parts),
        soft=soft,
        face_sets=face_sets,
        materials=any(material and material.get(MARK) for material in mesh.materials),
        confidence=any(CONFIDENCE_ATTRIBUTE in name for name in there),
    )


def write_edited(
    obj: bpy.types.Object, before: LabelResult, polygon_labels: np.ndarray, soft: bool
) -> int:
    """Write changed labels of faces in every way in which the old ones were.

    Parameters
    ----------
    obj : bpy.types.Object
    before : LabelResult
        What `read_labels` found.
    polygon_labels : (P,) int
    soft : bool
        See `outputs_on`.

    Returns
    -------
    int
        Number of faces that changed.
    """
    changed = polygon_labels != before.polygon_labels
    mesh = obj.data
    with outside_edit_mode(mesh):
        starts = np.empty(len(mesh.polygons), dtype=np.int32)
        mesh.polygons.foreach_get("loop_start", starts)
        corner_vertex = np.empty(len(mesh.loops), dtype=np.int32)
        mesh.loops.foreach_get("vertex_index", corner_vertex)
        outputs = outputs_on(obj, before, soft)
    corners = np.diff(starts, append=len(corner_vertex))
    count = len(before.class_names)
    votes = np.bincount(
        corner_vertex * count + np.repeat(polygon_labels, corners),
        minlength=len(before.vertex_probabilities) * count,
    ).reshape(-1, count)
    touched = np.zeros(len(votes), dtype=bool)
    touched[corner_vertex[np.repeat(changed, corners)]] = True
    vertices = np.where(touched, votes.argmax(axis=1), before.vertex_labels)
    write_result(
        obj,
        replace(
            before,
            polygon_labels=polygon_labels.astype(np.int32),
            vertex_probabilities=_certain(before.vertex_probabilities, vertices),
        ),
        outputs,
    )
    return int(changed.sum())


def write_result(obj: bpy.types.Object, result: LabelResult, outputs: Outputs) -> None:
    """Write a result, and keep it for Write Labels."""
    write_labels(obj, result, outputs)
    keep_result(obj.data, result)


def rename_group(obj: bpy.types.Object, part, name: str) -> None:
    """Give the vertex group of a part another name, where that is free."""
    group = obj.vertex_groups.get(part.vertex_group)
    if group and name not in names_in_use(obj):
        group.name = name
        record_names(obj.data, "VERTEX_GROUP", [name])


def face_pairs(mesh: bpy.types.Mesh) -> np.ndarray:
    """Faces that share an edge, (n, 2) int, each pair once; a mesh that is not in Edit Mode."""
    edge = np.empty(len(mesh.loops), dtype=np.int32)
    mesh.loops.foreach_get("edge_index", edge)
    starts = np.empty(len(mesh.polygons), dtype=np.int32)
    mesh.polygons.foreach_get("loop_start", starts)
    face = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(edge)))
    order = np.argsort(edge, kind="stable")
    edge, face = edge[order], face[order]
    same = edge[1:] == edge[:-1]
    return np.stack([face[:-1][same], face[1:][same]], axis=1)


def _certain(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Probabilities whose highest is that of the labels: others become 0 or 1."""
    count = probabilities.shape[1]
    wrong = probabilities.argmax(axis=1) != labels
    wrong |= probabilities.max(axis=1) == 0
    certain = np.eye(count, dtype=np.float32)[labels]
    return np.where(wrong[:, None], certain, probabilities)
