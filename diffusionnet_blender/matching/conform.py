"""A mesh takes the shape and pose of another: registration along a map, then projection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..surface.loose_parts import label_mesh_parts
from ..surface.surface import triangle_areas, triangle_vectors
from ..surface.winding import vertex_normals
from .arap import RestShape
from .closest import ClosestPoints
from .points import SurfacePoints
from .registration import Schedule, deformed

# Of the distance to the target against stiffness, in the first round and in the last, for the
# stiffness 1: beyond, the detail of the target decides and edges no longer keep their lengths.
DATA_WEIGHTS = (30.0, 60_000.0)
ROUNDS, ON_MAP = 20, 12
# Vertices whose place on the target is less sure than this follow the others, as inside a mouth.
LEAST_CONFIDENCE = 0.05
# Reach of the projection, in units of the square root of the area.
REACH = 0.02
MOST_TURNED = 60.0
# Passes in which vertices of faces that the projection turned over go back.
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
    left of the distance is a projection, which turns no face over.

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
    first, last = DATA_WEIGHTS
    schedule = Schedule(ROUNDS, ON_MAP, (first / stiffness, last / stiffness))
    sure = confidence >= LEAST_CONFIDENCE
    at = deformed(
        rest,
        surface,
        points,
        np.where(sure, confidence, 0.0),
        schedule,
        free=~sure,
        progress=progress,
        watch=lambda bending: watch(bending * unit),
    )
    at, on_target = _projected(at, faces, surface, sure, detail)
    return Conformed(at * unit, on_target)


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
    detail: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) moved onto the surface where that turns no face over, and which those are."""
    points, agrees = surface(at, vertex_normals(at, faces), MOST_TURNED)
    step = surface.positions(points) - at
    on_target = sure & agrees & (np.linalg.norm(step, axis=1) < REACH)
    step[~on_target] = 0.0
    before = triangle_vectors(at, faces)
    for _ in range(UNFOLDING):
        moved = at + detail * step
        after = triangle_vectors(moved, faces)
        turned = np.einsum("fi,fi->f", before, after) <= 0
        turned &= np.einsum("fi,fi->f", before, before) > 0
        if not turned.any():
            break
        held = np.unique(faces[turned])
        step[held] = 0.0
        on_target[held] = False
    else:
        moved = at
    return moved, on_target
