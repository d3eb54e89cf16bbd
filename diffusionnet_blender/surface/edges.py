"""Edges of triangle meshes, found by sorting.

Side 3 f + i of a mesh is that of triangle f from its corner i to the next one. An edge is the pair
of vertices that one or more sides connect.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse


def sides(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and last vertex of every side, (3F,) each.

    Parameters
    ----------
    faces : (F, 3) int
    """
    return faces.ravel(), np.roll(faces, -1, axis=1).ravel()


def side_lengths(corners: np.ndarray) -> np.ndarray:
    """Lengths of the sides of triangles, (F, 3) float; column i is the side that ends at corner i.

    Parameters
    ----------
    corners : (F, 3, d) float
    """
    return np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)


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


def edges_of_sides(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every edge once, and the edge of each side.

    Parameters
    ----------
    faces : (F, 3) int

    Returns
    -------
    edges : (E, 2) int64
        The lower vertex first; sorted.
    edge : (3F,) int64
    """
    count = _span(faces)
    key, _ = edge_keys(faces, count)
    key, edge = np.unique(key, return_inverse=True)
    return np.stack(np.divmod(key, count), axis=1), edge.ravel()


def unique_edges(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every edge once, and how many triangles share it.

    Parameters
    ----------
    faces : (F, 3) int

    Returns
    -------
    edges : (E, 2) int64
        As those of `edges_of_sides`.
    uses : (E,) int64
    """
    count = _span(faces)
    key, _ = edge_keys(faces, count)
    key.sort()
    start = starts_of_runs(key)
    return np.stack(np.divmod(key[start], count), axis=1), np.diff(start, append=len(key))


def directed_edges(faces: np.ndarray) -> np.ndarray:
    """Both directions of every edge of a triangle mesh, (E, 2) int64, sorted, each once."""
    count = _span(faces)
    keys, _ = edge_keys(faces, count)
    keys.sort()
    low, high = np.divmod(keys[starts_of_runs(keys)], count)
    above, below = np.bincount(low, minlength=count), np.bincount(high, minlength=count)
    # In each row the neighbours below come first. A transpose sorts them, in linear time.
    start_above, start_below = (np.concatenate([[0], np.cumsum(n)]) for n in (above, below))
    upper = sparse.csr_matrix((np.ones(len(low), np.int8), high, start_above), (count, count))
    lower = upper.tocsc()
    # Column by column, as all that follows reads it.
    edges = np.empty((2, 2 * len(low)), dtype=np.int64).T
    place = np.arange(len(low)) + np.repeat(start_below[1:], above)
    edges[place, 0], edges[place, 1] = low, high
    place = np.arange(len(low)) + np.repeat(start_above[:-1], below)
    edges[place, 0], edges[place, 1] = np.repeat(np.arange(count), below), lower.indices
    return edges


def boundary_edges(faces: np.ndarray) -> np.ndarray:
    """Directed edges (E, 2) without a side that runs along them the other way."""
    tail, head = sides(faces)
    count = _span(faces)
    lonely = ~np.isin(tail * count + head, head * count + tail)
    return np.stack([tail[lonely], head[lonely]], axis=1)


def paired_sides(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two sides of every edge that exactly two triangles share, (n,) int64 each.

    Parameters
    ----------
    faces : (F, 3) int
    """
    key, _ = edge_keys(faces, _span(faces))
    order = np.argsort(key)
    start = starts_of_runs(key[order])
    pair = start[np.diff(start, append=len(order)) == 2]
    return order[pair], order[pair + 1]


def face_neighbours(faces: np.ndarray) -> np.ndarray:
    """The triangle across each edge, (F, 3) int64; -1 at a border and where more than two meet.

    Parameters
    ----------
    faces : (F, 3) int

    Returns
    -------
    (F, 3) int64
        Column i is across the edge opposite to corner i.
    """
    first, second = paired_sides(faces)
    neighbour = np.full(faces.size, -1, dtype=np.int64)
    neighbour[first], neighbour[second] = second // 3, first // 3
    return np.roll(neighbour.reshape(faces.shape), -1, axis=1)


def _span(faces: np.ndarray) -> int:
    """A number above all indices."""
    return int(faces.max()) + 1 if len(faces) else 1
