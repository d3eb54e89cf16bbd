"""Labels on a mesh for training: parts, vertex groups, face sets, materials or attributes."""

from __future__ import annotations

import re
from collections.abc import Sequence

import bpy
import numpy as np

from ..errors import DiffusionNetError, NoLabels
from ..tasks.labels import vertex_labels
from ..tasks.models import FROM_RIG, card_of
from ..tasks.train.training_set import UNLABELLED, NamedLabels
from .attributes import FACE_LABELS, read_attribute, read_values
from .bone_weights import read_bone_weights
from .edit_mode import outside_edit_mode
from .labels import read_labels
from .materials import material_indices
from .options import LabelSource
from .read import ObjectGeometry
from .rig import known_parts
from .vertex_groups import read_weights
from .write import FACE_SETS

# A colour on a smaller share of a mesh is a mixture at the edge of a brush, and no class.
LEAST_SHARE_OF_A_COLOUR = 0.01
MOST_COLOURS = 64


def read_label_source(
    obj: bpy.types.Object, geometry: ObjectGeometry, where: LabelSource
) -> NamedLabels:
    """Labels of the vertices of an object, with the names that they have on it.

    Labels of faces go to vertices by the vote of the adjacent faces, weighted by area.

    Parameters
    ----------
    obj : bpy.types.Object
        A mesh, in any mode.
    geometry : ObjectGeometry
        Of its mesh, without modifiers.
    where : LabelSource
        Parts are those of this extension, as corrected since. Of vertex groups
        the one with the highest weight counts, and vertices without one are not labelled; nor are
        faces with an empty material slot, negative integers, and transparent colours. Materials
        "Skin" and "Skin.001" of two meshes are one class.

    Returns
    -------
    NamedLabels

    Raises
    ------
    NoLabels
        If the object has none.
    DiffusionNetError
        If they cannot be used.
    """
    readers = {
        "PARTS": _from_parts,
        "VERTEX_GROUPS": _from_vertex_groups,
        "FACE_SETS": _from_face_sets,
        "MATERIALS": _from_materials,
        "ATTRIBUTE": _from_attribute,
        "COLOR": _from_colours,
        "RIG": _from_rig,
    }
    if where.source not in readers:
        raise DiffusionNetError(
            f"Unknown source of labels {where.source!r}", f"Choose one of {', '.join(readers)}."
        )
    with outside_edit_mode(obj.data):
        return readers[where.source](obj, geometry, where.attribute)


def _from_parts(obj, geometry, name) -> NamedLabels:
    found = read_labels(obj, geometry)
    return NamedLabels(
        found.vertex_labels, found.class_names, tuple(map(tuple, found.class_colours.tolist()))
    )


def _from_vertex_groups(obj, geometry, name) -> NamedLabels:
    names = [group.name for group in obj.vertex_groups]
    weights = read_weights(obj, names)
    if not weights.any():
        raise NoLabels(
            f"{obj.name!r} has no vertex groups with weights",
            "Assign vertices to groups, or choose another source of labels.",
        )
    labels = np.where(weights.any(axis=1), weights.argmax(axis=1), UNLABELLED)
    return NamedLabels(labels, tuple(names))


def _from_face_sets(obj, geometry, name) -> NamedLabels:
    if FACE_SETS not in obj.data.attributes:
        raise NoLabels(
            f"{obj.name!r} has no face sets",
            "Draw some in Sculpt Mode, or choose another source of labels.",
        )
    return _of_faces(geometry, read_attribute(obj.data, FACE_SETS, FACE_LABELS), "face set")


def _from_materials(obj, geometry, name) -> NamedLabels:
    mesh = obj.data
    materials = [slot.material for slot in obj.material_slots]
    if not any(materials):
        raise NoLabels(
            f"{obj.name!r} has no materials", "Assign some, or choose another source of labels."
        )
    names = list(dict.fromkeys(m.name for m in materials if m))
    # Blender draws a slot number out of range with the last slot.
    of_slot = np.array([names.index(m.name) if m else UNLABELLED for m in materials])
    slots = np.clip(material_indices(mesh), 0, len(of_slot) - 1)
    return NamedLabels(at_vertices(geometry, of_slot[slots]), _without_numbers(names))


