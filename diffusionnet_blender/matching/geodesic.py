"""Geodesic distances by shortest paths on a graph of edges and unfolded diagonals."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from ..surface.edges import edge_keys


def surface_graph(vertices: np.ndarray, faces: np.ndarray) -> sparse.csr_matrix:
    """Graph of the edges of a mesh and the diagonals of neighbouring triangles.

    Along edges alone, shortest paths zigzag and come out a tenth too long.

    Parameters
    ----------
    vertices : (V, 3) float
    faces : (F, 3) int

    Returns
    -------
    (V, V) csr_matrix
        Symmetric, lengths.
    """
    key, _ = edge_keys(faces, len(vertices))
    order = np.argsort(key, kind="stable")
    low, high = np.divmod(key[order], len(vertices))
    opposite = np.roll(faces, 1, axis=1).ravel()[order]
    twin = np.flatnonzero((low[1:] == low[:-1]) & (high[1:] == high[:-1]))
    a, b, c, d = low[twin], high[twin], opposite[twin], opposite[twin + 1]
    across, crosses = _unfolded(*(vertices[i] for i in (a, b, c, d)))
    rows = np.concatenate([low, c[crosses]])
    columns = np.concatenate([high, d[crosses]])
    lengths = np.concatenate(
        [np.linalg.norm(vertices[low] - vertices[high], axis=1), across[crosses]]
    )
    # Of the entries that name one pair (an edge comes from both its triangles), the shortest.
    small, large = np.minimum(rows, columns), np.maximum(rows, columns)
    order = np.lexsort((lengths, large, small))
    small, large, lengths = small[order], large[order], lengths[order]
    first = np.ones(len(small), dtype=bool)
    first[1:] = (small[1:] != small[:-1]) | (large[1:] != large[:-1])
    first &= small != large
    count = len(vertices)
    upper = sparse.csr_matrix(
        (np.maximum(lengths[first], np.finfo(float).tiny), (small[first], large[first])),
        shape=(count, count),
    )
    return upper + upper.T


def _unfolded(
    a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Distance (n,) of c and d with their triangles on a b unfolded, and if the line meets a b.

    All points are (n, 3).
    """
    edge = b - a
    length = np.maximum(np.linalg.norm(edge, axis=1), np.finfo(float).tiny)
    along = edge / length[:, None]
    x_c, x_d = (np.einsum("ni,ni->n", p - a, along) for p in (c, d))
    y_c = np.linalg.norm((c - a) - x_c[:, None] * along, axis=1)
    y_d = np.linalg.norm((d - a) - x_d[:, None] * along, axis=1)
    height = np.maximum(y_c + y_d, np.finfo(float).tiny)
    meets = (x_c * y_d + x_d * y_c) / height
    return np.hypot(x_c - x_d, height), (meets > 0) & (meets < length)


def geodesic_distances(
    graph: sparse.csr_matrix, starts: np.ndarray, limit: float = np.inf
) -> np.ndarray:
    """Lengths of the shortest paths, (S, V) float64; infinite between loose parts.

    Parameters
    ----------
    graph : (V, V) csr_matrix
        Of `surface_graph`.
    starts : (S,) int
    limit : float
        Longer paths are infinite, too, and not looked for.
    """
    # It has both directions: to look for the other one of each edge again takes twice as long.
    return csgraph.dijkstra(graph, indices=starts, limit=limit)


def nearest_distances(graph: sparse.csr_matrix, starts: np.ndarray) -> np.ndarray:
    """Length of the shortest path to each vertex from any of the starts, (V,) float64.

    Parameters
    ----------
    graph : (V, V) csr_matrix
        Of `surface_graph`.
    starts : (S,) int
    """
    return csgraph.dijkstra(graph, indices=starts, min_only=True)
