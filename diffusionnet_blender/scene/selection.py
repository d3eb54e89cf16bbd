"""Select the faces of a part."""

from __future__ import annotations

import bmesh
import bpy
import numpy as np

from ..errors import DiffusionNetError
from .attributes import FACE_LABELS, VERTEX_LABELS, read_attribute, read_values


def select_part(obj: bpy.types.Object, label: int, extend: bool = False) -> int:
    """Select the faces of a part that are not hidden, with their edges and vertices.

    Where the mesh has no faces, its vertices are selected.

    Parameters
    ----------
    obj : bpy.types.Object
        A mesh with integer attributes written by `write.write_labels`.
    label : int
        Class.
    extend : bool
        Extend the existing selection.

    Returns
    -------
    int
        Number of faces, or of vertices where there are no faces.

    Raises
    ------
    DiffusionNetError
        If the mesh has no attribute of labels.
    """
    mesh = obj.data
    legend = mesh.diffusionnet
    if mesh.is_editmode:
        return _select_in_edit_mode(obj, legend, label, extend)
    on_faces = len(mesh.polygons) > 0
    name = legend.face_attribute if on_faces else legend.vertex_attribute
    if name not in mesh.attributes:
        raise _no_labels(obj)
    elements = mesh.polygons if on_faces else mesh.vertices
    labels = read_attribute(mesh, name, FACE_LABELS if on_faces else VERTEX_LABELS)
    chosen = (labels == label) & ~read_values(elements, "hide", bool)
    if on_faces:
        _select_faces(mesh, chosen, extend)
    else:
        kept = read_values(mesh.vertices, "select", bool) & extend
        mesh.vertices.foreach_set("select", chosen | kept)
    mesh.update()
    return int(chosen.sum())


def _select_in_edit_mode(obj: bpy.types.Object, legend, label: int, extend: bool) -> int:
    """Through BMesh: a mesh that is changed behind Edit Mode's back is not undone with it."""
    bm = bmesh.from_edit_mesh(obj.data)
    on_faces = len(bm.faces) > 0
    elements = bm.faces if on_faces else bm.verts
    layer = elements.layers.int.get(legend.face_attribute if on_faces else legend.vertex_attribute)
    if layer is None:
        raise _no_labels(obj)
    if not extend:
        for kind in (bm.faces, bm.edges, bm.verts):
            for element in kind:
                element.select = False
        bm.select_history.clear()
    chosen = [element for element in elements if element[layer] == label and not element.hide]
    for element in chosen:
        element.select_set(True)
    bmesh.update_edit_mesh(obj.data, loop_triangles=False, destructive=False)
    return len(chosen)


def _no_labels(obj: bpy.types.Object) -> DiffusionNetError:
    return DiffusionNetError(
        f"{obj.name!r} has no integer attribute with part numbers",
        "Segment it with the output Attributes enabled.",
    )


def _select_faces(mesh: bpy.types.Mesh, chosen: np.ndarray, extend: bool) -> None:
    """Faces and their edges and vertices, consistently, as Edit Mode expects it."""
    edge_of_corner = read_values(mesh.loops, "edge_index", np.int32)
    vertex_of_corner = read_values(mesh.loops, "vertex_index", np.int32)
    corners = read_values(mesh.polygons, "loop_total", np.int32)

    edges, vertices, faces = (
        read_values(elements, "select", bool) & extend
        for elements in (mesh.edges, mesh.vertices, mesh.polygons)
    )
    faces |= chosen
    of_chosen = np.repeat(chosen, corners)
    edges[edge_of_corner[of_chosen]] = True
    vertices[vertex_of_corner[of_chosen]] = True
    for elements, flags in ((mesh.polygons, faces), (mesh.edges, edges), (mesh.vertices, vertices)):
        elements.foreach_set("select", flags)
