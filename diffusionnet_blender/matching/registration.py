"""Non-rigid (ARAP) registration of the target to the source, and rigid ICP of congruent shapes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..surface.winding import vertex_normals
from .arap import Drawn, RestShape
from .closest import ClosestPoints
from .points import SurfacePoints, points_at_vertices
from .similarity import similarity
from .spectral import SpectralMesh

MOST_TURNED = 60.0
# Relative weight of the data term at vertices of no confidence, or without a closest point of
# compatible normal within the reach (in units of the square root of the area): where the source
# lacks something, the rigidity of the rest decides.
LEAST_WEIGHT = 1e-3
REACH = 0.15
# Local and global steps in each round.
STEPS = 3

# Root mean square residual of a rigid fit, in units of the square root of the area, below which two
# shapes are the same surface in other triangles.
CONGRUENT = 0.01
RIGID_ROUNDS = 30
# Vertices by which shapes that are not congruent are told before all of them are fitted.
SAMPLED = 500
# A fit whose residual is larger than this and no longer falls to so much of itself in a round does
# not become one of the same surface.
FAR_FROM_CONGRUENT, SETTLED = 0.03, 0.99


@dataclass(frozen=True)
class Schedule:
    """Rounds and weights of a registration.

    Attributes
    ----------
    rounds : int
    on_map : int
        First rounds, in which the goals are those of the map; closest points follow.
    data_weights : (float, float)
        Of the distance to the source against stiffness, in the first round and in the last.
    last_reach : float
        Of closest points in the last round; it falls to that from `REACH`.
    """

    rounds: int
    on_map: int
    data_weights: tuple[float, float]
    last_reach: float = REACH

    def reach(self, round_number: int) -> float:
        """How far the closest points of a round may be."""
        done = (round_number - self.on_map) / max(self.rounds - 1 - self.on_map, 1)
        return float(REACH * (self.last_reach / REACH) ** done)


# For a map that is right at large: in the first rounds a vertex slides to where the surface around
# it fits; the last bring it onto the source.
SLIDING = Schedule(rounds=16, on_map=2, data_weights=(500.0, 5000.0))
# For a map that is right but for the noise of single vertices: sliding would lose accuracy.
SETTLING = Schedule(rounds=9, on_map=8, data_weights=(2000.0, 20000.0))


def congruent_map(
    source: SpectralMesh, target: SpectralMesh, target_to_source: SurfacePoints
) -> SurfacePoints | None:
    """The map by rigid ICP (Besl and McKay 1992), if the target is the source in other triangles.

    A mesh and its retopology are the same surface: spectral maps are off by some edges there,
    closest points are exact.

    Parameters
    ----------
    source, target : SpectralMesh
    target_to_source : SurfacePoints
        To start from.

    Returns
    -------
    SurfacePoints or None
        None where the shapes differ.
    """
    surface = ClosestPoints(source.vertices, source.faces)
    normals = vertex_normals(target.vertices, target.faces)
    step = max(len(target.vertices) // SAMPLED, 1)
    points, residual = target_to_source, np.inf
    for every in (step, 1) if step > 1 else (1,):
        some = slice(None, None, every)
        points, residual = _rigidly_fitted(
            surface, target.vertices[some], normals[some], target.mass[some], target_to_source[some]
        )
        # A sample of noisy shapes is not more than nearly as close.
        if residual > 2 * CONGRUENT:
            return None
    return points if residual < CONGRUENT else None


def _rigidly_fitted(
    surface: ClosestPoints,
    vertices: np.ndarray,
    normals: np.ndarray,
    mass: np.ndarray,
    points: SurfacePoints,
) -> tuple[SurfacePoints, float]:
    """Closest points of vertices (V, 3) after rigid ICP with scale, and the residual.

    The residual is infinite where it stays far from that of congruent shapes.
    """
    residual, mass = np.inf, mass / mass.sum()
    for _ in range(RIGID_ROUNDS):
        rotation, scale, shift = similarity(vertices, surface.positions(points), mass)
        at = scale * vertices @ rotation.T + shift
        points, _ = surface(at, normals @ rotation.T, MOST_TURNED)
        squares = np.square(surface.positions(points) - at).sum(axis=1)
        before = residual
        # Relative to the size after the fit: a shape that shrinks to a point is near to anything.
        residual = float(np.sqrt(mass @ squares) / max(scale, np.finfo(float).tiny))
        if residual > FAR_FROM_CONGRUENT and residual > SETTLED * before:
            return points, np.inf
    return points, residual


def register(
    source: SpectralMesh,
    target: SpectralMesh,
    target_to_source: SurfacePoints,
    confidence: np.ndarray,
    pins: tuple[np.ndarray, np.ndarray] | None = None,
    progress: Callable[[float], None] = lambda fraction: None,
    schedule: Schedule = SLIDING,
    settled: Callable[[np.ndarray], SurfacePoints] | None = None,
) -> SurfacePoints:
    """The map after an as-rigid-as-possible deformation of the target to the source.

    Sorkine and Alexa 2007, with a local scale for each neighbourhood: the shape of limbs is kept,
    not their size. The data term of each round is the distance to the closest points of the source
    with compatible normals.

    Parameters
    ----------
    source, target : SpectralMesh
    target_to_source : SurfacePoints
        The map to start from.
    confidence : (V_t,) float
        Weight of the map's goal at each vertex.
    pins : pair of (P,) int, optional
        Vertices of source and target that correspond exactly.
    progress : callable
        Called with a fraction; may raise to stop.
    schedule : Schedule
    settled : callable, optional
        From the deformed target, (V_t, 3), to its points on the source; by default the closest ones
        with compatible normals.

    Returns
    -------
    SurfacePoints
    """
    surface = ClosestPoints(source.vertices, source.faces)
    rest = RestShape.of(target.vertices, target.faces, target.mass, progress=progress)
    fixed = None if pins is None else (pins[1], source.vertices[pins[0]])
    at = deformed(rest, surface, target_to_source, confidence, schedule, fixed, progress=progress)
    if settled is None:
        points = surface(at, vertex_normals(at, target.faces), MOST_TURNED)[0]
    else:
        points = settled(at)
    if pins is None:
        return points
    exact = points_at_vertices(pins[0], source.faces)
    points.face[pins[1]], points.barycentric[pins[1]] = exact.face, exact.barycentric
    return points


def deformed(
    rest: RestShape,
    surface: ClosestPoints,
    points: SurfacePoints,
    confidence: np.ndarray,
    schedule: Schedule,
    fixed: tuple[np.ndarray, np.ndarray] | None = None,
    free: np.ndarray | None = None,
    start: np.ndarray | None = None,
    trust: Callable[[SurfacePoints], np.ndarray] | None = None,
    progress: Callable[[float], None] = lambda fraction: None,
    watch: Callable[[np.ndarray], None] = lambda vertices: None,
) -> np.ndarray:
    """A shape after an as-rigid-as-possible deformation onto a surface, see `register`.

    Parameters
    ----------
    rest : RestShape
    surface : ClosestPoints
    points : SurfacePoints
        On the surface, the goal of each vertex in the first rounds.
    confidence : (V,) float
        Weight of these goals.
    schedule : Schedule
    fixed : ((P,) int, (P, 3) float), optional
        Vertices whose positions are given, and these.
    free : (V,) bool, optional
        Vertices that only follow the others.
    start : (V, 3) float, optional
        By default the goals, where they are trusted, and the rest by the similarity to them.
    trust : callable, optional
        From the closest points of all vertices to a weight of each, (V,); by default 1.
    progress : callable
        Called with a fraction; may raise to stop.
    watch : callable
        Called with the vertices (V, 3) after each round.

    Returns
    -------
    (V, 3) float64
    """
    goal, reliable = surface.positions(points), np.maximum(confidence, LEAST_WEIGHT)
    at = start
    if at is None:
        # Vertices without a partner on the source start by the similarity, not in a heap.
        aligned = _aligned(rest.vertices, goal, reliable * rest.mass)
        at = reliable[:, None] * goal + (1 - reliable[:, None]) * aligned
    first_weight, last_weight = schedule.data_weights
    for round_number in range(schedule.rounds):
        done = round_number / schedule.rounds
        progress(done)
        if round_number >= schedule.on_map:
            points, agrees = surface(at, vertex_normals(at, rest.faces), MOST_TURNED)
            goal = surface.positions(points)
            near = np.linalg.norm(goal - at, axis=1) < schedule.reach(round_number)
            trusted = 1.0 if trust is None else trust(points)
            reliable = np.where(agrees & near, np.maximum(trusted, LEAST_WEIGHT), LEAST_WEIGHT)
        growth = (last_weight / first_weight) ** (round_number / (schedule.rounds - 1))
        data_weight = first_weight * growth * reliable * rest.mass
        if free is not None:
            data_weight[free] *= LEAST_WEIGHT
        if fixed is not None:
            goal[fixed[0]] = fixed[1]
            data_weight[fixed[0]] = 10 * last_weight * rest.mass[fixed[0]]
        at = Drawn(rest, data_weight, partial(progress, done))(at, goal, STEPS)
        watch(at)
    return at


def _aligned(rest: np.ndarray, goal: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """A shape (V, 3) after the similarity that fits its goals (V, 3) best."""
    rotation, scale, shift = similarity(rest, goal, weight)
    return scale * rest @ rotation.T + shift
