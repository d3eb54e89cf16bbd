"""Edges of triangles, found by sorting. Side 3 f + i of a triangle mesh runs from corner i on."""

from __future__ import annotations

import numpy as np


def edge_keys(faces: np.ndarray, vertex_count: int) -> tuple[np.ndarray, np.ndarray]:
    """A number for the edge of each side, and the side's direction along it.

    Parameters
    ----------
    faces : (F, 3) int64
    vertex_count : int
        Above all indices.

    Returns
    -------
    key : (3F,) int64
        The lower vertex times `vertex_count` plus the higher one.
    upward : (3F,) bool
        Whether the side runs from the lower to the higher vertex.
    """
    key = np.empty(faces.shape, dtype=np.int64)
    upward = np.empty(faces.shape, dtype=bool)
    for i, j in ((0, 1), (1, 2), (2, 0)):
        tail, head = faces[:, i], faces[:, j]
        np.less(tail, head, out=upward[:, i])
        key[:, i] = np.minimum(tail, head) * vertex_count + np.maximum(tail, head)
    return key.ravel(), upward.ravel()


def starts_of_runs(ordered: np.ndarray) -> np.ndarray:
    """Where each run of equal values begins in a sorted array, (n,) int64."""
    fresh = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=fresh[1:])
    return np.flatnonzero(fresh)
