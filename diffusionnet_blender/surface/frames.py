"""Tangent frames: two axes and the outward normal at every vertex (paper 3.4)."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from .winding import orient_normals


def tangent_frames(normals: np.ndarray) -> np.ndarray:
    """Right-handed orthonormal frames about given normals.

    Parameters
    ----------
    normals : (V, 3) float
        Unit length.

    Returns
    -------
    (V, 3, 3) float64
        Rows: tangent x, tangent y, normal; x cross y is the normal.
    """
    seed = np.where(np.abs(normals[:, :1]) < 0.9, [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]])
    x = seed - np.einsum("ij,ij->i", seed, normals)[:, None] * normals
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return np.stack([x, np.cross(normals, x), normals], axis=1)


def nearest_neighbours(points: np.ndarray, count: int) -> np.ndarray:
    """Indices of the nearest other points, (V, count) int; fewer where there are fewer points."""
    count = min(count, len(points) - 1)
    found = cKDTree(points).query(points, k=count + 1)[1]
    # A point is its own nearest neighbour, except where others lie at the same place.
    is_self = found == np.arange(len(points))[:, None]
    is_self[~is_self.any(axis=1), -1] = True
    return found[~is_self].reshape(len(points), count)


def cloud_normals(
    points: np.ndarray, neighbours: np.ndarray, mass: np.ndarray, given: np.ndarray | None
) -> np.ndarray:
    """Normals of the planes that fit the neighbourhoods best (PCA), pointing outward.

    Parameters
    ----------
    points : (V, 3) float
    neighbours : (V, m) int
    mass : (V,) float
    given : (V, 3) float or None
        Outward normals that decide the sign, point by point. Without them signs are propagated
        from neighbour to neighbour.

    Returns
    -------
    (V, 3) float64
    """
    around = points[neighbours] - points[:, None]
    around = np.concatenate([np.zeros_like(around[:, :1]), around], axis=1)
    around -= around.mean(axis=1, keepdims=True)
    normals = np.linalg.eigh(np.einsum("vmi,vmj->vij", around, around))[1][:, :, 0]
    if given is None:
        return orient_normals(points, normals, neighbours[:, :10], mass)
    return np.where(np.einsum("ij,ij->i", normals, given)[:, None] < 0, -normals, normals)
