"""The best motion of one set of points onto another."""

from __future__ import annotations

import numpy as np


def similarity(
    here: np.ndarray, there: np.ndarray, weight: np.ndarray | None = None
) -> tuple[np.ndarray, float, np.ndarray]:
    """Rotation, scale and shift that take points to others with the least squares (Umeyama 1991).

    Parameters
    ----------
    here, there : (V, 3) float
    weight : (V,) float, optional
        By default all points count alike.

    Returns
    -------
    turn : (3, 3);  scale : float;  shift : (3,)
        A point x goes to ``scale * turn @ x + shift``.
    """
    weight = np.ones(len(here)) if weight is None else weight
    weight = weight / weight.sum()
    middle, goal = weight @ here, weight @ there
    u, strength, v = np.linalg.svd((there - goal).T @ (weight[:, None] * (here - middle)))
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ v)) or 1.0])
    turn = (u * sign) @ v
    spread = weight @ np.square(here - middle).sum(axis=1)
    scale = float((strength * sign).sum() / max(spread, np.finfo(float).tiny))
    return turn, scale, goal - scale * turn @ middle
