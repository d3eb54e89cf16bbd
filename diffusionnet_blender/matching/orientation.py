"""Measures of a map as a whole: orientation, agreement of features, rigid residual."""

from __future__ import annotations

import numpy as np

from ..surface.surface import triangle_vectors
from .judgement import Judgement
from .points import SurfacePoints
from .spectral import SpectralMesh


def orientation_kept(
    source: SpectralMesh, target: SpectralMesh, target_to_source: SurfacePoints
) -> float:
    """Share of the target's area whose triangles keep their orientation on the source.

    Parameters
    ----------
    source, target : SpectralMesh
        Both with outward triangles.
    target_to_source : SurfacePoints

    Returns
    -------
    float
        From 0 (mirrored) to 1. Triangles whose image has no area count half.
    """
    image = target_to_source.interpolate(source.vertices, source.faces)
    mapped = triangle_vectors(image, target.faces)
    outward = triangle_vectors(source.vertices, source.faces)
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), np.finfo(float).tiny)
    at_corners = outward[target_to_source.face][target.faces].sum(axis=1)
    sense = np.sign(np.einsum("fi,fi->f", mapped, at_corners))
    area = np.linalg.norm(triangle_vectors(target.vertices, target.faces), axis=1)
    return float(np.average(0.5 * (1 + sense), weights=area))


def judge(
    source: SpectralMesh,
    target: SpectralMesh,
    target_to_source: SurfacePoints,
    source_features: np.ndarray,
    target_features: np.ndarray,
) -> Judgement:
    """Measure the quality of a map: low for one that is mirrored or turned around.

    Parameters
    ----------
    source, target : SpectralMesh
    target_to_source : SurfacePoints
    source_features : (V_s, d) float
    target_features : (V_t, d) float
        Only directions count, after the mean over the source is taken away.

    Returns
    -------
    Judgement
    """
    centre = source.mass @ source_features
    pulled = _unit(target_to_source.interpolate(source_features, source.faces) - centre)
    own = _unit(target_features - centre)
    image = target_to_source.interpolate(source.vertices, source.faces)
    return Judgement(
        orientation_kept=orientation_kept(source, target, target_to_source),
        feature_agreement=float(target.mass @ np.einsum("vd,vd->v", pulled, own)),
        rigid_residual=rigid_residual(target.vertices, image, target.mass),
    )


def rigid_residual(points: np.ndarray, images: np.ndarray, weight: np.ndarray) -> float:
    """Root mean square distance after the best rotation and translation (Kabsch 1976).

    Parameters
    ----------
    points, images : (V, 3) float
    weight : (V,) float
        Adds up to 1.
    """
    points = points - weight @ points
    images = images - weight @ images
    u, stretch, v = np.linalg.svd(points.T @ (weight[:, None] * images))
    stretch[2] *= np.sign(np.linalg.det(u @ v)) or 1.0
    squares = weight @ (np.square(points).sum(axis=1) + np.square(images).sum(axis=1))
    return float(np.sqrt(max(squares - 2 * stretch.sum(), 0.0)))


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Rows (n, d) at unit length."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(length, np.finfo(float).tiny)
