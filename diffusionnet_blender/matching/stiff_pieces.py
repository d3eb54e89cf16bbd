"""Stiff pieces of garments, as buttons: they keep their form and sit on their cloth."""

from __future__ import annotations

import numpy as np

from ..surface.loose_parts import label_mesh_parts
from .closest import ClosestPoints
from .relative import carried
from .similarity import similarity
from .skin import Skin

# In units of the square root of the body's area: loose parts no longer than this are stiff, as
# buttons and buckles, and those that are nearer than `ON_CLOTH` to cloth sit on it.
SMALL = 0.03
ON_CLOTH = 0.015
# Rounds in which stiff pieces are lifted off the skin. A mean normal beneath one that is shorter is
# that of a piece that goes around something.
LIFTS, AROUND = 6, 0.3


def pieces_of(
    vertices: np.ndarray, faces: np.ndarray, unit: float, stiff: np.ndarray | None
) -> np.ndarray:
    """Number of the stiff piece of each vertex, (V,) int, and -1 for cloth.

    Parameters
    ----------
    vertices : (V, 3) float
    faces : (F, 3) int
    unit : float
        Square root of the body's area.
    stiff : (V,) int, optional
        Of things that are stiff as a whole, see `refit.refit`.
    """
    part = label_mesh_parts(len(vertices), faces)
    low, high = (np.full((part.max() + 1, 3), each) for each in (np.inf, -np.inf))
    np.minimum.at(low, part, vertices)
    np.maximum.at(high, part, vertices)
    small = np.linalg.norm(high - low, axis=1) <= SMALL * unit
    piece = np.where(small[part], part, -1)
    return piece if stiff is None else np.where(stiff >= 0, len(small) + stiff, piece)


def with_pieces(
    at: np.ndarray,
    garments: tuple[np.ndarray, np.ndarray],
    cloth: tuple[np.ndarray, np.ndarray],
    piece: np.ndarray,
    unit: float,
) -> np.ndarray:
    """Vertices (V, 3) with each stiff piece moved as a whole, with the cloth that it sits on.

    Parameters
    ----------
    at : (V, 3) float
        Where the vertices are now; those of pieces each by itself.
    garments : ((V, 3) float, (F, 3) int)
        As they were.
    cloth : ((n,) int, (m, 3) int)
        Vertices that are cloth, and their faces in the numbers of these.
    piece : (V,) int
        Of each vertex, -1 for cloth.
    unit : float
        Square root of the body's area.
    """
    vertices, (own, faces) = garments[0], cloth
    goal = at.copy()
    loose = np.flatnonzero(piece >= 0)
    if len(faces) and len(loose):
        before = vertices[own]
        nearest = ClosestPoints(before, faces)
        points, _ = nearest(vertices[loose])
        away = np.linalg.norm(nearest.positions(points) - vertices[loose], axis=1)
        on_cloth = carried(points, vertices[loose], (before, faces), at[own])
        # A piece is on the cloth as a whole or not at all.
        _, number = np.unique(piece[loose], return_inverse=True)
        least = np.full(number.max() + 1, np.inf)
        np.minimum.at(least, number, away)
        goal[loose] = np.where((least[number] <= ON_CLOTH * unit)[:, None], on_cloth, goal[loose])
    for one in np.unique(piece[loose]):
        members = np.flatnonzero(piece == one)
        rotation, scale, shift = similarity(vertices[members], goal[members])
        goal[members] = scale * vertices[members] @ rotation.T + shift
    return goal


def lift(at: np.ndarray, piece: np.ndarray, rooted: np.ndarray, skin: Skin, gap: float) -> None:
    """Lift stiff pieces off the skin, in place: each as a whole, away from the body.

    Parameters
    ----------
    at : (V, 3) float
        Changed.
    piece : (V,) int
        Of each vertex, -1 for cloth.
    rooted : (V,) bool
        Vertices that may be beneath the skin.
    skin : Skin
    gap : float
        Least height above it.
    """
    for one in np.unique(piece[piece >= 0]):
        members = np.flatnonzero((piece == one) & ~rooted)
        for _ in range(LIFTS if len(members) else 0):
            points, _ = skin.surface(at[members])
            outward = skin.outward(points)
            height, _ = skin.above(points, at[members], outward)
            away = outward.mean(axis=0)
            length = np.linalg.norm(away)
            # What goes around a limb cannot leave it.
            if (height >= gap).all() or length < AROUND:
                break
            away /= length
            slope = np.maximum(outward @ away, AROUND)
            at[piece == one] += (np.maximum(gap - height, 0.0) / slope).max() * away
