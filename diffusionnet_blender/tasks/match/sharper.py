"""The map between two heads, sharpened on all vertices and not those of the proxies alone."""

from __future__ import annotations

from collections.abc import Callable

from ...matching.points import SurfacePoints
from ...matching.sharpening import sharpened
from .side import Side


def sharper_heads(
    source: Side, target: Side, points: SurfacePoints, progress: Callable[[], None]
) -> SurfacePoints:
    """The map of two people with their heads laid on one another; the same map for others.

    Parameters
    ----------
    source, target : Side
    points : SurfacePoints
        On the repaired source, one for each vertex of the repaired target.
    progress : callable
        Called between steps; may raise to stop.
    """
    one, two = source.of_body, target.of_body
    if one is None or two is None or not (one.is_person and two.is_person):
        return points
    own, other = source.surface, target.surface
    return sharpened(
        points,
        (own.vertices, own.faces),
        (other.vertices, other.faces),
        one.head(own),
        target.pinned,
        progress,
    )
