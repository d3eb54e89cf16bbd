"""Compaction and Laplacian smoothing of triangle meshes."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .edges import boundary_edges, sides


def compact(count: int, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Renumber the vertices that triangles use.

    Returns
    -------
    faces : (F, 3) int64
    kept : (V_new,) int64
        The old number of each vertex.
    """
    used = np.zeros(count, bool)
    used[faces] = True
    place = np.cumsum(used) - 1
    return place[faces].astype(np.int64), np.flatnonzero(used)


def smooth(values: np.ndarray, faces: np.ndarray, steps: int, strength: float = 0.6) -> np.ndarray:
    """Repeated averaging of values at vertices (V, C) with their neighbours."""
    average = _averaging(faces, len(values))
    for _ in range(steps):
        values = values + strength * (average @ values - values)
    return values


def _averaging(faces: np.ndarray, count: int) -> sparse.csr_matrix:
    """Matrix (V, V) of the mean over a vertex's neighbours; at a border, over those along it."""
    edges = np.stack(sides(faces), axis=1)
    border = boundary_edges(faces)
    at_border = np.zeros(count, bool)
    at_border[border] = True
    edges = np.concatenate(
        [edges[~at_border[edges[:, 0]]], edges[~at_border[edges[:, 1]]][:, ::-1]]
    )
    edges = np.concatenate([edges, border, border[:, ::-1]])
    ones = np.ones(len(edges))
    graph = sparse.csr_matrix((ones, (edges[:, 0], edges[:, 1])), shape=(count, count))
    graph.data[:] = 1.0
    degree = np.asarray(graph.sum(axis=1)).ravel()
    lonely = np.flatnonzero(degree == 0)
    graph = graph + sparse.csr_matrix((np.ones(len(lonely)), (lonely, lonely)), (count, count))
    return sparse.diags(1.0 / np.maximum(degree, 1.0)) @ graph
