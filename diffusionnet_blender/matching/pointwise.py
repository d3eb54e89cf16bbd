"""Point maps of functional maps: nearest vertices, and precise maps within triangles."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from .points import SurfacePoints

# Queries at a time: bounds the memory of a distance matrix.
CHUNK_NUMBERS = 8_000_000
# Triangles around this many nearest vertices are tried for each query.
NEAREST = 12


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
    folds of the embedding.

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
    source = np.asarray(source_embedding, dtype=np.float64)
    target = np.asarray(target_embedding, dtype=np.float64)
    used = np.unique(source_faces)
    squared = np.einsum("vd,vd->v", source, source)
    corners = source[source_faces]
    along_b = corners[:, 1] - corners[:, 0]
    along_c = corners[:, 2] - corners[:, 0]
    gram = _Gram(
        bb=np.einsum("fd,fd->f", along_b, along_b),
        bc=np.einsum("fd,fd->f", along_b, along_c),
        cc=np.einsum("fd,fd->f", along_c, along_c),
        ab=np.einsum("fd,fd->f", corners[:, 0], along_b),
        ac=np.einsum("fd,fd->f", corners[:, 0], along_c),
    )
    around = _faces_around(len(source), source_faces)
    nearest = min(NEAREST, len(used))
    face = np.empty(len(target), dtype=np.int64)
    barycentric = np.empty((len(target), 3))
    step = max(CHUNK_NUMBERS // len(source), 1)
    for start in range(0, len(target), step):
        chunk = slice(start, start + step)
        product = target[chunk] @ source.T
        away = squared[used] - 2 * product[:, used]
        close = used[np.argpartition(away, nearest - 1, axis=1)[:, :nearest]]
        candidate = around[close].reshape(len(close), -1)
        row = np.arange(len(close))[:, None]
        a, b, c = (product[row, source_faces[candidate, i]] for i in range(3))
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
        best = distance.argmin(axis=1)
        row = row[:, 0]
        face[chunk] = candidate[row, best]
        share_b, share_c = share_b[row, best], share_c[row, best]
        barycentric[chunk] = np.stack([1 - share_b - share_c, share_b, share_c], axis=1)
    return SurfacePoints(face, np.clip(barycentric, 0.0, 1.0))


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


def _faces_around(count: int, faces: np.ndarray) -> np.ndarray:
    """Triangles around each vertex, (V, widest); short rows repeat their first."""
    corner = np.arange(faces.size)
    incidence = sparse.csr_matrix(
        (np.ones(faces.size), (faces.ravel(), corner // 3)), shape=(count, len(faces))
    )
    valence = np.diff(incidence.indptr)
    # A fan of hundreds would widen every row; the triangles of a fan are found from their rim.
    widest = int(min(valence.max(), 12))
    column = np.minimum(np.arange(widest)[None], np.maximum(valence - 1, 0)[:, None])
    start = np.minimum(incidence.indptr[:-1], max(incidence.nnz - 1, 0))
    return incidence.indices[start[:, None] + column].astype(np.int64)
