"""Candidate functional maps by signs of eigenfunctions, and their score."""

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

# Eigenfunctions of which both signs are tried: with the constant one, a map of one more.
SIGNS = 6
# Size that each candidate is refined to, on so many samples.
REFINED = 24
SAMPLES = 300
# How many distinct candidates are measured as point maps, and how many are returned.
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

    On near isometric shapes, eigenfunctions agree but for their signs (and the order of close
    eigenvalues, which the refinement mends). Those of the highest `map_score` are returned.

    Parameters
    ----------
    source, target : SpectralMesh
    source_features, target_features : (V_s, d), (V_t, d) float
        Descriptors that do not depend on signs of eigenfunctions.
    progress : callable
        Called with a fraction; may raise to stop.

    Returns
    -------
    list of (k, k) float64
        No more than `KEPT`; at least one.
    """
    count = min(SIGNS, len(source.eigenvalues) - 1, len(target.eigenvalues) - 1)
    tries = list(product((1.0, -1.0), repeat=count))
    distinct: list[tuple[float, np.ndarray]] = []
    samples = (
        farthest_points(source.vertices, SAMPLES),
        farthest_points(target.vertices, SAMPLES),
    )
    for index, signs in enumerate(tries):
        progress(index / len(tries))
        start = np.diag([1.0, *signs])
        refined = zoomout(source, target, start, REFINED, samples=samples, between_vertices=False)
        if all(np.linalg.norm(refined - other) > 0.5 for _, other in distinct):
            distinct.append((-area_distortion(refined), refined))
    distinct.sort(key=lambda entry: entry[0], reverse=True)
    scored = []
    for _, refined in distinct[:JUDGED]:
        embedded = embeddings(source.eigenvectors, target.eigenvectors, refined)
        points = points_at_vertices(nearest_rows(*embedded), source.faces)
        quality = judge(source, target, points, source_features, target_features)
        scored.append((map_score(refined, quality), refined))
    scored.sort(key=lambda entry: entry[0], reverse=True)
    return [refined for _, refined in scored[:KEPT]]


def map_score(functional_map: np.ndarray, quality: Judgement) -> float:
    """Score of a map, the higher the better: descriptors, orientation, areas, rigid residual.

    Parameters
    ----------
    functional_map : (k, k) float
    quality : Judgement
        Of its point map.
    """
    return (
        quality.feature_agreement
        - 2 * (1 - quality.orientation_kept)
        - area_distortion(functional_map)
        - quality.rigid_residual
    )


def area_distortion(functional_map: np.ndarray) -> float:
    """Departure of a functional map (m, n) from orthogonality, 0 where it keeps areas."""
    identity = np.eye(functional_map.shape[1])
    return float(np.abs(functional_map.T @ functional_map - identity).sum(axis=1).mean() / 10)
