"""The map of heads, hands and feet, sharpened on all vertices and not on those of the proxies."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...matching.limbs.digit_map import with_digits
from ...matching.limbs.digits import ROOT, DigitPairs, paired_digits
from ...matching.limbs.links import LINKS
from ...matching.limbs.nearest import with_lost_limbs
from ...matching.limbs.parted import PartedMesh
from ...matching.points import SurfacePoints
from ...matching.sharpening import sharpened, with_border
from ...matching.warp import Similarity, size_of
from ...surface.surface import Surface
from .body import BodyParts

# Up to here a digit lies about as the palm does, and from `ROOT` on its map is all its own.
BASE = 0.6


def sharper(
    bodies: tuple[BodyParts | None, BodyParts | None],
    surfaces: tuple[Surface, Surface],
    points: SurfacePoints,
    pinned: np.ndarray,
    progress: Callable[[], None],
    by_skins: bool,
) -> SurfacePoints:
    """The map of two people with heads, hands and feet on one another; the same map for others.

    Parameters
    ----------
    bodies : (BodyParts or None, BodyParts or None)
        Of source and target.
    surfaces : (Surface, Surface)
        In the same places.
    points : SurfacePoints
        On the source's surface, one for each vertex of the target's.
    pinned : (P,) int
        Vertices of the target whose points were chosen.
    progress : callable
        Called between steps; may raise to stop.
    by_skins : bool
        Whether the map is that of two outer skins, on which fingers and toes are one piece, and a
        hand and what it rests on. Otherwise hands and feet stay as they are.
    """
    one, other = bodies
    if one is None or other is None or not (one.is_person and other.is_person):
        return points
    own, theirs = ((surface.vertices, surface.faces) for surface in surfaces)
    heads = one.head(surfaces[0]), other.head(surfaces[1])
    if all(map(len, heads)):
        start = _upright((one, other), (own[0][heads[0]], theirs[0][heads[1]]))
        part = with_border(heads[0], own[0])
        points = sharpened(points, own, theirs, part, pinned, progress, start)
    if not by_skins:
        return points
    progress()
    source, target = one.on(surfaces[0]), other.on(surfaces[1])
    points = with_lost_limbs(points, source, target, pinned)
    rows = source.vertices, points.interpolate(source.vertices, source.faces)
    hands = paired_digits(source, target, *rows, by_form=True)
    points = with_digits(points, source, target, hands, pinned)
    for hand in hands:
        progress()
        # By its digits a palm lies where it belongs, by the map of two skins perhaps not.
        roots = np.concatenate(
            [d.vertices[(d.along > ROOT) & (d.along < BASE)] for d in hand.target]
        )
        if len(roots):
            start = Similarity.between(theirs[0][roots], points[roots].interpolate(*own))
            part = with_border(_palm(source, hand), own[0])
            points = sharpened(points, own, theirs, part, pinned, progress, start)
    return points


def _palm(source: PartedMesh, hand: DigitPairs) -> np.ndarray:
    """Vertices (n,) of the source's hand or foot that are on none of its digits."""
    inside = source.part(LINKS[hand.hand][0]) > 0.5
    inside[np.concatenate([digit.vertices for digit in hand.source])] = False
    return np.flatnonzero(inside)


def _upright(
    bodies: tuple[BodyParts, BodyParts], heads: tuple[np.ndarray, np.ndarray]
) -> Similarity:
    """The head (m, 3) of a target laid on that of a source (n, 3), both figures upright."""
    rotation = bodies[0].frame.T @ bodies[1].frame
    scale = size_of(heads[0]) / max(size_of(heads[1]), float(np.finfo(float).tiny))
    middle = [head.mean(axis=0) for head in heads]
    return Similarity(rotation, scale, middle[0] - scale * rotation @ middle[1])
