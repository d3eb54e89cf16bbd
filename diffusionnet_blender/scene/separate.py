"""Separation of an object into one object for each part."""

from __future__ import annotations

import bmesh
import bpy
import numpy as np

from ..tasks.labels import Labels
from .mask import mask_parts
from .transaction import Transaction


def separate_parts(obj: bpy.types.Object, result: Labels) -> list[bpy.types.Object]:
    """Copy an object once for each part that it has, with that part's faces alone.

    The copies keep the object's data: transform, parent, modifiers, vertex groups, UV maps,
    shape keys, materials, and the sides of Blender's names (Body hand.L). The object itself stays
    as it is. A point cloud is separated by its points.

    Parameters
    ----------
    obj : bpy.types.Object
        Not in Edit Mode.
    result : Labels
        The labels on it.

    Returns
    -------
    list of bpy.types.Object
        In the order of the parts, linked to the object's collections.
    """
    pieces = []
    on_faces = len(result.polygon_labels) > 0
    present = set((result.polygon_labels if on_faces else result.vertex_labels).tolist())
    for label in sorted(present):
        piece = obj.copy()
        piece.data = obj.data.copy()
        piece.name = piece.data.name = f"{obj.name} {result.class_names[label]}"
        # A part needs no mask, and its legend would list the other parts.
        mask_parts(piece, result, ())
        piece.data.diffusionnet.parts.clear()
        _keep(piece.data, result.polygon_labels == label, result.vertex_labels == label)
        for collection in obj.users_collection:
            collection.objects.link(piece)
        pieces.append(piece)
    return pieces


def discard_object(obj: bpy.types.Object, change: Transaction) -> None:
    """Remove an object in the end, and its mesh where nothing else has it."""
    if obj.data.users == 1:
        change.discard(obj.data)
    change.discard(obj)


def _keep(mesh: bpy.types.Mesh, faces: np.ndarray, vertices: np.ndarray) -> None:
    """Delete all but these faces; of vertices without a face, all but these."""
    bm = bmesh.new()
    try:
        bm.from_mesh(mesh)
        loose = [not vertex.link_faces for vertex in bm.verts]
        all_vertices, all_faces = bm.verts[:], bm.faces[:]
        others = [all_faces[index] for index in np.flatnonzero(~faces).tolist()]
        # With the edges and vertices that only these faces have.
        bmesh.ops.delete(bm, geom=others, context="FACES")
        loose_others = np.flatnonzero(np.array(loose, dtype=bool) & ~vertices).tolist()
        bmesh.ops.delete(bm, geom=[all_vertices[index] for index in loose_others], context="VERTS")
        bm.to_mesh(mesh)
    finally:
        bm.free()
