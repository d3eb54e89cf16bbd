"""Sparse L D L^T factorisation of symmetric matrices, which a caller can leave while it runs."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.sparse import linalg as sparse_linalg

# Seconds between two calls of the function that may stop a factorisation.
PATIENCE = 0.1
# Relative residual of a solve beyond which a factorisation has lost its accuracy.
LARGEST_RESIDUAL = 1e-8


class Factorisation:
    """L D L^T of a symmetric matrix, by SuperLU without pivoting.

    The order of elimination is that of minimum degree. On regular meshes all degrees are alike, and
    the order of the vertices decides among them: in a random one, the factors of a subdivided
    sphere grow ten times as large. So the vertices are renumbered first, by reverse Cuthill-McKee.

    Parameters
    ----------
    matrix : (V, V) sparse
        Symmetric; need not be definite.
    waiting : callable
        Called now and then while the factorisation runs; may raise to leave it.
    definite : bool
        Whether the matrix is known to be positive definite. Elimination without pivoting is then
        as stable as Cholesky's, however ill-conditioned the matrix is; other factors are put to
        the test.

    Raises
    ------
    ArithmeticError
        If the matrix is singular, or elimination without pivoting is not accurate enough.
    """

    def __init__(
        self,
        matrix: sparse.csr_matrix,
        waiting: Callable[[], None] = lambda: None,
        definite: bool = False,
    ):
        matrix = matrix.tocsr()
        self._order = csgraph.reverse_cuthill_mckee(matrix, symmetric_mode=True)
        matrix = matrix[self._order][:, self._order].tocsc()
        # A long C call runs in a thread beside this one, which goes on listening to the caller.
        # SuperLU frees memory in the thread that allocated it, and in no other: factors released by
        # another thread would stay for ever. So their thread lives as long as they do.
        self._factors: list[sparse_linalg.SuperLU] = []
        thread = ThreadPoolExecutor(1)
        working = thread.submit(_factorise, matrix, self._factors)
        release = weakref.finalize(self, _release, thread, working, self._factors)
        release.atexit = False
        try:
            while not wait([working], PATIENCE).done:
                waiting()
        except BaseException:
            release()
            raise
        error = working.exception()
        if error is not None:
            release()
            if isinstance(error, RuntimeError):
                raise ArithmeticError(str(error)) from error
            raise error
        if definite:
            return
        trial = np.random.default_rng(0).standard_normal(matrix.shape[0])
        residual = matrix @ self._factors[0].solve(trial) - trial
        if not np.linalg.norm(residual) <= LARGEST_RESIDUAL * np.linalg.norm(trial):
            raise ArithmeticError("the factors are not accurate")

    def solve(self, right: np.ndarray) -> np.ndarray:
        """The inverse applied to each column of (V, n) float64."""
        solved = np.empty_like(right)
        solved[self._order] = self._factors[0].solve(right[self._order])
        return solved

    @property
    def size(self) -> int:
        """Entries of the factors."""
        return self._factors[0].nnz

    def negative_eigenvalues(self) -> int:
        """How many eigenvalues of the matrix are below zero (Sylvester's law of inertia)."""
        return int(np.count_nonzero(self._factors[0].U.diagonal() < 0))


def _factorise(matrix: sparse.csc_matrix, factors: list[sparse_linalg.SuperLU]) -> None:
    factors.append(
        sparse_linalg.splu(
            matrix,
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
    )


def _release(
    thread: ThreadPoolExecutor, working: Future[None], factors: list[sparse_linalg.SuperLU]
) -> None:
    """Free the factors in their thread, and end it.

    A thread that is still at work, since its caller left, ends by itself; otherwise it is waited
    for: Blender must not go on while a thread of Python's is still ending.
    """
    thread.submit(factors.clear)
    thread.shutdown(wait=working.done())
