"""How sure a map is at each vertex."""

from __future__ import annotations

import numpy as np

from .points import SurfacePoints
from .spectral import SpectralMesh

# A map that comes back this far from where it started (in units of the square root of the area)
# is as good as lost; the thickness of a forearm is about this much.
LOST = 0.08
# Difference of cosines between the features' best partner and the best one elsewhere, above which
# the features are sure.
CLEAR_MARGIN = 0.1


def cycle_distance(
    source: SpectralMesh,
    target: SpectralMesh,
    target_to_source: SurfacePoints,
    source_to_target: SurfacePoints,
) -> np.ndarray:
    """How far from each target vertex the way to the source and back ends.

    Parameters
    ----------
    source, target : SpectralMesh
    target_to_source : SurfacePoints
        On the source, one for each target vertex.
    source_to_target : SurfacePoints
        On the target, one for each source vertex.

    Returns
    -------
    (V_t,) float64
        Straight distances, in units of the square root of the area.
    """
    position = source_to_target.interpolate(target.vertices, target.faces)
    corners = position[source.faces[target_to_source.face]]
    away = np.linalg.norm(corners - target.vertices[:, None], axis=2)
    # Corners that come back together are averaged as points; where they come back far apart
    # the mean of the points would lie between them, the mean of the distances does not.
    together = np.linalg.norm(
        target_to_source.interpolate(position, source.faces) - target.vertices, axis=1
    )
    spread = np.ptp(corners, axis=1).max(axis=1)
    apart = np.einsum("nc,nc->n", target_to_source.barycentric, away)
    return np.where(spread < LOST, together, apart)


def feature_margin(
    source: SpectralMesh,
    target_to_source: SurfacePoints,
    source_features: np.ndarray,
    target_features: np.ndarray,
    samples: np.ndarray,
) -> np.ndarray:
    """By how much the mapped-to place has more similar features than any place far from it.

    Parameters
    ----------
    source : SpectralMesh
    target_to_source : SurfacePoints
    source_features, target_features : (V_s, d), (V_t, d) float
        Rows of unit length.
    samples : (S,) int
        Source vertices that stand for all places.

    Returns
    -------
    (V_t,) float64
        Difference of cosines; below zero where another place fits better.
    """
    image = target_to_source.interpolate(source.vertices, source.faces)
    found = target_to_source.interpolate(source_features, source.faces)
    found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), np.finfo(float).tiny)
    here = np.einsum("vd,vd->v", found, target_features)
    similar = target_features @ source_features[samples].T
    places = source.vertices[samples]
    squared = (
        np.square(image).sum(axis=1)[:, None] - 2 * image @ places.T + np.square(places).sum(axis=1)
    )
    elsewhere = np.where(squared > (2 * LOST) ** 2, similar, -1.0).max(axis=1)
    return here - elsewhere


def confidence(cycle: np.ndarray, margin: np.ndarray | None = None) -> np.ndarray:
    """One number for each vertex.

    Parameters
    ----------
    cycle : (V,) float
        Of `cycle_distance`.
    margin : (V,) float, optional
        Of `feature_margin`, where there are features that tell places apart.

    Returns
    -------
    (V,) float64
        From 0 (take nothing from here) to 1.
    """
    sure = np.exp(-np.square(cycle / (0.5 * LOST)))
    if margin is None:
        return sure
    return sure * (0.5 + 0.5 * np.clip(margin / CLEAR_MARGIN, -1.0, 1.0))
