"""Eyeballs of a figure: round loose pieces where eyes are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

# Limits of the radius in heights, and of how far from where eyes usually are.
RADIUS, AWAY = (0.006, 0.06), 0.06
# A ball is as wide as it is high and deep, but for this factor.
ROUND = 1.25
# Balls are parts of one eye whose centres are within so many radii of the larger.
CONCENTRIC = 0.5


@dataclass(frozen=True, eq=False)
class Eyeball:
    """An eye that turns by itself.

    Attributes
    ----------
    centre : (3,) float64
    radius : float
    vertices : (n,) int64
        Its own, with those of what lies in it, such as an iris.
    """

    centre: np.ndarray
    radius: float
    vertices: np.ndarray


def eyeballs(
    vertices: np.ndarray,
    stiff: np.ndarray,
    usual: Mapping[str, np.ndarray],
    height: float,
) -> dict[str, Eyeball]:
    """The eyes of a figure, by the names of their places; those alone that are there.

    Parameters
    ----------
    vertices : (V, 3) float
    stiff : (V,) int
        Number of the loose piece of each vertex, -1 for none.
    usual : mapping of str to (3,) float
        Where eyes usually are: ``eye.L``, ``eye.R``.
    height : float
        Of the figure.
    """
    if not (stiff >= 0).any():
        return {}
    loose = stiff >= 0
    _, stiff = np.unique(np.where(loose, stiff, -1), return_inverse=True)
    stiff = stiff - int(not loose.all())
    pieces = int(stiff.max()) + 1
    low, high = np.full((pieces, 3), np.inf), np.full((pieces, 3), -np.inf)
    np.minimum.at(low, stiff[loose], vertices[loose])
    np.maximum.at(high, stiff[loose], vertices[loose])
    centre, extent = (low + high) / 2, high - low
    radius = extent.max(axis=1) / 2
    ball = (radius > RADIUS[0] * height) & (radius < RADIUS[1] * height)
    ball &= extent.max(axis=1) < ROUND * extent.min(axis=1)
    found = {}
    for name, place in usual.items():
        away = np.linalg.norm(centre - place, axis=1)
        near = np.flatnonzero(ball & (away < AWAY * height + radius))
        if not len(near):
            continue
        nearest = near[away[near].argmin()]
        apart = np.linalg.norm(centre[near] - centre[nearest], axis=1)
        # The white of an eye is larger than the iris in it.
        around = near[apart <= CONCENTRIC * radius[near]]
        chosen = around[radius[around].argmax()]
        inside = np.linalg.norm(centre - centre[chosen], axis=1) + radius < 1.1 * radius[chosen]
        inside[chosen] = True
        members = np.flatnonzero(loose)[inside[stiff[loose]]]
        found[name] = Eyeball(centre[chosen], float(radius[chosen]), members)
    middles = [eye.centre for eye in found.values()]
    if len(found) == 2 and np.linalg.norm(middles[0] - middles[1]) < 1e-6 * height:
        # One ball is no pair.
        return {}
    return found
