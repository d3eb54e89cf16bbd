"""Garments of one body fitted to another: each vertex keeps its place relative to the skin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..surface.surface import triangle_areas
from ..surface.triangles import compact
from .arap import Drawn, RestShape
from .clearance import pushed_out
from .in_place import Placement
from .relative import as_neighbours, carried, evenness
from .skin import Skin
from .stiff_pieces import lift, pieces_of, with_pieces

# Of the place relative to the body against stiffness: with less, cloth shrinks into hollows.
FORCE = 3000.0
LEAST_FORCE = 1e-4
STEPS = 12
# Of the places that cloth was pushed to.
SETTLING, SETTLING_STEPS = 1000.0, 6
# What is deeper than this under the skin of its own body is there on purpose, as an inner sole; of
# hair, what is deeper than `ROOTS`; amid layers, nothing down to `AMID`.
INNER, ROOTS, AMID = 0.01, 0.003, 0.025


@dataclass(frozen=True, eq=False)
class Refitted:
    """Garments on another body.

    Attributes
    ----------
    vertices : (V, 3) float64
    near : (V,) float64
        How sure the place relative to the body is, 0 to 1; at 0 the garment around decides.
    """

    vertices: np.ndarray
    near: np.ndarray


def refit(
    garments: tuple[np.ndarray, np.ndarray],
    body: tuple[np.ndarray, np.ndarray],
    shape: np.ndarray,
    stiff: np.ndarray | None = None,
    hair: np.ndarray | None = None,
    gap: float = 0.0,
    amid_layers: bool = False,
    progress: Callable[[float], None] = lambda fraction: None,
) -> Refitted:
    """Fit garments to a body that takes another shape.

    A vertex keeps its offset from the nearest point of the skin, in the local frame and scale
    there. Where no body is near, as below the waist of a skirt, the garment follows as rigidly as
    it can (Sorkine and Alexa 2007). Small loose parts keep their form. What is then beneath the
    skin is pushed out, with all layers above it.

    Parameters
    ----------
    garments : ((V, 3) float, (F, 3) int)
        Vertices and faces of all of them, welded.
    body : ((B, 3) float, (G, 3) int)
        The body that they lie on, facing outward.
    shape : (B, 3) float
        Its vertices on the other body.
    stiff : (V,) int, optional
        Number of the stiff thing that a vertex belongs to, as glasses, and -1 for cloth.
    hair : (V,) bool, optional
        Vertices of hair, which has roots.
    gap : float
        Least height above the skin, in the unit of the other body.
    amid_layers : bool
        Whether the body does not lie beneath all garments, but amid them.
    progress : callable
        Called with a fraction; may raise to stop.

    Returns
    -------
    Refitted
    """
    vertices, faces = garments
    unit = np.sqrt(triangle_areas(*body).sum())
    nearest, confidence = Placement(body, garments).map()
    progress(0.2)
    points = as_neighbours(nearest, confidence, vertices)
    goal = carried(points, vertices, body, shape)
    piece = pieces_of(vertices, faces, unit, stiff)
    own = np.flatnonzero(piece < 0)
    cloth, _ = compact(len(vertices), faces[(piece[faces] < 0).all(axis=1)])
    height, _ = Skin(*body).above(nearest, vertices, np.zeros_like(vertices))
    rooted = height < -unit * np.where(
        False if hair is None else hair, ROOTS, AMID if amid_layers else INNER
    )
    skin = Skin(shape, body[1])
    at = goal.copy()
    if len(own):
        sure = confidence * nearest.interpolate(evenness(body, shape), body[1])
        drawn = _Cloth(vertices[own], cloth, lambda *_: progress(0.3))
        at[own] = drawn(goal[own], FORCE * sure[own], STEPS)
        # What is pushed out takes its surroundings along, and comes back under by little.
        for start, force in ((0.4, None), (0.7, SETTLING)):
            if force is not None:
                at[own] = drawn(at[own], force, SETTLING_STEPS)
            at[own] = pushed_out(
                at[own], cloth, skin, gap, rooted[own], _part_of(progress, start, 0.3)
            )
    at = with_pieces(at, garments, (own, cloth), piece, unit)
    lift(at, piece, rooted, skin, gap)
    return Refitted(at, confidence)


class _Cloth:
    """Cloth that is drawn to places, and resists as rigidly as it can."""

    def __init__(self, vertices: np.ndarray, faces: np.ndarray, waiting: Callable[..., None]):
        self._rest, self._waiting = RestShape.tied(vertices, faces, waiting), waiting
        extents = [np.linalg.norm(np.ptp(x, axis=0)) for x in (vertices, self._rest.vertices)]
        self._size = extents[0] / extents[1]

    def __call__(self, goal: np.ndarray, force: np.ndarray | float, steps: int) -> np.ndarray:
        """Vertices (V, 3) drawn to places (V, 3) with a force for each."""
        weight = self._rest.mass * np.maximum(force, FORCE * LEAST_FORCE)
        at = goal / self._size
        return self._size * Drawn(self._rest, weight, self._waiting)(at, at, steps)


def _part_of(
    progress: Callable[[float], None], start: float, share: float
) -> Callable[[float], None]:
    """Progress of a step of a task."""
    return lambda fraction: progress(start + share * fraction)
