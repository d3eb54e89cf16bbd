"""Places relative to a surface that takes another shape."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from ..surface.edges import edges_of_sides
from .means import Mean
from .points import SurfacePoints, points_at_vertices
from .rotations import nearest_rotations
from .transfer.shape_keys import vertex_rotations

# Edges of a body over which its frames are averaged, and the logarithm of the stretch of edges at
# which a body that is bent unevenly counts for a third.
SPREAD = 4
UNEVEN = 0.5


def carried(
    points: SurfacePoints,
    vertices: np.ndarray,
    surface: tuple[np.ndarray, np.ndarray],
    shape: np.ndarray,
) -> np.ndarray:
    """Places (N, 3) of vertices relative to a surface that takes another shape.

    Parameters
    ----------
    points : SurfacePoints
        On the surface, one for each vertex.
    vertices : (N, 3) float
    surface : ((B, 3) float, (G, 3) int)
    shape : (B, 3) float
        Its vertices in the other shape.
    """
    before, faces = surface
    same = points_at_vertices(np.arange(len(before)), faces)
    rotation, scale = vertex_rotations(same, (shape, faces), surface)
    mean = Mean(len(before), faces)
    # A body is never bent without noise, and an offset must not magnify it.
    frame = np.concatenate([rotation.reshape(-1, 9), np.log(scale)[:, None]], axis=1)
    at = points.interpolate(mean(frame, SPREAD), faces)
    turned = nearest_rotations(at[:, :9].reshape(-1, 3, 3))
    offset = vertices - points.interpolate(before, faces)
    offset = np.einsum("vij,vj->vi", turned, offset) / np.exp(at[:, 9:])
    return points.interpolate(shape, faces) + offset


def evenness(surface: tuple[np.ndarray, np.ndarray], shape: np.ndarray) -> np.ndarray:
    """How evenly a surface is stretched around each vertex in another shape, (B,), 1 to 0.

    Parameters
    ----------
    surface : ((B, 3) float, (G, 3) int)
    shape : (B, 3) float
        Its vertices in the other shape.
    """
    before, faces = surface
    edges, _ = edges_of_sides(faces)
    lengths = [np.linalg.norm(x[edges[:, 0]] - x[edges[:, 1]], axis=1) for x in (before, shape)]
    tiny = 1e-6 * np.median(lengths[0])
    stretch = np.log(np.maximum(lengths[1], tiny) / np.maximum(lengths[0], tiny))
    squares = np.square(stretch - np.median(stretch))
    total = np.bincount(edges.ravel(), np.repeat(squares, 2), minlength=len(before))
    count = np.maximum(np.bincount(edges.ravel(), minlength=len(before)), 1)
    return np.exp(-Mean(len(before), faces)(total / count, SPREAD) / UNEVEN**2)


def as_neighbours(
    points: SurfacePoints, confidence: np.ndarray, vertices: np.ndarray
) -> SurfacePoints:
    """Points of the body, with those of the nearest sure vertex where one is not sure.

    So the hem of a skirt starts out where its waist takes it, and not with a hand beside it.

    Parameters
    ----------
    points : SurfacePoints
        One for each vertex.
    confidence : (V,) float
        0 where a vertex is not sure.
    vertices : (V, 3) float
    """
    unsure = np.flatnonzero(confidence <= 0)
    sure = np.flatnonzero(confidence > 0)
    if not len(sure) or not len(unsure):
        return points
    nearest = sure[cKDTree(vertices[sure]).query(vertices[unsure])[1]]
    return points.replaced(unsure, points[nearest])
