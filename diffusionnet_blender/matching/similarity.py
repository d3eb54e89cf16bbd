"""Least-squares similarity transform between corresponding points."""

from __future__ import annotations

import numpy as np


def similarity(
    points: np.ndarray, images: np.ndarray, weight: np.ndarray | None = None
) -> tuple[np.ndarray, float, np.ndarray]:
    """Rotation, scale and translation between points by weighted least squares (Umeyama 1991).

    Parameters
    ----------
    points, images : (V, 3) float
    weight : (V,) float, optional
        By default all points count alike.

    Returns
    -------
    rotation : (3, 3);  scale : float;  shift : (3,)
        A point x goes to ``scale * rotation @ x + shift``.
    """
    weight = np.ones(len(points)) if weight is None else weight
    weight = weight / weight.sum()
    middle, goal = weight @ points, weight @ images
    u, strength, v = np.linalg.svd((images - goal).T @ (weight[:, None] * (points - middle)))
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ v)) or 1.0])
    rotation = (u * sign) @ v
    spread = weight @ np.square(points - middle).sum(axis=1)
    scale = float((strength * sign).sum() / max(spread, np.finfo(float).tiny))
    return rotation, scale, goal - scale * rotation @ middle
