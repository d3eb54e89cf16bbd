"""The map of heads and hands, sharpened on all vertices and not those of the proxies alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...matching.limbs.digit_map import with_digits
from ...matching.limbs.digits import ROOT, paired_digits
from ...matching.limbs.links import LINKS
from ...matching.limbs.nearest import with_lost_limbs
from ...matching.points import SurfacePoints
from ...matching.sharpening import sharpened, with_border
from ...matching.warp import Similarity, size_of
from ...surface.surface import Surface
from .body import BodyParts


def sharper_heads(
    bodies: tuple[BodyParts | None, BodyParts | None],
    surfaces: tuple[Surface, Surface],
    points: SurfacePoints,
    pinned: np.ndarray,
    progress: Callable[[], None],
) -> SurfacePoints:
    """The map of two people with their heads laid on one another; the same map for others.

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
    """
    one, other = bodies
    if one is None or other is None or not (one.is_person and other.is_person):
        return points
    own, theirs = ((surface.vertices, surface.faces) for surface in surfaces)
    heads = one.head(surfaces[0]), other.head(surfaces[1])
    if not all(map(len, heads)):
        return points
    start = _upright((one, other), (own[0][heads[0]], theirs[0][heads[1]]))
    part = with_border(heads[0], own[0])
    return sharpened(points, own, theirs, part, pinned, progress, start)


def sharper_hands(
    bodies: tuple[BodyParts | None, BodyParts | None],
    surfaces: tuple[Surface, Surface],
    points: SurfacePoints,
    pinned: np.ndarray,
    progress: Callable[[], None],
) -> SurfacePoints:
    """The map of two people with fingers, toes, palms and feet laid on one another.

    What it took to another part of the body comes to its own one before. Parameters and the map of
    others are those of `sharper_heads`.
    """
    one, other = bodies
    if one is None or other is None or not (one.is_person and other.is_person):
        return points
    source, target = one.on(surfaces[0]), other.on(surfaces[1])
    progress()
    points = with_lost_limbs(points, source, target, pinned)
    rows = source.vertices, points.interpolate(source.vertices, source.faces)
    hands = paired_digits(source, target, *rows)
    points = with_digits(points, source, target, hands, pinned)
    progress()
    own, theirs = ((surface.vertices, surface.faces) for surface in surfaces)
    for hand in hands:
        palm = source.part(LINKS[hand.hand][0]) > 0.5
        palm[np.concatenate([digit.vertices for digit in hand.source])] = False
        part = with_border(np.flatnonzero(palm), own[0])
        knuckles = np.concatenate([digit.vertices[digit.along < ROOT] for digit in hand.target])
        images = points[knuckles].interpolate(*own)
        start = Similarity.between(theirs[0][knuckles], images)
        points = sharpened(points, own, theirs, part, pinned, progress, start)
    return points


def _upright(
    bodies: tuple[BodyParts, BodyParts], heads: tuple[np.ndarray, np.ndarray]
) -> Similarity:
    """The head (m, 3) of a target laid on that of a source (n, 3), both figures upright."""
    rotation = bodies[0].frame.T @ bodies[1].frame
    scale = size_of(heads[0]) / max(size_of(heads[1]), float(np.finfo(float).tiny))
    middle = [head.mean(axis=0) for head in heads]
    return Similarity(rotation, scale, middle[0] - scale * rotation @ middle[1])
