"""What the network is fed at every vertex (paper 4.1)."""

from __future__ import annotations

import numpy as np

from ..surface.discretization import Discretization
from ..surface.signatures import heat_kernel_signature, wave_kernel_signature


def input_features(discretization: Discretization, names: tuple[str, ...]) -> np.ndarray:
    """Features side by side.

    Parameters
    ----------
    discretization : Discretization
    names : tuple of str
        Keys of `card.FEATURE_WIDTHS`: normalised positions, heat or wave kernel signatures.

    Returns
    -------
    (V, C) float32
    """
    values, vectors = discretization.eigenvalues, discretization.eigenvectors
    compute = {
        "xyz": lambda: discretization.vertices,
        "hks": lambda: heat_kernel_signature(values, vectors),
        "wks": lambda: wave_kernel_signature(values, vectors),
    }
    return np.concatenate([compute[name]() for name in names], axis=1).astype(np.float32)
