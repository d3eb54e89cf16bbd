"""Means over neighbourhoods in a mesh."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from ..surface.edges import edges_of_sides


class Mean:
    """Means over neighbourhoods in a mesh.

    Parameters
    ----------
    count : int
        Number of vertices.
    faces : (F, 3) int
    """

    def __init__(self, count: int, faces: np.ndarray):
        edges, _ = edges_of_sides(faces)
        ends = np.concatenate([edges, edges[:, ::-1], np.tile(np.arange(count)[:, None], 2)])
        beside = sparse.csr_matrix((np.ones(len(ends)), ends.T), shape=(count, count))
        self._share = sparse.diags(1.0 / beside.sum(axis=1).A1) @ beside

    def __call__(self, values: np.ndarray, spread: int) -> np.ndarray:
        """Mean of values (V, ...) around each vertex, so many edges far."""
        mean = values.astype(float)
        for _ in range(spread):
            mean = self._share @ mean
        return mean
