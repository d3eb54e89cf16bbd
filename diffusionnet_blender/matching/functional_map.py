"""Functional maps from descriptors and from point maps (Ovsjanikov et al. 2012; paper 5.3)."""

from __future__ import annotations

import numpy as np

from .points import SurfacePoints
from .spectral import SpectralMesh

# Weight of the commutativity with the Laplacians against descriptors of length 1 in all.
# Descriptors that are not learned differ between meshings, and need as much.
COMMUTATIVITY = 0.1


def functional_map(
    source: SpectralMesh,
    target: SpectralMesh,
    source_descriptors: np.ndarray,
    target_descriptors: np.ndarray,
    k: int,
    commutativity: float = COMMUTATIVITY,
) -> np.ndarray:
    """The functional map that takes the source's descriptors to the target's.

    Minimises |C A - B|^2 + commutativity * |C Lambda_s - Lambda_t C|^2 for the coefficients A and
    B of the descriptors.

    Parameters
    ----------
    source, target : SpectralMesh
    source_descriptors : (V_s, d) float
    target_descriptors : (V_t, d) float
    k : int
        Size of the map; less where a shape has fewer eigenpairs.
    commutativity : float

    Returns
    -------
    (k, k) float64
    """
    k = min(k, len(source.eigenvalues), len(target.eigenvalues))
    a = source.coefficients(source_descriptors, k)
    b = target.coefficients(target_descriptors, k)
    # Every descriptor counts alike, however large its values are.
    length = np.sqrt((np.square(a).sum(axis=0) + np.square(b).sum(axis=0)) / 2)
    length = np.maximum(length, np.finfo(float).tiny) * np.sqrt(a.shape[1])
    return solve_commuting(
        a / length, b / length, source.eigenvalues[:k], target.eigenvalues[:k], commutativity
    )


def solve_commuting(
    a: np.ndarray,
    b: np.ndarray,
    source_eigenvalues: np.ndarray,
    target_eigenvalues: np.ndarray,
    commutativity: float,
) -> np.ndarray:
    """Minimiser C of |C a - b|^2 + commutativity * |C Lambda_s - Lambda_t C|^2.

    The rows are independent of each other, and all are solved at once.

    Parameters
    ----------
    a, b : (k, d) float
    source_eigenvalues, target_eigenvalues : (k,) float
    commutativity : float
        Eigenvalues are first divided by the largest.

    Returns
    -------
    (k, k) float64
    """
    largest = max(source_eigenvalues.max(), target_eigenvalues.max(), np.finfo(float).tiny)
    gap = np.square((target_eigenvalues[:, None] - source_eigenvalues[None]) / largest)
    systems = np.broadcast_to(a @ a.T, (len(b), len(a), len(a))).copy()
    diagonal = np.arange(len(a))
    # The floor keeps a row solvable whose eigenfunction no descriptor contains.
    systems[:, diagonal, diagonal] += commutativity * gap + 1e-9 * np.trace(a @ a.T) / len(a)
    return np.linalg.solve(systems, (b @ a.T)[:, :, None])[:, :, 0]


def map_of_points(
    source: SpectralMesh, target: SpectralMesh, target_to_source: SurfacePoints, k: int
) -> np.ndarray:
    """The functional map of a point map: Phi_t^+ Pi Phi_s.

    Parameters
    ----------
    source, target : SpectralMesh
    target_to_source : SurfacePoints
        A point of the source for each vertex of the target.
    k : int

    Returns
    -------
    (k_target, k_source) float64
    """
    pulled = target_to_source.interpolate(source.eigenvectors[:, :k], source.faces)
    return target.coefficients(pulled, k)
