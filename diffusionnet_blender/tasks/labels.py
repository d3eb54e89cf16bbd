"""From probabilities at vertices to labels of polygons."""

from __future__ import annotations

import numpy as np


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
    return vertex_probabilities[triangles].mean(axis=1).argmax(axis=1).astype(np.int32)


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
    voted = np.zeros((polygon_count, vertex_probabilities.shape[1]))
    label = triangle_labels(vertex_probabilities, triangles)
    # A polygon without any area still has triangles, and they may still vote.
    weight = np.maximum(areas, np.finfo(np.float32).tiny)
    np.add.at(voted, (polygon_of_triangle, label), weight)
    return voted.argmax(axis=1).astype(np.int32)
