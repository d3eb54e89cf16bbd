"""Orders of elimination that keep a sparse factorisation small."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.sparse import linalg as sparse_linalg

# Pieces of no more vertices than this are not divided further.
SMALLEST_PIECE = 8
# Minimum degree is the better order on characters, and ruinous on large regular meshes, where
# the degrees are all alike. A trial on patches of this many vertices tells the two apart; below
# so many vertices a wrong choice costs little.
PATCH = 8_000
TRIAL_SIZE = 30_000
TRIALS = 2
# Fill of minimum degree over that of nested dissection on a patch, beyond which it only grows.
REGULAR_FILL = 0.9
# Symmetric elimination without pivoting, which a matrix near positive definite stands.
SYMMETRIC = {"diag_pivot_thresh": 0.0, "options": {"SymmetricMode": True}}


def elimination_order(matrix: sparse.csr_matrix, points: np.ndarray) -> np.ndarray | None:
    """The order in which to eliminate the vertices of a mesh, or None for minimum degree.

    Parameters
    ----------
    matrix : (V, V) csr_matrix
        Symmetric, positive definite.
    points : (V, 3) float
        Places of the vertices.

    Returns
    -------
    (V,) int64 or None
        Vertices in the order of elimination.
    """
    count = len(points)
    if count < TRIAL_SIZE:
        return None
    regular = [
        _fill_ratio(matrix, points, seed) > REGULAR_FILL
        for seed in np.linspace(0, count - 1, TRIALS).astype(int)
    ]
    return nested_dissection(matrix, points) if any(regular) else None


def _fill_ratio(matrix, points, seed) -> float:
    """Entries of the factors of a patch by minimum degree, over those by nested dissection."""
    patch = csgraph.breadth_first_order(matrix, seed, return_predecessors=False)[:PATCH]
    block = matrix[patch][:, patch]
    order = nested_dissection(block, points[patch])
    by_degree = sparse_linalg.splu(block.tocsc(), permc_spec="MMD_AT_PLUS_A", **SYMMETRIC)
    dissected = sparse_linalg.splu(
        block[order][:, order].tocsc(), permc_spec="NATURAL", **SYMMETRIC
    )
    return by_degree.nnz / dissected.nnz


def nested_dissection(matrix: sparse.csr_matrix, points: np.ndarray) -> np.ndarray:
    """Order by repeated bisection: two halves first, the vertices that part them last.

    Geometric nested dissection (George 1973): each connected piece is cut in two equal halves
    across its longest side. All pieces of one depth are cut at once.

    Parameters
    ----------
    matrix : (V, V) csr_matrix
        Its pattern is the graph.
    points : (V, 3) float

    Returns
    -------
    (V,) int64
        Vertices in the order of elimination.
    """
    count = len(points)
    tail = np.repeat(np.arange(count, dtype=np.int32), np.diff(matrix.indptr))
    head = matrix.indices
    once = tail < head
    tail, head = tail[once], head[once]
    points = points.astype(np.float32)
    order = np.empty(count, dtype=np.int64)
    # Vertices that have no place yet, and where the interval of places begins that each shares
    # with the rest of the half it is in.
    vertex = np.arange(count)
    interval = np.zeros(count, dtype=np.int64)
    while len(vertex):
        here = len(vertex)
        graph = sparse.coo_matrix((np.ones(len(tail), np.int8), (tail, head)), (here, here))
        piece = csgraph.connected_components(graph, directed=False)[1]
        by_piece = np.lexsort((piece, interval))
        vertex, interval, points = vertex[by_piece], interval[by_piece], points[by_piece]
        new_index = np.empty(here, dtype=np.int32)
        new_index[by_piece] = np.arange(here, dtype=np.int32)
        tail, head = new_index[tail], new_index[head]

        start = np.flatnonzero(np.diff(piece[by_piece], prepend=-1))
        size = np.diff(np.append(start, here))
        piece = np.repeat(np.arange(len(start)), size)
        # Pieces of one interval follow each other in it.
        first_of_interval = np.diff(interval[start], prepend=-1) != 0
        opening = start[first_of_interval][np.cumsum(first_of_interval) - 1]
        begin = interval[start] + start - opening

        extent = np.maximum.reduceat(points, start) - np.minimum.reduceat(points, start)
        along = points[np.arange(here), extent.argmax(axis=1)[piece]]
        rank = np.empty(here, dtype=np.int64)
        rank[np.lexsort((along, piece))] = np.arange(here)
        upper = rank - start[piece] >= (size // 2)[piece]

        # Either side of the cut separates; take the smaller.
        cut = upper[tail] != upper[head]
        is_upper = upper[tail[cut]]
        borders = np.zeros((2, here), dtype=bool)
        borders[0, np.where(is_upper, head[cut], tail[cut])] = True
        borders[1, np.where(is_upper, tail[cut], head[cut])] = True
        lower_size, upper_size = (np.bincount(piece[b], minlength=len(start)) for b in borders)
        last = np.where((lower_size <= upper_size)[piece], borders[0], borders[1])
        last |= (size <= SMALLEST_PIECE)[piece]

        placed = np.flatnonzero(last)
        owner = piece[placed]
        placed_size = np.bincount(owner, minlength=len(start))
        within = np.arange(len(placed)) - (np.cumsum(placed_size) - placed_size)[owner]
        order[(begin + size - placed_size)[owner] + within] = vertex[placed]

        rest = ~last
        inside = rest[tail] & rest[head] & ~cut
        new_index = np.cumsum(rest, dtype=np.int32) - 1
        tail, head = new_index[tail[inside]], new_index[head[inside]]
        vertex, interval, points = vertex[rest], begin[piece[rest]], points[rest]
    return order
