"""The engine that needs nothing but NumPy and SciPy."""

from __future__ import annotations

import contextlib

import numpy as np
from scipy import sparse

from .implicit import ImplicitDiffusion


class NumpyEngine:
    """What `forward` asks of an engine, in NumPy.

    Parameters
    ----------
    dtype : numpy dtype
        Precision of the network, float32 or float64.
    """

    name = "numpy"
    device = "cpu"
    exp = staticmethod(np.exp)
    tanh = staticmethod(np.tanh)
    stack = staticmethod(np.stack)
    at_least = staticmethod(np.maximum)

    def __init__(self, dtype=np.float32):
        self.dtype = np.dtype(dtype)

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

    @staticmethod
    def relu(x: np.ndarray) -> np.ndarray:
        """The positive part."""
        return np.maximum(x, 0)

    @staticmethod
    def concatenate(pieces: list[np.ndarray]) -> np.ndarray:
        """Channels side by side."""
        return np.concatenate(pieces, axis=-1)

    @staticmethod
    def sparse_product(matrix: sparse.csr_matrix, u: np.ndarray) -> np.ndarray:
        """Sparse (m, V) times dense (V, C)."""
        return matrix @ u

    @staticmethod
    def softmax(x: np.ndarray) -> np.ndarray:
        """Probabilities along the last axis."""
        raised = np.exp(x - x.max(axis=-1, keepdims=True))
        return raised / raised.sum(axis=-1, keepdims=True)
