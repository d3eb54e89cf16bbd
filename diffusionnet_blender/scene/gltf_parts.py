"""Parts in a glTF: numbers as attributes of the vertices, names and colours in the mesh's extras.

docs/files.md has the format. A vertex of a glTF belongs to faces of one part alone: where parts
meet, the exporter makes two of one, as it does along seams of colours and UV maps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import bpy
import numpy as np

from ..errors import DiffusionNetError
from ..tasks.labels import Labels, polygon_labels
from .attributes import (
    CORNER_COLOURS,
    FACE_LABELS,
    VERTEX_LABELS,
    AttributeKind,
    kind_of,
    read_attribute,
    read_values,
)
from .doubts import read_doubts
from .labels import estimated_probabilities, labels_on
from .materials import adopt_materials
from .options import Outputs
from .ownership import Kind, Role, own_name
from .read import read_object
from .write import CONFIDENCE_ATTRIBUTE, write_labels

# Attributes: the part of a vertex, that of the faces around it, and the confidence.
VERTEX, FACE, CONFIDENCE = "_PART", "_PART_FACE", "_PART_CONFIDENCE"
NAMES = (VERTEX, FACE, CONFIDENCE)
# Entry of the extras of a mesh.
EXTRAS = "diffusionnet_parts"
FORMAT = 1
# Colours go through 16 bits, scene linear, and come back as bytes.
COLOUR_STEP = 1.5 / 255


@dataclass(frozen=True)
class Parts:
    """What the extras of a mesh have about its parts.

    Attributes
    ----------
    model_name : str
    names : tuple of str
    colours : tuple of (r, g, b)
        sRGB, 0 to 1.
    vertex_groups : bool
        Whether there was a vertex group of each.
    unsure_of : tuple of str
        As in the legend.
    """

    model_name: str
    names: tuple[str, ...]
    colours: tuple[tuple[float, float, float], ...]
    vertex_groups: bool
    unsure_of: tuple[str, ...]


def names_in_gltf(mesh: bpy.types.Mesh, is_evaluated: bool = False) -> dict[str, str]:
    """Attributes that hold the parts of a mesh, and their names in a glTF; none without parts.

    Parameters
    ----------
    mesh : bpy.types.Mesh
    is_evaluated : bool
        Whether modifiers are applied: they average numbers of vertices, and copy those of faces.
    """
    legend = mesh.diffusionnet
    has_faces = _has_labels(mesh, legend.face_attribute, FACE_LABELS)
    found = {}
    if _has_labels(mesh, legend.vertex_attribute, VERTEX_LABELS) and not (
        has_faces and is_evaluated
    ):
        found[legend.vertex_attribute] = VERTEX
    if has_faces:
        found[legend.face_attribute] = FACE if found else VERTEX
    confidence = own_name(mesh, Kind.ATTRIBUTE, Role.LABELS, CONFIDENCE_ATTRIBUTE)
    if found and confidence in mesh.attributes.keys():
        found[confidence] = CONFIDENCE
    return found


def _has_labels(mesh: bpy.types.Mesh, name: str, kind: AttributeKind) -> bool:
    try:
        return labels_on(mesh, name, kind, len(mesh.diffusionnet.parts)) is not None
    except DiffusionNetError:
        # Changed by hand to numbers of no part.
        return False


def apart(name: str) -> str:
    """A name that an attribute beside those of the parts can have in a glTF."""
    return f"{name}_2" if name.upper() in NAMES else name


def extras_of(mesh: bpy.types.Mesh) -> dict:
    """Entry of the extras about the parts of a mesh."""
    legend = mesh.diffusionnet
    return {
        "version": FORMAT,
        "model": legend.model,
        "parts": [
            {"name": part.name, "color": [round(x, 6) for x in part.stored_colour]}
            for part in legend.parts
        ],
        "vertex_groups": any(part.vertex_group for part in legend.parts),
        "unsure_of": list(read_doubts(mesh)),
    }


def parts_from(content: object) -> Parts | None:
    """Parts by an entry of the extras; None if it is something else."""
    if not isinstance(content, dict) or content.get("version") != FORMAT:
        return None
    parts, model = content.get("parts"), content.get("model", "")
    if not isinstance(model, str) or not isinstance(parts, list):
        return None
    parts = [part if isinstance(part, dict) else {} for part in parts]
    names, colours = [part.get("name") for part in parts], [part.get("color") for part in parts]
    if not all(isinstance(name, str) and name for name in names) or not all(map(_is_rgb, colours)):
        return None
    if not names or len(set(names)) < len(names):
        return None
    groups = content.get("vertex_groups") is True
    unsure_of = content.get("unsure_of", [])
    if not isinstance(unsure_of, list) or not all(isinstance(each, str) for each in unsure_of):
        return None
    return Parts(model, tuple(names), tuple(map(tuple, colours)), groups, tuple(unsure_of))


def _is_rgb(colour: object) -> bool:
    return (
        isinstance(colour, list)
        and len(colour) == 3
        and all(isinstance(x, (int, float)) and math.isfinite(x) and 0 <= x <= 1 for x in colour)
    )


def restore_parts(obj: bpy.types.Object, parts: Parts) -> bool:
    """Write the parts of a glTF to an object that was made of it, as they were before.

    Parameters
    ----------
    obj : bpy.types.Object
        A mesh, with the attributes of the file.
    parts : Parts

    Returns
    -------
    bool
        False if the attributes are missing or no numbers of parts; then nothing has changed.

    Raises
    ------
    DiffusionNetError
        If the geometry cannot be used.
    """
    mesh, count = obj.data, len(parts.names)
    vertices = _numbers_on(mesh, VERTEX, count)
    if vertices is None:
        return False
    geometry = read_object(obj)
    confidence = _values_on(mesh, CONFIDENCE)
    known = np.ones(len(vertices)) if confidence is None else np.nan_to_num(confidence)
    probabilities = estimated_probabilities(vertices, known, count)
    faces = _numbers_around(mesh, count)
    if faces is None:
        faces = polygon_labels(
            probabilities, geometry.surface.faces, geometry.areas, geometry.polygons
        )
    labels = Labels(
        class_names=parts.names,
        class_colours=np.array(parts.colours),
        vertex_probabilities=probabilities,
        polygon_labels=faces,
        polygon_areas=geometry.polygon_areas,
        topology=geometry.polygons.topology,
        model_name=parts.model_name,
        unsure_of=parts.unsure_of,
    )
    painted = _painted(mesh, labels)
    for name in (*NAMES, *painted):
        if name in mesh.attributes:
            mesh.attributes.remove(mesh.attributes[name])
    outputs = Outputs(
        attributes=True,
        colors=bool(painted),
        vertex_groups=parts.vertex_groups,
        group_weights="HARD",
        confidence=confidence is not None,
    )
    write_labels(obj, labels, outputs)
    adopt_materials(mesh)
    return True


def _values_on(mesh: bpy.types.Mesh, name: str) -> np.ndarray | None:
    """Numbers of the vertices, (V,); None if they are not there."""
    attribute = mesh.attributes.get(name)
    if attribute is None or attribute.domain != "POINT":
        return None
    if attribute.data_type not in {"FLOAT", "INT", "INT8"}:
        return None
    return read_attribute(mesh, name, kind_of(attribute.data_type, "POINT"))


def _numbers_on(mesh: bpy.types.Mesh, name: str, count: int) -> np.ndarray | None:
    """Part numbers of the vertices, (V,) int32; None if they are not there, or no such numbers."""
    values = _values_on(mesh, name)
    if (
        values is None
        or not ((values >= 0) & (values < count) & (values == np.floor(values))).all()
    ):
        return None
    return values.astype(np.int32)


def _numbers_around(mesh: bpy.types.Mesh, count: int) -> np.ndarray | None:
    """Part numbers of the faces, (P,) int32; None if vertices were merged where parts meet."""
    around = _numbers_on(mesh, FACE, count)
    if around is None:
        return None
    at_corners = around[read_values(mesh.loops, "vertex_index", np.int32)]
    faces = at_corners[read_values(mesh.polygons, "loop_start", np.int32)]
    return faces if np.array_equal(_at_corners(mesh, faces), at_corners) else None


def _at_corners(mesh: bpy.types.Mesh, of_faces: np.ndarray) -> np.ndarray:
    """Values of faces (P, ...) at their corners (L, ...)."""
    starts = read_values(mesh.polygons, "loop_start", np.int32)
    return np.repeat(of_faces, np.diff(starts, append=len(mesh.loops)), axis=0)


def _painted(mesh: bpy.types.Mesh, labels: Labels) -> list[str]:
    """Colour attributes in the colours of the parts."""
    wanted = _at_corners(mesh, labels.class_colours[labels.polygon_labels])
    found = []
    for attribute in mesh.color_attributes:
        if (attribute.data_type, attribute.domain) == ("BYTE_COLOR", "CORNER") and len(wanted):
            colours = read_attribute(mesh, attribute.name, CORNER_COLOURS)[:, :3]
            if (np.abs(colours - wanted) < COLOUR_STEP).all():
                found.append(attribute.name)
    return found
