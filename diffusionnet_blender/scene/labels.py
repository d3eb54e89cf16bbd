"""Labels on a mesh: of the last run with all corrections, or as saved in the file.

They are read from the attributes and groups of the mesh, so that undo, another session and manual
changes of attributes all count. Probabilities are kept in memory only; without them they are read
from soft vertex groups, or estimated from the labels and their confidence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import bpy
import numpy as np

from ..errors import DiffusionNetError, NoLabels
from ..tasks.labels import Labels, polygon_labels
from .attributes import FACE_LABELS, VERTEX_LABELS, VERTEX_VALUES, AttributeKind, read_attribute
from .doubts import read_doubts
from .edit_mode import outside_edit_mode
from .materials import part_slots
from .options import Outputs
from .ownership import Kind, Role, own_name, still_ours
from .read import ObjectGeometry, read_object
from .results import candidates, find_result, was_edited
from .vertex_groups import WEIGHT_STEPS, read_weights
from .write import COLOUR_ATTRIBUTE, CONFIDENCE_ATTRIBUTE, FACE_SETS


def labels_to_write(obj: bpy.types.Object) -> Labels | None:
    """Labels that *Write Labels* writes: of the last run with all corrections; None without any.

    Parameters
    ----------
    obj : bpy.types.Object
        A mesh, not in Edit Mode.
    """
    run = find_result(obj.data)
    if run and not (was_edited(obj.data) and obj.data.diffusionnet.parts):
        return run
    return read_labels(obj) if obj.data.diffusionnet.parts else None


def labels_of_objects(
    objects: Iterable[bpy.types.Object],
) -> tuple[list[tuple[bpy.types.Object, Labels]], list[DiffusionNetError]]:
    """Labels that *Write Labels* writes to each object, in any mode; and the errors of others."""
    found: list[tuple[bpy.types.Object, Labels]] = []
    errors = []
    for obj in (obj for obj in objects if obj.type == "MESH"):
        try:
            with outside_edit_mode(obj.data):
                labels = labels_to_write(obj)
        except DiffusionNetError as error:
            errors.append(error)
            continue
        found += [(obj, labels)] if labels else []
    return found, errors


def read_labels(obj: bpy.types.Object, geometry: ObjectGeometry | None = None) -> Labels:
    """The labels on a mesh.

    Parameters
    ----------
    obj : bpy.types.Object
        A mesh, not in Edit Mode.
    geometry : ObjectGeometry, optional
        Of the object, where it has been read already.

    Returns
    -------
    Labels

    Raises
    ------
    DiffusionNetError
        If the mesh has no parts or no part labels.
    """
    mesh = obj.data
    legend = mesh.diffusionnet
    if not legend.parts:
        raise NoLabels(f"{obj.name!r} has no parts", "Segment it first.")
    geometry = geometry or read_object(obj)
    count = len(legend.parts)
    faces = labels_on(mesh, legend.face_attribute, FACE_LABELS, count)
    vertices = labels_on(mesh, legend.vertex_attribute, VERTEX_LABELS, count)
    colours = np.array([part.color for part in legend.parts])
    named = {
        "class_names": tuple(part.name for part in legend.parts),
        "class_colours": colours,
        "polygon_areas": geometry.polygon_areas,
        "unsure_of": read_doubts(mesh),
    }
    for kept in candidates(mesh):
        if _is_on(mesh, kept, geometry.polygons.topology, vertices, faces):
            return replace(kept, **named)

    groups = [part.vertex_group for part in legend.parts]
    ours = still_ours(obj, Kind.VERTEX_GROUP, Role.LABELS, groups)
    weights = read_weights(obj, [name if name in ours else "" for name in groups])
    if vertices is None:
        vertices = _vertices_from(weights, faces, geometry, count)
    if vertices is None:
        raise DiffusionNetError(
            f"{obj.name!r} has no part labels",
            "Segment it with the output Attributes enabled.",
        )
    probabilities = _probabilities(mesh, weights, vertices)
    if faces is None:
        surface = geometry.surface
        faces = polygon_labels(probabilities, surface.faces, geometry.areas, geometry.polygons)
    return Labels(
        vertex_probabilities=probabilities,
        polygon_labels=faces,
        topology=geometry.polygons.topology,
        model_name=legend.model,
        **named,
    )


def written_outputs(obj: bpy.types.Object, result: Labels) -> Outputs:
    """The outputs that are on a mesh, and the attributes, which corrections are kept in.

    Parameters
    ----------
    obj : bpy.types.Object
        A mesh, not in Edit Mode.
    result : Labels
        Its labels. Face sets that are others are the artist's own.
    """
    mesh = obj.data
    groups = [part.vertex_group for part in mesh.diffusionnet.parts]
    has_groups = any(name in obj.vertex_groups for name in groups if name)
    weights = read_weights(obj, groups) if has_groups else np.zeros(0)
    return Outputs(
        attributes=True,
        colors=own_name(mesh, Kind.ATTRIBUTE, Role.LABELS, COLOUR_ATTRIBUTE)
        in mesh.attributes.keys(),
        vertex_groups=has_groups,
        group_weights="SOFT" if ((weights > 0) & (weights < 1)).any() else "HARD",
        face_sets=_has_face_sets(mesh, result),
        materials=bool(set(part_slots(mesh)) & set(result.class_names)),
        confidence=own_name(mesh, Kind.ATTRIBUTE, Role.LABELS, CONFIDENCE_ATTRIBUTE)
        in mesh.attributes.keys(),
    )


def labels_on(mesh, name: str, kind: AttributeKind, count: int) -> np.ndarray | None:
    """Labels in an attribute; None if it is not there, or is something else."""
    attribute = mesh.attributes.get(name) if name else None
    if not attribute or (attribute.data_type, attribute.domain) != (kind.data_type, kind.domain):
        return None
    labels = read_attribute(mesh, name, kind)
    if len(labels) and not (labels.min() >= 0 and labels.max() < count):
        raise DiffusionNetError(
            f"Attribute {name!r} has part numbers out of range: the mesh has {count} parts",
            f"Use numbers from 0 to {count - 1}, or segment the mesh again.",
        )
    return labels


def _is_on(mesh, kept: Labels, topology: str, vertices, faces) -> bool:
    """Whether a result is that of the attributes on the mesh."""
    parts = mesh.diffusionnet.parts
    if kept.topology != topology or len(kept.class_names) != len(parts):
        return False
    if vertices is None and faces is None:
        # Without attributes, as with colours only, the counts of the legend must agree.
        counts = np.bincount(kept.vertex_labels, minlength=len(parts))
        return counts.tolist() == [part.vertex_count for part in parts]
    return (vertices is None or np.array_equal(vertices, kept.vertex_labels)) and (
        faces is None or not len(faces) or np.array_equal(faces, kept.polygon_labels)
    )


def _vertices_from(weights, faces, geometry: ObjectGeometry, count: int) -> np.ndarray | None:
    """Labels of vertices from vertex groups, or from those of faces."""
    if weights.any():
        return weights.argmax(axis=1).astype(np.int32)
    if faces is None or not len(faces):
        return None
    votes = np.zeros((len(geometry.surface.vertices), count))
    triangles = geometry.surface.faces
    labels = np.repeat(faces[geometry.polygons.of_triangle], 3)
    np.add.at(votes, (triangles.ravel(), labels), 1)
    return votes.argmax(axis=1).astype(np.int32)


def estimated_probabilities(labels: np.ndarray, confidence: np.ndarray, classes: int) -> np.ndarray:
    """Probabilities of which only those of the labels are known, (V, C) float32.

    Parameters
    ----------
    labels : (V,) int
    confidence : (V,) float
        Probability of the label; what remains is spread evenly over the other classes.
    classes : int
    """
    rest = (1 - np.clip(confidence, 1 / classes, 1)) / max(classes - 1, 1)
    estimated = np.repeat(rest[:, None], classes, axis=1).astype(np.float32)
    estimated[np.arange(len(labels)), labels] = 1 - rest * (classes - 1)
    return estimated


def _probabilities(mesh, weights: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """From soft groups where they agree with the labels, else from labels and confidence."""
    rows = np.arange(len(labels))
    total = weights.sum(axis=1, keepdims=True)
    soft = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    confidence = np.ones(len(labels), dtype=np.float32)
    name = own_name(mesh, Kind.ATTRIBUTE, Role.LABELS, CONFIDENCE_ATTRIBUTE)
    if name in mesh.attributes.keys():
        confidence = read_attribute(mesh, name, VERTEX_VALUES)
    estimated = estimated_probabilities(labels, confidence, weights.shape[1])
    # Weights were rounded: of two equal ones, the label decides which was larger.
    largest = soft.max(axis=1)
    agrees = soft[rows, labels] > largest - 1.5 / WEIGHT_STEPS
    is_soft = (total[:, 0] > 0) & (largest < 1) & agrees
    soft[rows, labels] = np.where(agrees, np.nextafter(largest, 1), soft[rows, labels])
    return np.where(is_soft[:, None], soft, estimated).astype(np.float32)


def _has_face_sets(mesh, result: Labels) -> bool:
    if FACE_SETS not in mesh.attributes or not len(result.polygon_labels):
        return False
    return np.array_equal(read_attribute(mesh, FACE_SETS, FACE_LABELS), result.polygon_labels + 1)
