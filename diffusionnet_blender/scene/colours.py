"""One part of the colour attribute painted anew, in any mode."""

from __future__ import annotations

from collections.abc import Sequence

import bmesh
import bpy
import numpy as np

from .attributes import (
    CORNER_COLOURS,
    FACE_LABELS,
    VERTEX_COLOURS,
    VERTEX_LABELS,
    read_attribute,
    read_values,
    write_attribute,
)
from .ownership import Kind, Role, may_differ, own_name, record, still_ours
from .write import COLOUR_ATTRIBUTE

# Byte colours are exact to half a step.
STEP = 0.003


def paint_part(
    obj: bpy.types.Object, part: int, before: Sequence[float], colour: Sequence[float]
) -> None:
    """Change the colour of a part in the colour attribute, where it was written.

    Corners to which the artist gave another colour keep it.

    Parameters
    ----------
    obj : bpy.types.Object
        A mesh in any mode.
    part : int
        As the attributes of labels have it.
    before, colour : (r, g, b)
        sRGB, 0 to 1.
    """
    mesh = obj.data
    name = own_name(mesh, Kind.ATTRIBUTE, Role.LABELS, COLOUR_ATTRIBUTE)
    legend = mesh.diffusionnet
    on_faces = len(mesh.polygons) > 0
    labels = legend.face_attribute if on_faces else legend.vertex_attribute
    if name not in mesh.attributes.keys() or labels not in mesh.attributes.keys():
        return
    kind = CORNER_COLOURS if on_faces else VERTEX_COLOURS
    stored = mesh.attributes[name]
    if (stored.data_type, stored.domain) != (kind.data_type, kind.domain):
        return
    if mesh.is_editmode:
        _paint_in_edit_mode(mesh, name, labels, part, np.array(before), (*colour, 1.0))
        may_differ(mesh, Kind.ATTRIBUTE, name)
        return
    is_ours = bool(still_ours(obj, Kind.ATTRIBUTE, Role.LABELS, [name]))
    if on_faces:
        corners = read_values(mesh.polygons, "loop_total", np.int32)
        chosen = np.repeat(read_attribute(mesh, labels, FACE_LABELS) == part, corners)
    else:
        chosen = read_attribute(mesh, labels, VERTEX_LABELS) == part
    colours = read_attribute(mesh, name, kind)
    chosen &= np.abs(colours[:, :3] - np.array(before)).max(axis=1) < STEP
    colours[chosen] = (*colour, 1.0)
    write_attribute(mesh, name, kind, colours)
    if is_ours:
        record(obj, Kind.ATTRIBUTE, Role.LABELS, [name])
    mesh.update()


def _paint_in_edit_mode(
    mesh, name: str, labels: str, part: int, before: np.ndarray, colour: tuple
) -> None:
    bm = bmesh.from_edit_mesh(mesh)
    elements = bm.faces if bm.faces else bm.verts
    label = elements.layers.int[labels]
    chosen = [element for element in elements if element[label] == part]
    if bm.faces:
        layer = bm.loops.layers.color[name]
        chosen = [corner for face in chosen for corner in face.loops]
    else:
        layer = bm.verts.layers.color[name]
    for element in chosen:
        if np.abs(np.array(element[layer])[:3] - before).max() < STEP:
            element[layer] = colour
    bmesh.update_edit_mesh(mesh, loop_triangles=False, destructive=False)
