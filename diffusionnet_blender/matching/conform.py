"""A mesh takes the shape and pose of another: registration along a map, then projection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..surface.loose_parts import label_mesh_parts
from ..surface.surface import triangle_areas, triangle_vectors
from ..surface.winding import vertex_normals
from .arap import Drawn, RestShape
from .closest import ClosestPoints
from .points import SurfacePoints
from .registration import LEAST_WEIGHT, Schedule, deformed
from .rims import end_on_rim, is_on_rim

# Of the distance to the target against stiffness, in the first round and in the last, for the
# stiffness 1: beyond, the detail of the target decides and edges no longer keep their lengths.
DATA_WEIGHTS = (30.0, 60_000.0)
ROUNDS, ON_MAP = 20, 12
# Vertices whose place on the target is less sure than this follow the others, as inside a mouth.
LEAST_CONFIDENCE = 0.05
# Reach of the closest points in the last round and of the projection, in units of the square root
# of the area.
REACH = 0.02
# Area of a vertex's faces on the target for that at rest, below which the map has folded or crowded
# them so much that it is not followed, and above which it is followed in full.
CROWDED, SPREAD_OUT = 0.1, 0.4
# Degrees between the normals of a vertex and its closest point, and of a face before and after.
MOST_TURNED = 60.0
# Passes in which vertices of faces that the projection turned further go back.
UNFOLDING = 20
# Stiffness of the bridges between loose parts, in units of the edges: an eye follows its head.
BRIDGE_STIFFNESS = 10.0


@dataclass(frozen=True, eq=False)
class Conformed:
    """A mesh on the surface of another.

    Attributes
    ----------
    vertices : (V, 3) float64
        In the space of the target.
    on_target : (V,) bool
        Whether a vertex lies on the target; the others follow their neighbours.
    """

    vertices: np.ndarray
    on_target: np.ndarray


def conform(
    vertices: np.ndarray,
    faces: np.ndarray,
    target: tuple[np.ndarray, np.ndarray],
    points: SurfacePoints,
    confidence: np.ndarray,
    stiffness: float = 1.0,
    detail: float = 1.0,
    progress: Callable[[float], None] = lambda fraction: None,
    watch: Callable[[np.ndarray], None] = lambda vertices: None,
) -> Conformed:
    """Deform a mesh onto a target.

    As-rigid-as-possible registration (Sorkine and Alexa 2007), first to the goals of the map, then
    to closest points that face alike; loose parts are tied to the surface around them. What is
    left of the distance is a projection, which turns no face over. Nothing is drawn to the rim of a
    hole: what belongs there spans it.

    Parameters
    ----------
    vertices : (V, 3) float
    faces : (F, 3) int
    target : ((T, 3) float, (G, 3) int)
        Vertices and faces.
    points : SurfacePoints
        On the target, where each vertex belongs.
    confidence : (V,) float
        Of these, 0 to 1; 0 where the target has no counterpart.
    stiffness : float
        Of the edges, relative to the attraction of the target.
    detail : float
        Share of the remaining distance that the projection covers, 0 to 1.
    progress : callable
        Called with a fraction; may raise to stop.
    watch : callable
        Called with the vertices (V, 3) as they bend, in the space of the target.

    Returns
    -------
    Conformed
    """
    unit = np.sqrt(triangle_areas(*target).sum())
    surface = ClosestPoints(target[0] / unit, target[1])
    rest = _rest_shape(vertices, faces, progress)
    sure = confidence >= LEAST_CONFIDENCE
    confidence = np.where(sure, confidence, 0.0)
    belongs = _Belongs(surface, is_on_rim(vertices, faces))
    first, last = DATA_WEIGHTS
    schedule = Schedule(ROUNDS, ON_MAP, (first / stiffness, last / stiffness), REACH)
    unfolded = np.maximum(confidence * _spread_out(rest, surface, points), LEAST_WEIGHT)
    force = schedule.data_weights[0] * unfolded * rest.mass
    # A map that is less sure as a whole is followed as closely in the end.
    typical = np.median(confidence[sure]) if sure.any() else 1.0
    relative = np.minimum(confidence / typical, 1.0)
    at = deformed(
        rest,
        surface,
        points,
        unfolded,
        schedule,
        free=~sure,
        start=Drawn(rest, force).carried(surface.positions(points), unfolded),
        trust=lambda closest: relative * belongs(closest),
        progress=progress,
        watch=lambda bending: watch(bending * unit),
    )
    at, on_target = _projected(at, faces, surface, sure, belongs, detail)
    return Conformed(at * unit, on_target)


class _Belongs:
    """Which vertices belong at their closest points (V,): those at the rim of a hole lie over it,
    unless they are on a rim of their own mesh, (V,) bool.
    """

    def __init__(self, surface: ClosestPoints, own_rim: np.ndarray):
        self._faces, self._own_rim = surface.faces, own_rim
        self._rim = is_on_rim(surface.vertices, surface.faces)

    def __call__(self, closest: SurfacePoints) -> np.ndarray:
        return self._own_rim | ~end_on_rim(closest, self._faces, self._rim)


def _spread_out(rest: RestShape, surface: ClosestPoints, points: SurfacePoints) -> np.ndarray:
    """How far a map keeps the faces around each vertex apart and in their sense, (V,) 0 to 1."""
    faces, count = rest.faces, len(rest.vertices)
    there = triangle_vectors(surface.positions(points), faces)
    outward = surface.normals[points.face][faces].sum(axis=1)
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), np.finfo(float).tiny)
    areas = np.einsum("fi,fi->f", there, outward), 2 * triangle_areas(rest.vertices, faces)
    around = [np.bincount(faces.ravel(), np.repeat(area, 3), count) for area in areas]
    ratio = around[0] / np.maximum(around[1], np.finfo(float).tiny)
    return np.clip((ratio - CROWDED) / (SPREAD_OUT - CROWDED), 0.0, 1.0)


def _rest_shape(
    vertices: np.ndarray, faces: np.ndarray, progress: Callable[[float], None]
) -> RestShape:
    """The mesh at unit area, its loose parts tied to each other."""
    rest = RestShape.tied(vertices, faces, progress)
    part = label_mesh_parts(len(vertices), faces)
    return replace(
        rest,
        weight=np.where(part[rest.tail] == part[rest.head], 1.0, BRIDGE_STIFFNESS) * rest.weight,
    )


def _projected(
    at: np.ndarray,
    faces: np.ndarray,
    surface: ClosestPoints,
    sure: np.ndarray,
    belongs: _Belongs,
    detail: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) moved onto the surface where that turns no face far, and which those are."""
    points, agrees = surface(at, vertex_normals(at, faces), MOST_TURNED)
    step = surface.positions(points) - at
    on_target = sure & agrees & belongs(points) & (np.linalg.norm(step, axis=1) < REACH)
    step[~on_target] = 0.0
    before = triangle_vectors(at, faces)
    size_before = np.linalg.norm(before, axis=1)
    for _ in range(UNFOLDING):
        moved = at + detail * step
        after = triangle_vectors(moved, faces)
        size = size_before * np.linalg.norm(after, axis=1)
        facing = np.einsum("fi,fi->f", before, after)
        turned = (facing <= np.cos(np.radians(MOST_TURNED)) * size) & (size_before > 0)
        if not turned.any():
            break
        held = np.unique(faces[turned])
        step[held] = 0.0
        on_target[held] = False
    else:
        moved = at
    return moved, on_target
