"""Cells of a grid in space."""

from __future__ import annotations

import numpy as np


def cell_keys(vertices: np.ndarray, size: float) -> np.ndarray:
    """Number of the cell that each vertex is in, (V,) int64; cells are numbered x first.

    Parameters
    ----------
    vertices : (V, 3) float
    size : float
        Edge of a cell. One of its corners is the origin.
    """
    cells = np.floor(vertices / size).astype(np.int64)
    cells -= cells.min(axis=0)
    span = cells.max(axis=0) + 1
    return (cells[:, 0] * span[1] + cells[:, 1]) * span[2] + cells[:, 2]
