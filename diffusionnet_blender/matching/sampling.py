"""Farthest point sampling of vertices."""

from __future__ import annotations

import numpy as np


def farthest_points(vertices: np.ndarray, count: int) -> np.ndarray:
    """Indices of vertices, each the farthest from those before it, (min(count, V),) int64.

    Parameters
    ----------
    vertices : (V, 3) float
    count : int
    """
    count = min(count, len(vertices))
    chosen = np.empty(count, dtype=np.int64)
    centre = vertices.mean(axis=0)
    chosen[0] = np.square(vertices - centre).sum(axis=1).argmax()
    distance = np.full(len(vertices), np.inf)
    for i in range(1, count):
        away = vertices - vertices[chosen[i - 1]]
        np.minimum(distance, np.einsum("vi,vi->v", away, away), out=distance)
        chosen[i] = distance.argmax()
    return chosen
