"""Isometry-invariant point descriptors: heat and wave kernel signatures."""

from __future__ import annotations

import numpy as np

HKS_TIMES = np.logspace(-2.0, 0.0, 16)
WKS_ENERGIES = 16
# Of logarithms of eigenvalues: below this, rounding alone makes a difference.
SAME_ENERGY = 1e-5


def heat_kernel_signature(
    eigenvalues: np.ndarray, eigenvectors: np.ndarray, times: np.ndarray = HKS_TIMES
) -> np.ndarray:
    """Heat that stays at a point after each time (Sun et al. 2009; paper 4.1).

    Parameters
    ----------
    eigenvalues : (k,) float
    eigenvectors : (V, k) float
    times : (T,) float
        By default 16, logarithmically spaced on [0.01, 1] (paper 5, Setup).

    Returns
    -------
    (V, T) float
        Sum over i of exp(-lambda_i t) phi_i(v)^2.
    """
    decay = np.exp(-eigenvalues[:, None] * times).astype(eigenvectors.dtype)
    return np.square(eigenvectors) @ decay


def wave_kernel_signature(
    eigenvalues: np.ndarray, eigenvectors: np.ndarray, energies: int = WKS_ENERGIES
) -> np.ndarray:
    """Probability to meet a quantum particle of each energy at a point (Aubry et al. 2011).

    Parameters
    ----------
    eigenvalues : (k,) float
    eigenvectors : (V, k) float
    energies : int
        Number of energy bands, log-spaced between the first and the last eigenvalue.

    Returns
    -------
    (V, energies) float
    """
    positive = eigenvalues > 1e-6 * eigenvalues[-1]
    log_energy = np.log(eigenvalues[positive])
    # A regular triangle or tetrahedron has one eigenvalue, several times.
    if len(log_energy) < 2 or log_energy[-1] - log_energy[0] < SAME_ENERGY:
        return np.ones((len(eigenvectors), energies), dtype=eigenvectors.dtype)
    spacing = (log_energy[-1] - log_energy[0]) / max(energies + 12, 1)
    sigma = 7.0 * spacing
    # The bands keep two sigmas from the ends, where they would be cut.
    centres = np.linspace(log_energy[0] + 2 * sigma, log_energy[-1] - 2 * sigma, energies)
    band = np.exp(-((centres[None] - log_energy[:, None]) ** 2) / (2 * sigma**2))
    band = (band / band.sum(axis=0)).astype(eigenvectors.dtype)
    return np.square(eigenvectors[:, positive]) @ band