def _without_numbers(names: Sequence[str]) -> tuple[str, ...]:
    """Names of materials without the numbers that Blender adds.

    No two in a file have the same: that of the second character with a "Skin" is "Skin.001". Where
    a mesh has several of one name, they keep their numbers.
    """
    stems = [re.sub(r"\.\d{3,}$", "", name) for name in names]
    return tuple(
        stem if stems.count(stem) == 1 else name for name, stem in zip(names, stems, strict=True)
    )


def _from_attribute(obj, geometry, name) -> NamedLabels:
    mesh = obj.data
    attribute = mesh.attributes.get(name) if name else mesh.attributes.active
    if (
        attribute is None
        or attribute.data_type not in {"INT", "INT8"}
        or attribute.domain not in {"POINT", "FACE"}
    ):
        raise NoLabels(
            f"{obj.name!r} has no integer attribute {name!r} of vertices or faces"
            if name
            else f"The active attribute of {obj.name!r} is not integer, of vertices or faces",
            "Enter the name of an existing one, or choose another source of labels.",
        )
    values = read_values(attribute.data, "value", np.int32)
    if attribute.domain == "FACE":
        return _of_faces(geometry, values, attribute.name)
    return _numbered(values, attribute.name)


def _from_colours(obj, geometry, name) -> NamedLabels:
    colours = obj.data.color_attributes
    attribute = colours.get(name) if name else colours.active_color
    if attribute is None:
        raise NoLabels(
            f"{obj.name!r} has no color attribute" + (f" {name!r}" if name else ""),
            "Paint one in Vertex Paint Mode, or choose another source of labels.",
        )
    values = read_values(attribute.data, "color_srgb", np.float32, 4)
    values = np.round(values.clip(0, 1) * 255).astype(np.int64)
    code = np.where(values[:, 3] > 0, values[:, :3] @ [65536, 256, 1], -1)
    values_used, count = np.unique(code[code >= 0], return_counts=True)
    values_used = values_used[count >= LEAST_SHARE_OF_A_COLOUR * len(code)]
    if len(values_used) > MOST_COLOURS:
        raise DiffusionNetError(
            f"{obj.name!r} has {len(values_used)} colors in {attribute.name!r}",
            f"Give each part one color, with a hard brush; at most {MOST_COLOURS}.",
        )
    if attribute.domain == "POINT":
        labels = _indices_of(code, values_used)
    else:
        corner_vertex = read_values(obj.data.loops, "vertex_index", np.int32)
        labels = vertex_labels(
            corner_vertex,
            _indices_of(code, values_used),
            np.ones(len(code)),
            len(obj.data.vertices),
        )
    names = tuple(f"#{colour:06x}" for colour in values_used)
    rgb = np.stack([values_used >> 16, values_used >> 8 & 255, values_used & 255], axis=1) / 255
    return NamedLabels(labels, names, tuple(map(tuple, rgb.tolist())))


def _from_rig(obj, geometry, name) -> NamedLabels:
    card = card_of(FROM_RIG, (), "segment")
    known = known_parts(obj.name, [read_bone_weights(obj)], card.class_names)
    labels = np.where(known.any(axis=1), known.argmax(axis=1), UNLABELLED)
    return NamedLabels(labels, card.class_names, card.class_colours)


def _of_faces(geometry, values: np.ndarray, title: str) -> NamedLabels:
    """Integers at faces; a class for each that is not negative."""
    numbered = _numbered(values, title)
    return NamedLabels(at_vertices(geometry, numbered.labels), numbered.class_names)


def _numbered(values: np.ndarray, title: str) -> NamedLabels:
    values_used = np.unique(values[values >= 0])
    return NamedLabels(
        _indices_of(values, values_used), tuple(f"{title} {value}" for value in values_used)
    )


def _indices_of(values: np.ndarray, values_used: np.ndarray) -> np.ndarray:
    """Index of each value among those in use, in order; `UNLABELLED` for others."""
    if not len(values_used):
        return np.full(len(values), UNLABELLED)
    index = np.searchsorted(values_used, values).clip(0, len(values_used) - 1)
    return np.where(values_used[index] == values, index, UNLABELLED)


def at_vertices(geometry: ObjectGeometry, labels: np.ndarray) -> np.ndarray:
    """Labels of polygons (P,) at vertices (V,), by the vote of the faces around."""
    areas = np.maximum(geometry.areas, np.finfo(np.float32).tiny)
    return vertex_labels(
        geometry.surface.faces.ravel(),
        np.repeat(labels[geometry.polygons.of_triangle], 3),
        np.repeat(areas, 3),
        len(geometry.surface.vertices),
    )
