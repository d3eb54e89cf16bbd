"""The engine that needs nothing but NumPy and SciPy."""

from __future__ import annotations

import contextlib

import numpy as np
from scipy import sparse
from scipy.sparse import _sparsetools
from threadpoolctl import ThreadpoolController

from .implicit import ImplicitDiffusion
from .rows import RowWise


class NumpyEngine(RowWise):
    """What `forward` asks of an engine, in NumPy.

    Parameters
    ----------
    dtype : numpy dtype
        Precision of the network, float32 or float64.
    """

    name = "numpy"
    device = "cpu"
    exp = staticmethod(np.exp)
    stack = staticmethod(np.stack)
    at_least = staticmethod(np.maximum)

    def __init__(self, dtype=np.float32):
        super().__init__()
        self.dtype = np.dtype(dtype)
        self._blas = ThreadpoolController().select(user_api="blas")

    def array(self, values) -> np.ndarray:
        """Values in this engine's precision."""
        return np.ascontiguousarray(values, dtype=self.dtype)

    def inference(self):
        """Context in which no derivatives are kept: NumPy keeps none anyway."""
        return contextlib.nullcontext()

    def to_numpy(self, values: np.ndarray) -> np.ndarray:
        """Values as a NumPy array."""
        return values

    def sparse(self, matrix: sparse.csr_matrix) -> sparse.csr_matrix:
        """A sparse matrix in this engine's precision."""
        return matrix.astype(self.dtype)

    def indices(self, values: np.ndarray) -> np.ndarray:
        """Integers to index with."""
        return values

    def implicit_step(
        self, implicit: ImplicitDiffusion, u: np.ndarray, times: np.ndarray
    ) -> np.ndarray:
        """Diffuse (V, C) for times (C,) by eq. 2."""
        return implicit(u, times).astype(self.dtype)

    def linear(self, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None):
        """Linear layer on the channels (n, C)."""
        y = np.matmul(x, weight.T, out=self._take((len(x), len(weight))))
        return y if bias is None else np.add(y, bias, out=y)

    def relu(self, x: np.ndarray) -> np.ndarray:
        """The positive part."""
        return np.maximum(x, 0, out=self._take(x.shape))

    def tanh(self, x: np.ndarray) -> np.ndarray:
        """Hyperbolic tangent."""
        return np.tanh(x, out=self._take(x.shape))

    def add(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Sum, of the shape of `x`."""
        return np.add(x, y, out=self._take(x.shape))

    def multiply(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Entrywise product, of the shape of `x`."""
        return np.multiply(x, y, out=self._take(x.shape))

    def concatenate(self, pieces: list[np.ndarray]) -> np.ndarray:
        """Channels side by side."""
        width = sum(piece.shape[1] for piece in pieces)
        return np.concatenate(pieces, axis=1, out=self._take((len(pieces[0]), width)))

    def sparse_product(
        self, matrix: sparse.csr_matrix, u: np.ndarray, vertices: slice
    ) -> np.ndarray:
        """Rows of sparse (2V, V) times dense (V, C), two for each of some vertices."""
        first, last = 2 * vertices.start, 2 * vertices.stop
        product = self._take((last - first, u.shape[1]))
        product[:] = 0.0
        # What `matrix @ u` calls: on some rows without copying them, and into memory at hand.
        _sparsetools.csr_matvecs(
            last - first,
            *u.shape,
            matrix.indptr[first : last + 1],
            matrix.indices,
            matrix.data,
            u.ravel(),
            product.ravel(),
        )
        return product

    @staticmethod
    def softmax(x: np.ndarray) -> np.ndarray:
        """Probabilities along the last axis."""
        raised = np.exp(x - x.max(axis=-1, keepdims=True))
        return raised / raised.sum(axis=-1, keepdims=True)

    def _empty(self, shape):
        return np.empty(shape, self.dtype)

    def _threads(self):
        return max((library["num_threads"] for library in self._blas.info()), default=1)

    def _start_thread(self):
        """Nothing to set: the limit holds for all threads."""

    def _one_thread_each(self):
        return self._blas.limit(limits=1)
