"""A mesh with the low end of its spectrum, at unit area so that two shapes can be compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..surface.discretization import Discretization


@dataclass(frozen=True, eq=False)
class SpectralMesh:
    """A mesh and its eigenbasis, scaled so that its area is 1.

    Attributes
    ----------
    vertices : (V, 3) float64
    faces : (F, 3) int64
    mass : (V,) float64
        Adds up to 1.
    eigenvalues : (k,) float64
    eigenvectors : (V, k) float64
        Orthonormal with respect to the mass.
    """

    vertices: np.ndarray
    faces: np.ndarray
    mass: np.ndarray
    eigenvalues: np.ndarray
    eigenvectors: np.ndarray

    def coefficients(self, functions: np.ndarray, k: int) -> np.ndarray:
        """Functions (V, d) in the first k eigenvectors, (k, d)."""
        return self.eigenvectors[:, :k].T @ (self.mass[:, None] * functions)


def spectral_mesh(discretization: Discretization) -> SpectralMesh:
    """The mesh and eigenbasis of a discretization, at unit area.

    Parameters
    ----------
    discretization : Discretization
    """
    mass = discretization.mass.astype(np.float64)
    area = mass.sum()
    return SpectralMesh(
        vertices=discretization.vertices.astype(np.float64) / np.sqrt(area),
        faces=discretization.faces,
        mass=mass / area,
        eigenvalues=discretization.eigenvalues.astype(np.float64) * area,
        eigenvectors=discretization.eigenvectors.astype(np.float64) * np.sqrt(area),
    )
