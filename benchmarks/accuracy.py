"""How far two eigenbases of one shape, and the labels made from them, are apart."""

from __future__ import annotations

import numpy as np

# The first eigenvalue of a connected shape is zero: errors are relative to the second at least.
FIRST = 1


def eigenvalue_errors(found: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    """Largest and median relative error; both (k,), ascending."""
    error = np.abs(found - reference) / np.maximum(reference, reference[FIRST])
    return float(error.max()), float(np.median(error))


def subspace_sine(found: np.ndarray, reference: np.ndarray, mass: np.ndarray) -> float:
    """Sine of the largest principal angle between the spans of the two bases.

    An upper bound on what the solvers disagree by: the last modes also differ where their
    neighbours in the spectrum lie beyond the last.

    Parameters
    ----------
    found, reference : (V, k) float
        M-orthonormal.
    mass : (V,) float
    """
    root = np.sqrt(mass)[:, None]
    first, second = (np.linalg.qr(root * basis)[0] for basis in (found, reference))
    # From the residual: the cosine of a small angle is 1 to all digits.
    return float(min(np.linalg.norm(first - second @ (second.T @ first), 2), 1.0))


def different_share(found: np.ndarray, reference: np.ndarray) -> float:
    """Share of vertices whose labels differ."""
    return float(np.mean(found != reference))


def compare(found: dict[str, np.ndarray], reference: dict[str, np.ndarray]) -> dict[str, float]:
    """All of the above; eigenpairs where both have them, and the reference its mass."""
    compared = {"labels_different": different_share(found["labels"], reference["labels"])}
    if "eigenvectors" in found and "mass" in reference:
        largest, median = eigenvalue_errors(found["eigenvalues"], reference["eigenvalues"])
        compared |= {
            "eigenvalue_largest": largest,
            "eigenvalue_median": median,
            "subspace_sine": subspace_sine(
                found["eigenvectors"], reference["eigenvectors"], reference["mass"]
            ),
        }
    return compared
