"""Sparse factorisation of a shifted Laplacian, which a caller can leave while it runs."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.sparse import linalg as sparse_linalg

# Seconds between two looks at whether the caller still wants the result.
PATIENCE = 0.1
# Relative residual of a solve beyond which a factorisation has lost its accuracy.
LARGEST_RESIDUAL = 1e-8


class Factorisation:
    """L D L^T of a symmetric matrix, by SuperLU without pivoting.

    The order of elimination is that of minimum degree. On regular meshes all degrees are alike, and
    the order in which the vertices come decides among them: left to chance, the factors of a
    subdivided sphere grow ten times as large. So the vertices are numbered anew first, by reverse
    Cuthill-McKee.

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
        # A long C call runs beside this thread, which goes on asking whether it is still wanted.
        # SuperLU gives memory back in the thread that asked for it, and in no other: factors that
        # another thread lets go of would stay for ever. So theirs lives as long as they do.
        self._held: list[sparse_linalg.SuperLU] = []
        thread = ThreadPoolExecutor(1)
        working = thread.submit(_factorise, matrix, self._held)
        let_go = weakref.finalize(self, _let_go, thread, working, self._held)
        let_go.atexit = False
        try:
            while not wait([working], PATIENCE).done:
                waiting()
        except BaseException:
            let_go()
            raise
        error = working.exception()
        if error is not None:
            let_go()
            if isinstance(error, RuntimeError):
                raise ArithmeticError(str(error)) from error
            raise error
        if definite:
            return
        trial = np.random.default_rng(0).standard_normal(matrix.shape[0])
        residual = matrix @ self._held[0].solve(trial) - trial
        if not np.linalg.norm(residual) <= LARGEST_RESIDUAL * np.linalg.norm(trial):
            raise ArithmeticError("the factors are not accurate")

    def solve(self, right: np.ndarray) -> np.ndarray:
        """The inverse applied to each column of (V, n) float64."""
        solved = np.empty_like(right)
        solved[self._order] = self._held[0].solve(right[self._order])
        return solved

    @property
    def size(self) -> int:
        """Entries of the factors."""
        return self._held[0].nnz

    def negative_eigenvalues(self) -> int:
        """How many eigenvalues of the matrix are below zero (Sylvester's law of inertia)."""
        return int(np.count_nonzero(self._held[0].U.diagonal() < 0))


def _factorise(matrix: sparse.csc_matrix, held: list) -> None:
    held.append(
        sparse_linalg.splu(
            matrix,
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
    )


def _let_go(thread: ThreadPoolExecutor, working: Future, held: list) -> None:
    """Free the factors in their thread, and end it.

    A thread that is still at work, since its caller left, is left to end by itself; otherwise it is
    waited for: Blender must not go on while a thread of Python's is still ending.
    """
    thread.submit(held.clear)
    thread.shutdown(wait=working.done())
