"""Garments of one body fitted to another: each vertex keeps its place relative to the skin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ..surface.edges import edges_of_sides
from ..surface.loose_parts import label_mesh_parts
from ..surface.surface import triangle_areas
from ..surface.triangles import compact
from .arap import Drawn, RestShape
from .clearance import pushed_out
from .closest import ClosestPoints
from .in_place import Placement
from .means import Mean
from .points import SurfacePoints, points_at_vertices
from .similarity import similarity
from .skin import Skin
from .transfer.shape_keys import nearest_rotations, vertex_rotations

# Of the place relative to the body against stiffness: with less, cloth shrinks into hollows.
FORCE = 3000.0
LEAST_FORCE = 1e-4
STEPS = 12
# Of the places that cloth was pushed to.
SETTLING, SETTLING_STEPS = 1000.0, 6
# Edges of a body over which its frames are averaged, and the logarithm of the stretch of edges at
# which a body that is bent unevenly counts for a third.
SPREAD = 4
UNEVEN = 0.5
# In units of the square root of the body's area: loose parts no longer than this are stiff, as
# buttons and buckles, and those that are nearer than `ON_CLOTH` to cloth sit on it.
SMALL = 0.03
ON_CLOTH = 0.015
# Rounds in which stiff pieces are lifted off the skin. A mean normal beneath one that is shorter is
# that of a piece that goes around something.
LIFTS, AROUND = 6, 0.3
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
    points = _as_neighbours(nearest, confidence, vertices)
    goal = carried(points, vertices, body, shape)
    piece = _pieces(vertices, faces, SMALL * unit, stiff)
    own = np.flatnonzero(piece < 0)
    cloth, _ = compact(len(vertices), faces[(piece[faces] < 0).all(axis=1)])
    height, _ = Skin(*body).above(nearest, vertices, np.zeros_like(vertices))
    rooted = height < -unit * np.where(
        False if hair is None else hair, ROOTS, AMID if amid_layers else INNER
    )
    skin = Skin(shape, body[1])
    at = goal.copy()
    if len(own):
        sure = confidence * nearest.interpolate(_evenness(body, shape), body[1])
        drawn = _Cloth(vertices[own], cloth, lambda *_: progress(0.3))
        at[own] = drawn(goal[own], FORCE * sure[own], STEPS)
        # What is pushed out takes its surroundings along, and comes back under by little.
        for start, force in ((0.4, None), (0.7, SETTLING)):
            if force is not None:
                at[own] = drawn(at[own], force, SETTLING_STEPS)
            at[own] = pushed_out(
                at[own], cloth, skin, gap, rooted[own], _part_of(progress, start, 0.3)
            )
    at = _with_pieces(at, garments, (own, cloth), piece, ON_CLOTH * unit)
    _lift(at, piece, rooted, skin, gap)
    return Refitted(at, confidence)


def carried(
    points: SurfacePoints,
    vertices: np.ndarray,
    surface: tuple[np.ndarray, np.ndarray],
    shape: np.ndarray,
) -> np.ndarray:
    """Places (N, 3) of vertices relative to a surface that takes another shape.

    Parameters
    ----------
    points : SurfacePoints
        On the surface, one for each vertex.
    vertices : (N, 3) float
    surface : ((B, 3) float, (G, 3) int)
    shape : (B, 3) float
        Its vertices in the other shape.
    """
    before, faces = surface
    same = points_at_vertices(np.arange(len(before)), faces)
    rotation, scale = vertex_rotations(same, (shape, faces), surface)
    mean = Mean(len(before), faces)
    # A body is never bent without noise, and an offset must not magnify it.
    frame = np.concatenate([rotation.reshape(-1, 9), np.log(scale)[:, None]], axis=1)
    at = points.interpolate(mean(frame, SPREAD), faces)
    turned = nearest_rotations(at[:, :9].reshape(-1, 3, 3))
    offset = vertices - points.interpolate(before, faces)
    offset = np.einsum("vij,vj->vi", turned, offset) / np.exp(at[:, 9:])
    return points.interpolate(shape, faces) + offset


def _evenness(surface: tuple[np.ndarray, np.ndarray], shape: np.ndarray) -> np.ndarray:
    """How evenly a surface is stretched around each vertex in another shape, (B,), 1 to 0."""
    before, faces = surface
    edges, _ = edges_of_sides(faces)
    lengths = [np.linalg.norm(x[edges[:, 0]] - x[edges[:, 1]], axis=1) for x in (before, shape)]
    tiny = 1e-6 * np.median(lengths[0])
    stretch = np.log(np.maximum(lengths[1], tiny) / np.maximum(lengths[0], tiny))
    squares = np.square(stretch - np.median(stretch))
    total = np.bincount(edges.ravel(), np.repeat(squares, 2), minlength=len(before))
    count = np.maximum(np.bincount(edges.ravel(), minlength=len(before)), 1)
    return np.exp(-Mean(len(before), faces)(total / count, SPREAD) / UNEVEN**2)


def _as_neighbours(
    points: SurfacePoints, confidence: np.ndarray, vertices: np.ndarray
) -> SurfacePoints:
    """Points of the body, with those of the nearest sure vertex where one is not sure.

    So the hem of a skirt starts out where its waist takes it, and not with a hand beside it.
    """
    unsure = np.flatnonzero(confidence <= 0)
    sure = np.flatnonzero(confidence > 0)
    if not len(sure) or not len(unsure):
        return points
    nearest = sure[cKDTree(vertices[sure]).query(vertices[unsure])[1]]
    return points.replaced(unsure, points[nearest])


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


def _pieces(
    vertices: np.ndarray, faces: np.ndarray, longest: float, stiff: np.ndarray | None
) -> np.ndarray:
    """Number of the stiff piece of each vertex, (V,) int, and -1 for cloth."""
    part = label_mesh_parts(len(vertices), faces)
    low, high = (np.full((part.max() + 1, 3), each) for each in (np.inf, -np.inf))
    np.minimum.at(low, part, vertices)
    np.maximum.at(high, part, vertices)
    small = np.linalg.norm(high - low, axis=1) <= longest
    piece = np.where(small[part], part, -1)
    return piece if stiff is None else np.where(stiff >= 0, len(small) + stiff, piece)


def _with_pieces(
    at: np.ndarray,
    garments: tuple[np.ndarray, np.ndarray],
    cloth: tuple[np.ndarray, np.ndarray],
    piece: np.ndarray,
    reach: float,
) -> np.ndarray:
    """Vertices (V, 3) with each stiff piece moved as a whole, with the cloth that it sits on."""
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
        goal[loose] = np.where((least[number] <= reach)[:, None], on_cloth, goal[loose])
    for one in np.unique(piece[loose]):
        members = np.flatnonzero(piece == one)
        rotation, scale, shift = similarity(vertices[members], goal[members])
        goal[members] = scale * vertices[members] @ rotation.T + shift
    return goal


def _lift(at: np.ndarray, piece: np.ndarray, rooted: np.ndarray, skin: Skin, gap: float) -> None:
    """Lift stiff pieces off the skin, in place: each as a whole, away from the body."""
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
