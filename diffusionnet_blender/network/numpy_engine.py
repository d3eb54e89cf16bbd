"""The engine on NumPy and SciPy."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import _sparsetools, csr_matrix
from threadpoolctl import ThreadpoolController

from .engine import Engine
from .implicit import ImplicitDiffusion


class NumpyEngine(Engine):
    """Operations of the forward pass in NumPy.

    Parameters
    ----------
    dtype : numpy dtype
        Precision of the network, float32 or float64.
    """

    name = "numpy"
    device = "cpu"

    def __init__(self, dtype: npt.DTypeLike = np.float32):
        super().__init__()
        self.dtype = np.dtype(dtype)
        self._blas = ThreadpoolController().select(user_api="blas")

    def array(self, values: npt.ArrayLike) -> np.ndarray:
        """Values in this engine's precision."""
        return np.ascontiguousarray(values, dtype=self.dtype)

    def inference(self) -> AbstractContextManager[Any]:
        """Context in which no derivatives are kept: NumPy keeps none anyway."""
        return contextlib.nullcontext()

    def to_numpy(self, values: np.ndarray) -> np.ndarray:
        """Values as a NumPy array."""
        return values

    def sparse(self, matrix: csr_matrix) -> csr_matrix:
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

    def stack(self, arrays: list[np.ndarray]) -> np.ndarray:
        """Arrays along a new first axis."""
        return np.stack(arrays)

    def exp(self, x: np.ndarray) -> np.ndarray:
        """Exponential function."""
        return np.exp(x)

    def at_least(self, x: np.ndarray, floor: float) -> np.ndarray:
        """Entrywise maximum with a number."""
        return np.maximum(x, floor)

    def linear(
        self, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None
    ) -> np.ndarray:
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

    def sparse_product(self, matrix: csr_matrix, u: np.ndarray, vertices: slice) -> np.ndarray:
        """Rows of sparse (2V, V) times dense (V, C), two for each of some vertices."""
        first, last = 2 * vertices.start, 2 * vertices.stop
        product = self._take((last - first, u.shape[1]))
        product[:] = 0.0
        # The routine of `matrix @ u`: on some rows without copying them, into scratch memory.
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

    def softmax(self, x: np.ndarray) -> np.ndarray:
        """Probabilities along the last axis."""
        raised = np.exp(x - x.max(axis=-1, keepdims=True))
        return raised / raised.sum(axis=-1, keepdims=True)

    def _empty(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.empty(shape, self.dtype)

    def _threads(self) -> int:
        return max((library["num_threads"] for library in self._blas.info()), default=1)

    def _start_thread(self) -> None:
        """Nothing to set: the limit holds for all threads."""

    def _one_thread_each(self) -> AbstractContextManager[Any]:
        return self._blas.limit(limits=1)
