"""A map with fingers and toes laid on their counterparts, on all vertices of both meshes.

On an outer skin or a proxy fingers are thick, round or grown together; what corresponds on them is
told by the digits' own coordinates on the meshes themselves.
"""

from __future__ import annotations

import numpy as np

from ..closest import ClosestPoints
from ..points import SurfacePoints
from ..sharpening import faded
from .digits import ROOT, Digit, DigitPairs, places_on
from .parted import PartedMesh

# Length of a digit in its radii: the way along counts so much more than the way around.
LENGTH = 6.0


def with_digits(
    points: SurfacePoints,
    source: PartedMesh,
    target: PartedMesh,
    hands: list[DigitPairs],
    pinned: np.ndarray,
) -> SurfacePoints:
    """A map with digits on their counterparts, which goes over into the map at their roots.

    Parameters
    ----------
    points : SurfacePoints
        On the source, one for each vertex of the target.
    source, target : PartedMesh
    hands : list of DigitPairs
    pinned : (P,) int
        Vertices of the target whose points were chosen; a digit with one of them stays.
    """
    surface = ClosestPoints(source.vertices, source.faces)
    for hand in hands:
        for number, digit in enumerate(hand.target):
            goals = places_on(target, hand.target, number)
            laid = _on_digit(
                source, hand.source[number], places_on(source, hand.source, number), goals
            )
            if laid is None or np.isin(pinned, digit.vertices).any():
                continue
            facing = laid.interpolate(source.normals, source.faces)
            before = points[digit.vertices]
            laid = faded(before, laid, digit.along / ROOT, surface, facing)
            points = points.replaced(digit.vertices, laid)
    return points


def _on_digit(
    source: PartedMesh, digit: Digit, places: np.ndarray, goals: np.ndarray
) -> SurfacePoints | None:
    """Points on a digit whose places (n, 3) on it are nearest to others (m, 3).

    None where it has no triangle of its own.
    """
    number = np.full(len(source.vertices), -1)
    number[digit.vertices] = np.arange(len(digit.vertices))
    corners = number[source.faces]
    own = np.flatnonzero((corners >= 0).all(axis=1))
    if not len(own):
        return None
    scale = [LENGTH, 1.0, 1.0]
    found, _ = ClosestPoints(places * scale, corners[own])(goals * scale)
    return SurfacePoints(own[found.face], found.barycentric)
