"""Directions and sides in the upright frame of a figure; parts of vectors across an axis."""

from __future__ import annotations

import numpy as np

LEFT, BACK, UP = np.eye(3)
# Endings of the names of a figure's parts and joints.
SIDES = ("L", "R")
# A vector shorter than this, in heights of a figure, has no direction.
SHORTEST = 1e-9


def unit(vector: np.ndarray, otherwise: np.ndarray | None = None) -> np.ndarray:
    """The direction of a vector.

    Parameters
    ----------
    vector : (3,) float
    otherwise : (3,) float, optional
        The direction of a vector without one; by default zeros.

    Returns
    -------
    (3,) float64
    """
    length = float(np.linalg.norm(vector))
    if length > SHORTEST:
        return vector / length
    return np.zeros(3) if otherwise is None else otherwise


def across(vector: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """The part of a vector (3,) across an axis, (3,) of unit length."""
    return vector - (vector @ axis) * axis


def transported(vector: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """A vector (3,) under the smallest rotation that takes one unit direction to another."""
    cosine = start @ end
    if cosine < -0.99:
        return vector
    axis = np.cross(start, end)
    turned = np.cross(axis, vector)
    return vector + turned + np.cross(axis, turned) / (1 + cosine)
