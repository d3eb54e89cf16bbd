"""Point maps by nearest learned features, for shapes like those of the training data."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse

from ..surface.factorisation import Factorisation
from ..surface.laplacian import laplacian_and_mass
from .points import Maps
from .pointwise import precise_map
from .spectral import SpectralMesh

# Time of the diffusion that smooths features, for a surface of unit area: noise of single vertices
# goes, differences between places stay.
SMOOTHING_TIME = 1e-4
# Directions in which the features of a pair differ most; all others together change a match by
# less than a hundredth of its error, and cost several times as much.
COMPONENTS = 48


def map_by_features(
    source: SpectralMesh,
    target: SpectralMesh,
    source_features: np.ndarray,
    target_features: np.ndarray,
    progress: Callable[[float], None] = lambda fraction: None,
    digits: tuple[np.ndarray, np.ndarray] | None = None,
) -> Maps:
    """For each vertex of either shape the point of the other with the nearest features.

    Points lie within triangles: features vary smoothly, and are interpolated there. No functional
    map smooths the result: between two bodies that are no isometry, its error is larger than that
    of the features (docs/transfer.md).

    Parameters
    ----------
    source, target : SpectralMesh
    source_features, target_features : (V_s, d), (V_t, d) float
        Rows of unit length.
    progress : callable
        Called with a fraction from 0 to 1 between steps; may raise to stop.
    digits : ((V_s, n), (V_t, n) float), optional
        Coordinates of fingers and toes beside the features, as `limbs.digits.digit_coordinates`
        gives them.

    Returns
    -------
    target_to_source, source_to_target : SurfacePoints
    """
    on_source = _smoothed(source, source_features, lambda: progress(0.0))
    on_target = _smoothed(target, target_features, lambda: progress(0.2))
    on_source, on_target = main_components(on_source, on_target)
    if digits is not None:
        on_source = np.concatenate([on_source, digits[0]], axis=1)
        on_target = np.concatenate([on_target, digits[1]], axis=1)
    progress(0.4)
    target_to_source = precise_map(on_source, source.faces, on_target)
    progress(0.7)
    source_to_target = precise_map(on_target, target.faces, on_source)
    progress(1.0)
    return target_to_source, source_to_target


def main_components(
    source_features: np.ndarray, target_features: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Features (V_s, d), (V_t, d) in the `COMPONENTS` directions in which they differ most."""
    both = np.concatenate([source_features, target_features]).astype(float)
    _, directions = np.linalg.eigh(both.T @ both)
    kept = directions[:, -COMPONENTS:]
    return source_features @ kept, target_features @ kept


def _smoothed(mesh: SpectralMesh, features: np.ndarray, waiting: Callable[[], None]) -> np.ndarray:
    """Features (V, d) after one implicit step of diffusion; rows of unit length."""
    laplacian, _ = laplacian_and_mass(mesh.vertices, mesh.faces, lambda fraction: waiting())
    factor = Factorisation(
        sparse.diags(mesh.mass) + SMOOTHING_TIME * laplacian, waiting, definite=True
    )
    smooth = factor.solve(mesh.mass[:, None] * features.astype(float))
    length = np.linalg.norm(smooth, axis=1, keepdims=True)
    return smooth / np.maximum(length, np.finfo(float).tiny)
