"""Sparse factorisation of a shifted Laplacian, which a caller can leave while it runs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np
from scipy import sparse
from scipy.sparse import linalg as sparse_linalg

from .ordering import SYMMETRIC, elimination_order

# Seconds between two looks at whether the caller still wants the result.
PATIENCE = 0.1
# Relative residual of a solve beyond which a factorisation has lost its accuracy.
LARGEST_RESIDUAL = 1e-8


class Factorisation:
    """L D L^T of a symmetric matrix, by SuperLU without pivoting.

    Parameters
    ----------
    matrix : (V, V) csr_matrix
        Symmetric; need not be definite.
    points : (V, 3) float
        Places of the vertices, by which a large mesh is divided.
    waiting : callable
        Called now and then while the factorisation runs; may raise to leave it.

    Raises
    ------
    ArithmeticError
        If the matrix is singular, or elimination without pivoting is not accurate enough.
    """

    def __init__(
        self,
        matrix: sparse.csr_matrix,
        points: np.ndarray,
        waiting: Callable[[], None] = lambda: None,
    ):
        self._order = _left_alone(lambda: elimination_order(matrix, points), waiting)
        if self._order is not None:
            matrix = matrix[self._order][:, self._order]
        method = "MMD_AT_PLUS_A" if self._order is None else "NATURAL"
        try:
            self._factors = _left_alone(
                lambda: sparse_linalg.splu(matrix.tocsc(), permc_spec=method, **SYMMETRIC), waiting
            )
        except RuntimeError as error:
            raise ArithmeticError(str(error)) from error
        trial = np.random.default_rng(0).standard_normal(len(points))
        residual = matrix @ self._factors.solve(trial) - trial
        if not np.linalg.norm(residual) <= LARGEST_RESIDUAL * np.linalg.norm(trial):
            raise ArithmeticError("the factors are not accurate")

    def solve(self, right: np.ndarray) -> np.ndarray:
        """The inverse applied to each column of (V, n) float64."""
        if self._order is None:
            return self._factors.solve(right)
        solved = np.empty_like(right)
        solved[self._order] = self._factors.solve(right[self._order])
        return solved

    def negative_eigenvalues(self) -> int:
        """How many eigenvalues of the matrix are below zero (Sylvester's law of inertia)."""
        return int(np.count_nonzero(self._factors.U.diagonal() < 0))


def _left_alone(work, waiting):
    """Run a long C call beside this thread, which goes on asking whether it is still wanted.

    Where the answer raises, the call is left to end by itself and its result is thrown away.
    """
    pool = ThreadPoolExecutor(1)
    try:
        future = pool.submit(work)
        while not wait([future], PATIENCE).done:
            waiting()
        return future.result()
    finally:
        pool.shutdown(wait=False)
