"""The map of heads, hands and feet, sharpened on all vertices and not on those of the proxies."""

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

# Up to here a digit lies about as the palm does, and from `ROOT` on its map is all its own.
BASE = 0.6


def sharper(
    bodies: tuple[BodyParts | None, BodyParts | None],
    surfaces: tuple[Surface, Surface],
    points: SurfacePoints,
    pinned: np.ndarray,
    by_skins: bool,
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
    by_skins : bool
        Whether the map is that of two outer skins, on which fingers and toes are one piece, and a
        hand and what it rests on: hands and feet are laid on one another as well.
    progress : callable
        Called between steps; may raise to stop.
    """
    one, other = bodies
    if one is None or other is None or not (one.is_person and other.is_person):
        return points
    points = _with_heads((one, other), surfaces, points, pinned, progress)
    if by_skins:
        points = _with_hands((one, other), surfaces, points, pinned, progress)
    return points


def _with_heads(
    bodies: tuple[BodyParts, BodyParts],
    surfaces: tuple[Surface, Surface],
    points: SurfacePoints,
    pinned: np.ndarray,
    progress: Callable[[], None],
) -> SurfacePoints:
    own, theirs = ((surface.vertices, surface.faces) for surface in surfaces)
    heads = [body.head(surface) for body, surface in zip(bodies, surfaces, strict=True)]
    if not all(map(len, heads)):
        return points
    start = _upright(bodies, (own[0][heads[0]], theirs[0][heads[1]]))
    part = with_border(heads[0], own[0])
    return sharpened(points, own, theirs, part, pinned, progress, start)


def _with_hands(
    bodies: tuple[BodyParts, BodyParts],
    surfaces: tuple[Surface, Surface],
    points: SurfacePoints,
    pinned: np.ndarray,
    progress: Callable[[], None],
) -> SurfacePoints:
    """The map with fingers, toes, palms and feet on their own ones, and first with lost limbs."""
    source, target = (body.on(each) for body, each in zip(bodies, surfaces, strict=True))
    progress()
    points = with_lost_limbs(points, source, target, pinned)
    rows = source.vertices, points.interpolate(source.vertices, source.faces)
    hands = paired_digits(source, target, *rows, by_form=True)
    points = with_digits(points, source, target, hands, pinned)
    progress()
    own, theirs = ((surface.vertices, surface.faces) for surface in surfaces)
    for hand in hands:
        palm = source.part(LINKS[hand.hand][0]) > 0.5
        palm[np.concatenate([digit.vertices for digit in hand.source])] = False
        part = with_border(np.flatnonzero(palm), own[0])
        # By its digits a palm lies where it belongs, by the map of two skins perhaps not.
        roots = np.concatenate(
            [d.vertices[(d.along > ROOT) & (d.along < BASE)] for d in hand.target]
        )
        if not len(roots):
            continue
        start = Similarity.between(theirs[0][roots], points[roots].interpolate(*own))
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
