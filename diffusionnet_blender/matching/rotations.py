"""Nearest rotations of many 3 x 3 matrices at once."""

from __future__ import annotations

import numpy as np

# Determinant of a matrix of Frobenius norm 1 from which on Newton's iteration is accurate to
# rounding; the others, and reflections, are decomposed by singular values.
LEAST_DETERMINANT = 1e-5
# Change of the entries in a step below which the next one, its square, is rounding; and most steps.
SETTLED, MOST_STEPS = 1e-8, 20


def nearest_rotations(matrices: np.ndarray) -> np.ndarray:
    """The proper rotation nearest to each matrix, by polar decomposition.

    Newton's iteration with Frobenius scaling (Higham 1986) takes a third of the time of the
    singular values, and agrees with them to rounding.

    Parameters
    ----------
    matrices : (N, 3, 3) float

    Returns
    -------
    (N, 3, 3) float64
    """
    size = np.linalg.norm(matrices, axis=(1, 2), keepdims=True)
    scaled = matrices / np.maximum(size, np.finfo(float).tiny)
    regular = np.linalg.det(scaled) > LEAST_DETERMINANT
    rotations = np.empty(matrices.shape)
    rotations[regular] = _polar_factors(scaled[regular])
    rotations[~regular] = _by_singular_values(matrices[~regular])
    return rotations


def _polar_factors(matrices: np.ndarray) -> np.ndarray:
    """Orthogonal factors of matrices (N, 3, 3) of positive determinant."""
    # Entry by entry of all matrices: long rows in memory.
    factor = np.ascontiguousarray(np.moveaxis(matrices, 0, 2), dtype=np.float64)
    inverse = np.empty_like(factor)
    for _ in range(MOST_STEPS if len(matrices) else 0):
        for i in range(3):
            one, other = factor[(i + 1) % 3], factor[(i + 2) % 3]
            for j in range(3):
                k, m = (j + 1) % 3, (j + 2) % 3
                inverse[i, j] = one[k] * other[m] - one[m] * other[k]
        # The transposed inverse.
        inverse /= (factor[0] * inverse[0]).sum(axis=0)
        sizes = (np.einsum("ijn,ijn->n", each, each) for each in (inverse, factor))
        scale = np.sqrt(np.sqrt(np.divide(*sizes)))
        before, factor = factor, (0.5 * scale) * factor + (0.5 / scale) * inverse
        if np.abs(factor - before).max() < SETTLED:
            break
    return np.moveaxis(factor, 2, 0)


def _by_singular_values(matrices: np.ndarray) -> np.ndarray:
    u, _, v = np.linalg.svd(matrices)
    sign = np.sign(np.linalg.det(u @ v))
    u[:, :, 2] *= np.where(sign == 0, 1.0, sign)[:, None]
    return u @ v
