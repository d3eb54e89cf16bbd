"""Point maps of functional maps: nearest vertices, and precise maps within triangles."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from .points import SurfacePoints

# Numbers of a distance matrix at a time: they bound its memory. Where it is read several times, so
# few that they stay in the processor's cache.
CHUNK_NUMBERS, CACHED_NUMBERS = 8_000_000, 1_000_000
# Triangles around this many nearest vertices are tried for each query.
NEAREST = 12
# Most triangles around a vertex that are tried, and columns of a group in `_least`.
WIDEST, GROUP = 12, 16


def nearest_rows(points: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Index of the nearest point of each query, by brute force.

    In dozens of dimensions a matrix product beats any tree.

    Parameters
    ----------
    points : (N, d) float
    queries : (M, d) float

    Returns
    -------
    (M,) int64
    """
    points = np.ascontiguousarray(points, dtype=np.float32)
    queries = np.ascontiguousarray(queries, dtype=np.float32)
    half = 0.5 * np.einsum("nd,nd->n", points, points)
    found = np.empty(len(queries), dtype=np.int64)
    step = max(CHUNK_NUMBERS // max(len(points), 1), 1)
    for start in range(0, len(queries), step):
        chunk = slice(start, start + step)
        found[chunk] = (half - queries[chunk] @ points.T).argmin(axis=1)
    return found


def embeddings(
    source_eigenvectors: np.ndarray, target_eigenvectors: np.ndarray, functional_map: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Spectral embeddings of both shapes in one space, where corresponding vertices are close.

    Parameters
    ----------
    source_eigenvectors : (V_s, >= k_s) float
    target_eigenvectors : (V_t, >= k_t) float
    functional_map : (k_t, k_s) float
        Source functions to target functions.

    Returns
    -------
    source : (V_s, k_s) float
    target : (V_t, k_s) float
    """
    k_target, k_source = functional_map.shape
    return (
        source_eigenvectors[:, :k_source],
        target_eigenvectors[:, :k_target] @ functional_map,
    )


def precise_map(
    source_embedding: np.ndarray, source_faces: np.ndarray, target_embedding: np.ndarray
) -> SurfacePoints:
    """The nearest point of the embedded source surface to each embedded target point.

    Ezuz and Ben-Chen 2017, section 4. The triangles around the nearest vertices are tried; a
    triangle elsewhere can only be nearer where edges are longer than the distances between
    folds of the embedding. Triangles are chosen in single
    precision: where its rounding decides between two, both are as near.

    Parameters
    ----------
    source_embedding : (V_s, d) float
    source_faces : (F_s, 3) int
    target_embedding : (N, d) float

    Returns
    -------
    SurfacePoints
        On the source, one for each row of `target_embedding`.
    """
    # About the middle numbers are smaller, and so is what rounding takes from them.
    middle = np.mean(source_embedding, axis=0, keepdims=True)
    exact = np.asarray(source_embedding - middle, dtype=np.float64)
    source = exact.astype(np.float32)
    target = np.asarray(target_embedding - middle, dtype=np.float32)
    used = np.unique(source_faces)
    squared = np.einsum("vd,vd->v", exact, exact)
    half = np.full(len(source), np.inf, dtype=np.float32)
    half[used] = squared[used] / 2
    corners = exact[source_faces]
    along_b = corners[:, 1] - corners[:, 0]
    along_c = corners[:, 2] - corners[:, 0]
    gram = _Gram(
        bb=np.einsum("fd,fd->f", along_b, along_b),
        bc=np.einsum("fd,fd->f", along_b, along_c),
        cc=np.einsum("fd,fd->f", along_c, along_c),
        ab=np.einsum("fd,fd->f", corners[:, 0], along_b),
        ac=np.einsum("fd,fd->f", corners[:, 0], along_c),
    )
    around = _FacesAround(len(source), source_faces)
    nearest = min(NEAREST, len(used))
    face = np.empty(len(target), dtype=np.int64)
    step = max(CACHED_NUMBERS // len(source), 1)
    for start in range(0, len(target), step):
        chunk = slice(start, start + step)
        product = target[chunk] @ source.T
        query, candidate = around(_least(half - product, nearest))
        a, b, c = (product[query, source_faces[candidate, i]].astype(np.float64) for i in range(3))
        along = gram.of(candidate)
        share_b, share_c = nearest_in_triangle(
            along.bb, along.bc, along.cc, b - a - along.ab, c - a - along.ac
        )
        # Squared distance less that of the query from the origin.
        distance = (
            squared[source_faces[candidate, 0]]
            - 2 * a
            - 2 * share_b * (b - a - along.ab)
            - 2 * share_c * (c - a - along.ac)
            + np.square(share_b) * along.bb
            + 2 * share_b * share_c * along.bc
            + np.square(share_c) * along.cc
        )
        face[chunk] = candidate[_first_least(distance, query)]
    along = gram.of(face)
    wanted = np.asarray(target_embedding - middle, dtype=np.float64) - corners[face, 0]
    pb, pc = (np.einsum("nd,nd->n", wanted, edge[face]) for edge in (along_b, along_c))
    share_b, share_c = nearest_in_triangle(along.bb, along.bc, along.cc, pb, pc)
    barycentric = np.stack([1 - share_b - share_c, share_b, share_c], axis=1)
    return SurfacePoints(face, np.clip(barycentric, 0.0, 1.0))


def _least(values: np.ndarray, count: int) -> np.ndarray:
    """Columns (N, count) of the least values in each row of (N, M), in no order.

    Columns are taken in groups: the least ones lie in the groups with the least minima, so that
    only those have to be looked at one by one.
    """
    groups = values.shape[1] // GROUP
    if groups <= count:
        return np.argpartition(values, count - 1, axis=1)[:, :count]
    minima = values[:, : GROUP * groups].reshape(-1, GROUP, groups).min(axis=1)
    group = np.argpartition(minima, count - 1, axis=1)[:, :count]
    column = (group[:, None] + groups * np.arange(GROUP)[:, None]).reshape(len(values), -1)
    left = np.arange(GROUP * groups, values.shape[1])
    column = np.concatenate([column, np.broadcast_to(left, (len(values), len(left)))], axis=1)
    chosen = np.argpartition(np.take_along_axis(values, column, 1), count - 1, axis=1)
    return np.take_along_axis(column, chosen[:, :count], 1)


def _first_least(values: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Index of the first least of the values (N,) of each row, whose numbers (N,) ascend."""
    starts = np.flatnonzero(np.diff(row, prepend=-1))
    least = np.minimum.reduceat(values, starts)
    found = np.flatnonzero(values == np.repeat(least, np.diff(starts, append=len(row))))
    return found[np.flatnonzero(np.diff(row[found], prepend=-1))]


class _Gram(NamedTuple):
    """Inner products (F,) of the edges b - a, c - a and first corners a of triangles."""

    bb: np.ndarray
    bc: np.ndarray
    cc: np.ndarray
    ab: np.ndarray
    ac: np.ndarray

    def of(self, face: np.ndarray) -> _Gram:
        """Those of some triangles."""
        return _Gram(*(product[face] for product in self))


def nearest_in_triangle(
    bb: np.ndarray, bc: np.ndarray, cc: np.ndarray, pb: np.ndarray, pc: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Shares of corners b and c in the point of a triangle that is nearest to p, in any dimension.

    Parameters
    ----------
    bb, bc, cc : arrays
        Inner products of the edges b - a and c - a.
    pb, pc : arrays
        Inner products of p - a with them.

    Returns
    -------
    share_b, share_c : arrays
    """
    tiny = np.finfo(float).tiny
    determinant = np.maximum(bb * cc - bc * bc, tiny)
    b = (cc * pb - bc * pc) / determinant
    c = (bb * pc - bc * pb) / determinant
    outside = (b < 0) | (c < 0) | (b + c > 1) | ~np.isfinite(b + c)
    # The nearest point of each edge, and the nearest of the three.
    on_b = np.clip(pb / np.maximum(bb, tiny), 0, 1)
    on_c = np.clip(pc / np.maximum(cc, tiny), 0, 1)
    opposite = bb - 2 * bc + cc
    on_bc = np.clip((pc - pb - bc + bb) / np.maximum(opposite, tiny), 0, 1)
    edge_b = np.stack([on_b, np.zeros_like(on_b), 1 - on_bc])
    edge_c = np.stack([np.zeros_like(on_c), on_c, on_bc])
    away = (
        np.square(edge_b) * bb
        + 2 * edge_b * edge_c * bc
        + np.square(edge_c) * cc
        - 2 * edge_b * pb
        - 2 * edge_c * pc
    )
    best = away.argmin(axis=0)[None]
    edge_b = np.take_along_axis(edge_b, best, axis=0)[0]
    edge_c = np.take_along_axis(edge_c, best, axis=0)[0]
    return np.where(outside, edge_b, b), np.where(outside, edge_c, c)


class _FacesAround:
    """Triangles around the vertices of a mesh."""

    def __init__(self, count: int, faces: np.ndarray):
        corner = np.arange(faces.size)
        incidence = sparse.csr_matrix(
            (np.ones(faces.size), (faces.ravel(), corner // 3)), shape=(count, len(faces))
        )
        self._faces, self._start = incidence.indices.astype(np.int64), incidence.indptr
        self._count = len(faces)

    def __call__(self, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pairs of a row and a triangle around one of its vertices (N, m), each once, by rows."""
        vertex = vertices.ravel()
        row = np.repeat(np.arange(len(vertices)), vertices.shape[1])
        # The triangles of a fan of hundreds are found from their rim.
        valence = np.minimum(self._start[vertex + 1] - self._start[vertex], WIDEST)
        within = np.arange(valence.sum()) - np.repeat(np.cumsum(valence) - valence, valence)
        face = self._faces[np.repeat(self._start[vertex], valence) + within]
        return np.divmod(np.unique(np.repeat(row, valence) * self._count + face), self._count)
