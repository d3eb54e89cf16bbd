"""Smooth warps of space that lay one part of a surface on another, as a face on a face.

A warp moves what is near in space alike, so that it cannot confuse two lips that touch: which of
them a point belongs to is told by its normal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from .sampling import farthest_points
from .similarity import similarity

# Points that are fitted; more do not change a smooth warp.
FITTED = 4000
# Share of the points, those nearest to the other shape, that decide.
DECIDING_RIGID, DECIDING = 0.85, 0.9
RIGID_ROUNDS = 25
# Of the warp: rounds, centres of its kernels; then from the first round to the last, in units of
# the size: width of the kernels, and how much a normal turned by a radian counts; and stiffness.
ROUNDS, CENTRES = 16, 160
WIDTHS, TURNS, STIFFNESS = (0.6, 0.3), (0.25, 0.1), (1.0, 1e-2)


def size_of(positions: np.ndarray) -> float:
    """Root mean square distance of points (N, 3) from their middle."""
    away = positions - positions.mean(axis=0)
    return float(np.sqrt(np.square(away).sum(axis=1).mean()))


@dataclass(frozen=True, eq=False)
class Points:
    """Points of a surface with their normals, (N, 3) both."""

    positions: np.ndarray
    normals: np.ndarray

    @property
    def size(self) -> float:
        """See `size_of`."""
        return size_of(self.positions)

    def with_turns(self, weight: float) -> np.ndarray:
        """Positions and weighted normals in one, (N, 6)."""
        return np.concatenate([self.positions, weight * self.normals], axis=1)

    def moved(self, by: Similarity) -> Points:
        """The same after a similarity."""
        return Points(by(self.positions), self.normals @ by.rotation.T)

    def some(self) -> Points:
        """At most `FITTED` of them, evenly through the list."""
        step = -(-len(self.positions) // FITTED)
        return Points(self.positions[::step], self.normals[::step])


@dataclass(frozen=True, eq=False)
class Similarity:
    """Rotation, scale and shift: a point x goes to ``scale * rotation @ x + shift``."""

    rotation: np.ndarray
    scale: float
    shift: np.ndarray

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 3) moved."""
        return self.scale * points @ self.rotation.T + self.shift

    @classmethod
    def between(cls, points: np.ndarray, images: np.ndarray) -> Similarity:
        """That which fits most of the points (N, 3) to their images, and passes over outliers."""
        near = np.ones(len(points), bool)
        for _ in range(5):
            found = cls(*similarity(points[near], images[near]))
            off = np.linalg.norm(found(points) - images, axis=1)
            near = off <= np.quantile(off, 0.7)
        return found


def laid_on(goal: Points, points: Points, start: Similarity) -> tuple[Similarity, float]:
    """The similarity that lays points on others, by closest points that face alike.

    Parameters
    ----------
    goal, points : Points
    start : Similarity

    Returns
    -------
    found : Similarity
    residual : float
        Root mean square distance of the points that decide, in units of the size.
    """
    goal, points = goal.some(), points.some()
    weight = TURNS[0] * goal.size
    tree = cKDTree(goal.with_turns(weight))
    found = start
    for _ in range(RIGID_ROUNDS):
        off, near = tree.query(points.moved(found).with_turns(weight))
        decides = off <= np.quantile(off, DECIDING_RIGID)
        found = Similarity(*similarity(points.positions[decides], goal.positions[near[decides]]))
    away = found(points.positions[decides]) - goal.positions[near[decides]]
    return found, float(np.sqrt(np.square(away).sum(axis=1).mean())) / goal.size


def warped(goal: Points, points: Points, decides: np.ndarray) -> np.ndarray:
    """Points bent onto others that they nearly lie on, (N, 3).

    The displacement is a sum of Gaussian kernels, wide and stiff at first, that is fitted to the
    closest points of either shape on the other, in position and normal.

    Parameters
    ----------
    goal, points : Points
    decides : (N,) bool
        Those of the points that are fitted; the others move with them.
    """
    fitted, goal = Points(points.positions[decides], points.normals[decides]).some(), goal.some()
    size = goal.size
    at = fitted.positions
    centres = at[farthest_points(at, CENTRES)]
    own = _square_distances(at, centres)
    between = _square_distances(centres, centres)
    share = len(at) / len(goal.positions)
    for number in range(ROUNDS):
        width, turn, stiffness = (
            first * (last / first) ** (number / (ROUNDS - 1))
            for first, last in (WIDTHS, TURNS, STIFFNESS)
        )
        there = goal.with_turns(turn * size)
        here = Points(at, fitted.normals).with_turns(turn * size)
        off, near = cKDTree(there).query(here)
        off_back, near_back = cKDTree(here).query(there)
        back = share * (off_back <= np.quantile(off_back, DECIDING))
        ahead = (off <= np.quantile(off, DECIDING)).astype(float)
        weight = ahead + np.bincount(near_back, back, len(at))
        wanted = ahead[:, None] * goal.positions[near]
        np.add.at(wanted, near_back, back[:, None] * goal.positions)
        wanted /= np.maximum(weight, np.finfo(float).tiny)[:, None]
        weight = np.minimum(weight, 3.0)[:, None]
        kernel, stiff = (np.exp(-d / (2 * (width * size) ** 2)) for d in (own, between))
        system = kernel.T @ (weight * kernel)
        system += stiffness * len(at) / len(centres) * stiff
        system += 1e-8 * len(at) * np.eye(len(centres))
        strength = np.linalg.solve(system, kernel.T @ (weight * (wanted - fitted.positions)))
        at = fitted.positions + kernel @ strength
    kernel = np.exp(-_square_distances(points.positions, centres) / (2 * (width * size) ** 2))
    return points.positions + kernel @ strength


def _square_distances(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Of points (N, 3) and centres (C, 3), (N, C)."""
    squares = (np.square(x).sum(axis=1) for x in (points, centres))
    return np.maximum(np.add.outer(*squares) - 2 * points @ centres.T, 0.0)
