"""Confidence of a map at each vertex, by cycle consistency and by the margin of features."""

from __future__ import annotations

import numpy as np

from .points import SurfacePoints
from .spectral import SpectralMesh

# A vertex whose cycle ends this far from it (in units of the square root of the area) is lost; the
# thickness of a forearm is about this much.
LOST = 0.08
# Difference of cosines between the features' best partner and the best one elsewhere, above which
# features alone decide.
CLEAR_MARGIN = 0.1


def cycle_distance(
    source: SpectralMesh,
    target: SpectralMesh,
    target_to_source: SurfacePoints,
    source_to_target: SurfacePoints,
) -> np.ndarray:
    """Distance from each target vertex to its image under the map to the source and back.

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
    """Similarity of features at the image of each vertex less that at any place far from it.

    Parameters
    ----------
    source : SpectralMesh
    target_to_source : SurfacePoints
    source_features, target_features : (V_s, d), (V_t, d) float
        Rows of unit length.
    samples : (S,) int
        Source vertices, spread evenly, that are compared with.

    Returns
    -------
    (V_t,) float64
        Difference of cosines; below zero where another place is more similar.
    """
    image = target_to_source.interpolate(source.vertices, source.faces)
    pulled = target_to_source.interpolate(source_features, source.faces)
    pulled /= np.maximum(np.linalg.norm(pulled, axis=1, keepdims=True), np.finfo(float).tiny)
    at_image = np.einsum("vd,vd->v", pulled, target_features)
    similar = target_features @ source_features[samples].T
    places = source.vertices[samples]
    squared = (
        np.square(image).sum(axis=1)[:, None] - 2 * image @ places.T + np.square(places).sum(axis=1)
    )
    elsewhere = np.where(squared > (2 * LOST) ** 2, similar, -1.0).max(axis=1)
    return at_image - elsewhere


def confidence(cycle: np.ndarray, margin: np.ndarray | None = None) -> np.ndarray:
    """Confidence of each vertex from 0 to 1.

    Parameters
    ----------
    cycle : (V,) float
        Of `cycle_distance`.
    margin : (V,) float, optional
        Of `feature_margin`, where there are learned features.

    Returns
    -------
    (V,) float64
        0: nothing should be transferred from here.
    """
    consistency = np.exp(-np.square(cycle / (0.5 * LOST)))
    if margin is None:
        return consistency
    return consistency * (0.5 + 0.5 * np.clip(margin / CLEAR_MARGIN, -1.0, 1.0))
