"""Spatial gradient at every vertex, by least squares in the tangent plane (paper 3.4, eq. 5)."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .settings import GradientRegulariser
from .surface import blocks

# Share of the mean squared edge length that is added to the 2 x 2 normal equations.
RELATIVE_REGULARISER = 1e-3
# The published implementation's constant, whatever the edge length. On dense meshes it dominates
# the gradient; weights trained with it expect that.
PUBLISHED_REGULARISER = 1e-5


def gradient_matrices(
    vertices: np.ndarray,
    edges: np.ndarray,
    frames: np.ndarray,
    regulariser: GradientRegulariser = "relative",
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Sparse matrices that give the two tangent components of a function's gradient.

    At vertex i the gradient g minimises the sum over neighbours j of (g . e_ij - (u_j - u_i))^2
    with e_ij the edge in the tangent plane, regularised.

    Parameters
    ----------
    vertices : (V, 3) float
    edges : (E, 2) int
        From a vertex to each of its neighbours.
    frames : (V, 3, 3) float
        Rows: tangent x, tangent y, normal.
    regulariser : {"relative", "published"}
        A share of the squared edge length, which lets gradients mean the same at any
        resolution, or the constant of the published implementation.

    Returns
    -------
    gradient_x, gradient_y : (V, V) csr_matrix
        The real and the imaginary half of G.
    """
    count, edges = len(vertices), _sorted(edges, len(vertices))
    tail = edges[:, 0]
    x, y = _in_tangent_planes(vertices, edges, frames)
    xx: np.ndarray
    yy: np.ndarray
    xx, xy, yy = (np.bincount(tail, product, minlength=count) for product in (x * x, x * y, y * y))
    added: np.ndarray | float
    if regulariser == "relative":
        added = np.maximum(0.5 * RELATIVE_REGULARISER * (xx + yy), np.finfo(float).tiny)
    else:
        added = PUBLISHED_REGULARISER
    xx, yy = xx + added, yy + added
    determinant = xx * yy - xy * xy
    # Rows of (E^T E + r I)^-1 E^T, the closed form of the 2 x 2 inverse.
    xx, xy, yy = (
        np.repeat(v / determinant, np.bincount(tail, minlength=count)) for v in (xx, xy, yy)
    )
    return _difference_matrices(count, edges, (yy * x - xy * y, xx * y - xy * x))


def _sorted(edges: np.ndarray, count: int) -> np.ndarray:
    """Edges (E, 2) in the order of a sparse matrix; those of a mesh have it already."""
    key = edges[:, 0] * count + edges[:, 1]
    return edges if (key[1:] > key[:-1]).all() else edges[np.argsort(key)]


def _in_tangent_planes(
    vertices: np.ndarray, edges: np.ndarray, frames: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The two tangent components of every edge, (E,) each."""
    x_axes, y_axes = np.ascontiguousarray(frames[:, 0]), np.ascontiguousarray(frames[:, 1])
    x, y = np.empty(len(edges)), np.empty(len(edges))
    for block in blocks(len(edges)):
        tail, head = edges[block].T
        along = np.take(vertices, head, axis=0) - np.take(vertices, tail, axis=0)
        x[block] = np.einsum("ij,ij->i", along, np.take(x_axes, tail, axis=0))
        y[block] = np.einsum("ij,ij->i", along, np.take(y_axes, tail, axis=0))
    return x, y


def _difference_matrices(
    count: int, edges: np.ndarray, weights: tuple[np.ndarray, np.ndarray]
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Matrices (V, V) of the sum over edges of a weight (E,) times (u_head - u_tail)."""
    tail, head = edges[:, 0], edges[:, 1]
    starts = np.arange(count + 1)
    starts[1:] += np.cumsum(np.bincount(tail, minlength=count))
    # The diagonal has its place between the neighbours below and those above.
    diagonal = starts[:-1] + np.bincount(tail[head < tail], minlength=count)
    place = np.arange(len(edges)) + tail + (head > tail)
    index = sparse.get_index_dtype(maxval=starts[-1])
    indices = np.empty(starts[-1], dtype=index)
    indices[place], indices[diagonal] = head, np.arange(count)

    def matrix(weight: np.ndarray) -> sparse.csr_matrix:
        data = np.empty(starts[-1])
        data[place], data[diagonal] = weight, -np.bincount(tail, weight, minlength=count)
        return sparse.csr_matrix((data, indices, starts.astype(index)), (count, count))

    return matrix(weights[0]), matrix(weights[1])
