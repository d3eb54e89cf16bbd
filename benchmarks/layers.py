"""Layers of clothes in their order: what of an inner one comes out through an outer one.

Along the normal of the skin, a face is *covered* by another part of the clothes that lies further
out, and *out* where none does, but the part that covered it before lies between it and the skin.
"""

from __future__ import annotations

import bpy  # noqa: F401  mathutils comes with it
import numpy as np
from mathutils.bvhtree import BVHTree

from diffusionnet_blender.matching.skin import Skin
from diffusionnet_blender.surface.loose_parts import label_mesh_parts
from diffusionnet_blender.surface.surface import Surface, triangle_areas

# How far along the normal a layer is looked for, in square roots of the skin's area.
REACH = 0.04
# Parts with less of the area than this, as buttons, are no layers.
LEAST_AREA = 0.02


def layers_of(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Number of the loose part that each face belongs to, (F,), and -1 for small ones."""
    part = label_mesh_parts(len(vertices), faces)[faces[:, 0]]
    area = np.bincount(part, triangle_areas(vertices, faces))
    return np.where(area[part] >= LEAST_AREA * area.sum(), part, -1)


def order(
    body: Surface, vertices: np.ndarray, faces: np.ndarray, layer: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Whether another layer lies outside the middle of a face, and inside of it.

    Parameters
    ----------
    body : Surface
        Facing outward.
    vertices : (V, 3) float
    faces : (F, 3) int
    layer : (F,) int
        Of `layers_of`.

    Returns
    -------
    outside, inside : (L, F) bool
        For each layer; never by the layer of the face itself. Inside ends at the skin.
    """
    skin = Skin(body.vertices, body.faces)
    reach = REACH * np.sqrt(triangle_areas(body.vertices, body.faces).sum())
    middle = vertices[faces].mean(axis=1)
    points, _ = skin.surface(middle)
    outward = skin.outward(points)
    depth = np.linalg.norm(middle - skin.surface.positions(points), axis=1)
    numbers = [number for number in np.unique(layer) if number >= 0]
    outside, inside = np.zeros((2, len(numbers), len(faces)), bool)
    for row, number in enumerate(numbers):
        tree = BVHTree.FromPolygons(vertices.tolist(), faces[layer == number].tolist())
        for face in np.flatnonzero((layer != number) & (layer >= 0) & (depth < reach)):
            ray = outward[face]
            outside[row, face] = tree.ray_cast(middle[face], ray, reach)[0] is not None
            inside[row, face] = tree.ray_cast(middle[face], -ray, depth[face])[0] is not None
    return outside, inside


def come_out(
    before: tuple[np.ndarray, np.ndarray], after: tuple[np.ndarray, np.ndarray], area: np.ndarray
) -> float:
    """Percent of what was covered (by area (F,)) that comes out, of two results of `order`."""
    covered = before[0] & ~before[1]
    out = covered & after[1] & ~after[0]
    total = area @ covered.any(axis=0)
    return 100 * float(area @ out.any(axis=0)) / total if total else 0.0
