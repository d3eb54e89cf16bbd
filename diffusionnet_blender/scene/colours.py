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
    write_attribute,
)
from .names import own_name
from .write import COLOUR_ATTRIBUTE


def paint_part(mesh: bpy.types.Mesh, part: int, colour: Sequence[float]) -> None:
    """Paint the colour attribute, where it was written, on the faces of a part.

    Parameters
    ----------
    mesh : bpy.types.Mesh
    part : int
        As the attributes of labels have it.
    colour : (r, g, b)
        sRGB, 0 to 1.
    """
    name = own_name(mesh, "ATTRIBUTE", COLOUR_ATTRIBUTE)
    legend = mesh.diffusionnet
    on_faces = len(mesh.polygons) > 0
    labels = legend.face_attribute if on_faces else legend.vertex_attribute
    if name not in mesh.attributes.keys() or labels not in mesh.attributes.keys():
        return
    if mesh.is_editmode:
        _paint_in_edit_mode(mesh, name, labels, part, (*colour, 1.0))
        return
    if on_faces:
        corners = np.empty(len(mesh.polygons), dtype=np.int32)
        mesh.polygons.foreach_get("loop_total", corners)
        chosen = np.repeat(read_attribute(mesh, labels, FACE_LABELS) == part, corners)
    else:
        chosen = read_attribute(mesh, labels, VERTEX_LABELS) == part
    kind = CORNER_COLOURS if on_faces else VERTEX_COLOURS
    colours = read_attribute(mesh, name, kind)
    colours[chosen] = (*colour, 1.0)
    write_attribute(mesh, name, kind, colours)
    mesh.update()


def _paint_in_edit_mode(mesh, name: str, labels: str, part: int, colour: tuple) -> None:
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
        element[layer] = colour
    bmesh.update_edit_mesh(mesh, loop_triangles=False, destructive=False)
