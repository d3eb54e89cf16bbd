"""An object of its own for each part."""

from __future__ import annotations

import bmesh
import bpy
import numpy as np

from .results import LabelResult


def separate_parts(obj: bpy.types.Object, result: LabelResult) -> list[bpy.types.Object]:
    """Copy an object once for each part that it has, with that part's faces alone.

    The copies keep what the object has: transform, parent, modifiers, vertex groups, UV maps,
    shape keys, materials. The object itself stays as it is.

    Parameters
    ----------
    obj : bpy.types.Object
        Not in Edit Mode.
    result : LabelResult
        What `relabel.read_labels` found on it.

    Returns
    -------
    list of bpy.types.Object
        In the order of the parts, linked to the object's collections.
    """
    pieces = []
    for label, name in enumerate(result.class_names):
        others = result.polygon_labels != label
        if others.all():
            continue
        piece = obj.copy()
        piece.data = obj.data.copy()
        piece.name = piece.data.name = f"{obj.name} {name}"
        _delete_faces(piece.data, others)
        # Its legend would tell of parts that it has not.
        piece.data.diffusionnet.parts.clear()
        for collection in obj.users_collection:
            collection.objects.link(piece)
        pieces.append(piece)
    return pieces


def _delete_faces(mesh: bpy.types.Mesh, chosen: np.ndarray) -> None:
    bm = bmesh.new()
    try:
        bm.from_mesh(mesh)
        bm.faces.ensure_lookup_table()
        doomed = [bm.faces[index] for index in np.flatnonzero(chosen).tolist()]
        # With the edges and vertices that only these faces have.
        bmesh.ops.delete(bm, geom=doomed, context="FACES")
        bm.to_mesh(mesh)
    finally:
        bm.free()
