"""Stray vertices far from everything else, which must not decide the scale of a surface."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

# A stray vertex is so many times farther from the middle than `MOST` of all vertices, and from all
# but one or two of the others. The foot of a lamp post is far from its lamp, but has neighbours.
FAR = 4.0
MOST = 0.99
NEIGHBOURS = 3
# No vertex of a mesh of fewer is one too many.
FEWEST = 40


def stray_vertices(vertices: np.ndarray) -> np.ndarray:
    """Indices of stray vertices, (S,) int64; no more than a hundredth of all.

    Parameters
    ----------
    vertices : (V, 3) float
    """
    far, _ = _far(vertices)
    if not len(far):
        return far
    # A heap of vertices at one place is one of them.
    places, place = np.unique(vertices, axis=0, return_inverse=True)
    far, reach = _far(places)
    if not len(far):
        return far
    alone, _ = cKDTree(places).query(places[far], NEIGHBOURS + 1)
    return np.flatnonzero(np.isin(place.ravel(), far[alone[:, -1] > reach]))


def _far(vertices: np.ndarray) -> tuple[np.ndarray, float]:
    """Vertices far from the middle, (n,) int64, none if they are many; and how far that is."""
    none = np.empty(0, dtype=np.int64)
    if len(vertices) < FEWEST:
        return none, 0.0
    away = np.linalg.norm(vertices - np.median(vertices, axis=0), axis=1)
    reach = float(FAR * np.quantile(away, MOST))
    far = np.flatnonzero(away > reach)
    return (far if len(far) <= (1 - MOST) * len(vertices) else none), reach


def without_stray(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Triangles (F, 3) that reach no stray vertex."""
    stray = stray_vertices(vertices)
    return faces[~np.isin(faces, stray).any(axis=1)] if len(stray) else faces
