"""The engine that needs nothing but NumPy and SciPy."""

from __future__ import annotations

import contextlib

import numpy as np
from scipy import sparse
from scipy.sparse import linalg as sparse_linalg

from ..surface.discretization import Discretization
from .forward import Shape


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

    def shape(self, discretization: Discretization, corners: np.ndarray | None = None) -> Shape:
        """The matrices of a shape as this engine's arrays."""
        gradient = sparse.vstack([discretization.gradient_x, discretization.gradient_y])
        implicit = ImplicitDiffusion(discretization.laplacian, discretization.mass)
        return Shape(
            mass=self.array(discretization.mass),
            eigenvalues=self.array(discretization.eigenvalues),
            eigenvectors=self.array(discretization.eigenvectors),
            gradient=gradient.tocsr().astype(self.dtype),
            diffuse_implicitly=lambda u, times: implicit(u, times).astype(self.dtype),
            corners=corners,
        )

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


class ImplicitDiffusion:
    """One implicit Euler step, h_t(u) = (M + t L)^-1 M u (paper eq. 2), by sparse factorisation.

    Parameters
    ----------
    laplacian : (V, V) sparse
    mass : (V,) float
    """

    def __init__(self, laplacian: sparse.spmatrix, mass: np.ndarray):
        self.laplacian = laplacian.tocsc().astype(np.float64)
        self.mass = np.asarray(mass, dtype=np.float64)

    def solve(self, right: np.ndarray, times: np.ndarray) -> np.ndarray:
        """(M + t_c L)^-1 applied to each column; equal times share one factorisation."""
        solved = np.empty(right.shape)
        for time in np.unique(times):
            matrix = sparse.diags(self.mass, format="csc") + float(time) * self.laplacian
            columns = np.flatnonzero(times == time)
            factor = sparse_linalg.splu(
                matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}
            )
            solved[:, columns] = factor.solve(right[:, columns].astype(np.float64))
        return solved

    def __call__(self, u: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Diffuse (V, C) for times (C,)."""
        return self.solve(self.mass[:, None] * u, times)
