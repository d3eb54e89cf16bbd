"""Spatial gradient at every vertex, by least squares in the tangent plane (paper 3.4, eq. 5)."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .settings import GradientRegulariser

# Share of the mean squared edge length that is added to the 2 x 2 normal equations.
RELATIVE_REGULARISER = 1e-3
# What the published implementation adds, whatever the edge length. On dense meshes it swallows
# the gradient; weights trained with it expect that.
PUBLISHED_REGULARISER = 1e-5


def directed_edges(faces: np.ndarray) -> np.ndarray:
    """Both directions of every edge of a triangle mesh, (E, 2) int, sorted, each once."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = np.concatenate([edges, edges[:, ::-1]])
    key = np.unique(edges[:, 0] * (faces.max() + 1) + edges[:, 1])
    return np.stack(np.divmod(key, faces.max() + 1), axis=1)


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
    count = len(vertices)
    tail, head = edges[:, 0], edges[:, 1]
    along = vertices[head] - vertices[tail]
    x = np.einsum("ij,ij->i", along, frames[tail, 0])
    y = np.einsum("ij,ij->i", along, frames[tail, 1])
    xx, xy, yy = (np.bincount(tail, product, minlength=count) for product in (x * x, x * y, y * y))
    if regulariser == "relative":
        added = np.maximum(0.5 * RELATIVE_REGULARISER * (xx + yy), np.finfo(float).tiny)
    else:
        added = PUBLISHED_REGULARISER
    xx, yy = xx + added, yy + added
    determinant = xx * yy - xy * xy
    # Rows of (E^T E + r I)^-1 E^T, the closed form of the 2 x 2 inverse.
    to_x = (yy[tail] * x - xy[tail] * y) / determinant[tail]
    to_y = (xx[tail] * y - xy[tail] * x) / determinant[tail]
    return tuple(_difference_matrix(count, tail, head, weight) for weight in (to_x, to_y))


def _difference_matrix(count, tail, head, weight):
    """Matrix of the sum over edges of weight times (u_head - u_tail)."""
    diagonal = -np.bincount(tail, weight, minlength=count)
    here = np.arange(count)
    return sparse.csr_matrix(
        (
            np.concatenate([weight, diagonal]),
            (np.concatenate([tail, here]), np.concatenate([head, here])),
        ),
        shape=(count, count),
    )
