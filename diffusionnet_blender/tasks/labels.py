"""From probabilities at vertices to labels of polygons."""

from __future__ import annotations

import numpy as np

from ..surface.surface import blocks, corners


def triangle_labels(vertex_probabilities: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Class of each triangle: the highest mean probability of its corners (paper 4).

    Parameters
    ----------
    vertex_probabilities : (V, C) float
    triangles : (F, 3) int

    Returns
    -------
    (F,) int32
    """
    labels = np.empty(len(triangles), dtype=np.int32)
    for block in blocks(len(triangles)):
        labels[block] = sum(corners(vertex_probabilities, triangles[block])).argmax(axis=1)
    return labels


def polygon_labels(
    vertex_probabilities: np.ndarray,
    triangles: np.ndarray,
    areas: np.ndarray,
    polygon_of_triangle: np.ndarray,
    polygon_count: int,
) -> np.ndarray:
    """Class of each polygon: the area-weighted vote of its triangles.

    Parameters
    ----------
    vertex_probabilities : (V, C) float
    triangles : (F, 3) int
    areas : (F,) float
        Any unit.
    polygon_of_triangle : (F,) int
    polygon_count : int

    Returns
    -------
    (P,) int32
    """
    label = triangle_labels(vertex_probabilities, triangles)
    # A polygon without any area still has triangles, and they may still vote.
    weight = np.maximum(areas, np.finfo(np.float32).tiny)
    class_count = vertex_probabilities.shape[1]
    vote = polygon_of_triangle.astype(np.int64) * class_count + label
    voted = np.bincount(vote, weight, minlength=polygon_count * class_count)
    return voted.reshape(polygon_count, class_count).argmax(axis=1).astype(np.int32)
