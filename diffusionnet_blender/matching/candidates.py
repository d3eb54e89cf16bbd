"""First functional maps of shapes that no features tell apart."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np

from .judgement import Judgement
from .orientation import judge
from .points import points_at_vertices
from .pointwise import embeddings, nearest_rows
from .sampling import farthest_points
from .spectral import SpectralMesh
from .zoomout import zoomout

# Eigenfunctions whose signs are tried both ways: with the constant one, a map of one more.
SIGNS = 6
# What each try is refined to, on so many samples.
REFINED = 24
SAMPLES = 300
# How many different ones of the tries are looked at closely, and how many are handed on.
JUDGED = 16
KEPT = 4


def maps_by_signs(
    source: SpectralMesh,
    target: SpectralMesh,
    source_features: np.ndarray,
    target_features: np.ndarray,
    progress: Callable[[float], None] = lambda fraction: None,
) -> list[np.ndarray]:
    """Functional maps that differ in the signs of the first eigenfunctions, the best first.

    On shapes alike in their distances, eigenfunctions agree but for their signs (and the order
    of those next to each other, which the refinement mends). Mirrored maps are left out; of the
    rest, those are kept that preserve areas and descriptors best.

    Parameters
    ----------
    source, target : SpectralMesh
    source_features, target_features : (V_s, d), (V_t, d) float
        Descriptors, signs of eigenfunctions aside.
    progress : callable
        Called with a fraction; may raise to stop.

    Returns
    -------
    list of (k, k) float64
        No more than `KEPT`; at least one.
    """
    count = min(SIGNS, len(source.eigenvalues) - 1, len(target.eigenvalues) - 1)
    tries = list(product((1.0, -1.0), repeat=count))
    rough: list[tuple[float, np.ndarray]] = []
    samples = (
        farthest_points(source.vertices, SAMPLES),
        farthest_points(target.vertices, SAMPLES),
    )
    for index, signs in enumerate(tries):
        progress(index / len(tries))
        start = np.diag([1.0, *signs])
        refined = zoomout(source, target, start, REFINED, samples=samples, between_vertices=False)
        distinct = all(np.linalg.norm(refined - other) > 0.5 for _, other in rough)
        if distinct:
            rough.append((-_distortion(refined), refined))
    rough.sort(key=lambda entry: entry[0], reverse=True)
    judged = []
    for _, refined in rough[:JUDGED]:
        there, here = embeddings(source.eigenvectors, target.eigenvectors, refined)
        points = points_at_vertices(nearest_rows(there, here), source.faces)
        found = judge(source, target, points, source_features, target_features)
        judged.append((merit(refined, found), refined))
    judged.sort(key=lambda entry: entry[0], reverse=True)
    return [refined for _, refined in judged[:KEPT]]


def merit(functional_map: np.ndarray, found: Judgement) -> float:
    """How well a map keeps descriptors, areas, orientation, and, poses aside, the whole shape."""
    return (
        found.feature_agreement
        - 2 * (1 - found.orientation_kept)
        - _distortion(functional_map)
        - found.rigid_residual
    )


def _distortion(functional_map: np.ndarray) -> float:
    """How far a map is from keeping areas."""
    identity = np.eye(len(functional_map))
    return float(np.abs(functional_map.T @ functional_map - identity).sum(axis=1).mean() / 10)
