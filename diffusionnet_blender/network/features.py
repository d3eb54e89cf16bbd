"""What the network is fed at every vertex (paper 4.1)."""

from __future__ import annotations

import numpy as np

from ..surface.discretization import Discretization
from ..surface.integral_invariants import integral_invariants
from ..surface.signatures import heat_kernel_signature, wave_kernel_signature


def input_features(discretization: Discretization, names: tuple[str, ...]) -> np.ndarray:
    """Features side by side.

    Parameters
    ----------
    discretization : Discretization
    names : tuple of str
        Keys of `card.FEATURE_WIDTHS`: normalised positions, heat or wave kernel signatures,
        integral invariants.

    Returns
    -------
    (V, C) float32
    """
    values, vectors = discretization.eigenvalues, discretization.eigenvectors
    compute = {
        "xyz": lambda: discretization.vertices,
        "hks": lambda: heat_kernel_signature(values, vectors),
        "wks": lambda: wave_kernel_signature(values, vectors),
        "integral": lambda: integral_invariants(
            discretization.vertices, discretization.mass, normals_of_frames(discretization)
        ),
    }
    return np.concatenate([compute[name]() for name in names], axis=1).astype(np.float32)


def normals_of_frames(discretization: Discretization) -> np.ndarray:
    """Unit normals (V, 3) that the tangent frames of meshes and point clouds alike were made of.

    The gradients of the three coordinates along the two axes of a frame are the axes themselves.
    """
    vertices = discretization.vertices
    normals = np.cross(discretization.gradient_x @ vertices, discretization.gradient_y @ vertices)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return normals / np.maximum(length, np.finfo(np.float32).tiny)
