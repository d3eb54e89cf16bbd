"""Non-rigid (ARAP) registration of the target to the source, and rigid ICP of congruent shapes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import sparse

from ..surface.factorisation import Factorisation
from ..surface.laplacian import laplacian_and_mass
from ..surface.winding import vertex_normals
from .closest import ClosestPoints
from .points import SurfacePoints, points_at_vertices
from .similarity import similarity
from .spectral import SpectralMesh
from .transfer.shape_keys import nearest_rotations

MOST_TURNED = 60.0
# Limits of the local scale of target to source.
SCALES = (0.5, 2.0)

# Relative weight of the data term at vertices of no confidence, or without a closest point of
# compatible normal within the reach (in units of the square root of the area): where the source
# lacks something, the rigidity of the rest decides.
LEAST_WEIGHT = 1e-3
REACH = 0.15

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
    """

    rounds: int
    on_map: int
    data_weights: tuple[float, float]


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


@dataclass(frozen=True, eq=False)
class RestShape:
    """A mesh that is deformed, with the edges along which it is stiff.

    Attributes
    ----------
    vertices : (V, 3) float
    faces : (F, 3) int
    mass : (V,) float
        Area around each vertex; adds up to 1.
    tail, head : (E,) int
        Ends of the edges.
    weight : (E,) float
        Cotangents, of the intrinsic Delaunay triangulation.
    """

    vertices: np.ndarray
    faces: np.ndarray
    mass: np.ndarray
    tail: np.ndarray
    head: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(
        cls,
        vertices: np.ndarray,
        faces: np.ndarray,
        mass: np.ndarray,
        bridges: sparse.spmatrix | None = None,
        progress: Callable[[float], None] = lambda fraction: None,
    ) -> RestShape:
        """A mesh at rest.

        Parameters
        ----------
        vertices : (V, 3) float
        faces : (F, 3) int
        mass : (V,) float
        bridges : (V, V) sparse, optional
            Laplacian of further edges, as between loose parts.
        progress : callable
            Called with 0; may raise to stop.
        """
        laplacian, _ = laplacian_and_mass(vertices, faces, lambda fraction: progress(0.0))
        if bridges is not None:
            laplacian = laplacian + bridges
        edges = sparse.triu(-laplacian, 1).tocoo()
        kept = edges.data > 0
        return cls(vertices, faces, mass, edges.row[kept], edges.col[kept], edges.data[kept])


def deformed(
    rest: RestShape,
    surface: ClosestPoints,
    points: SurfacePoints,
    confidence: np.ndarray,
    schedule: Schedule,
    fixed: tuple[np.ndarray, np.ndarray] | None = None,
    free: np.ndarray | None = None,
    progress: Callable[[float], None] = lambda fraction: None,
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
    progress : callable
        Called with a fraction; may raise to stop.

    Returns
    -------
    (V, 3) float64
    """
    tail, head, weight = rest.tail, rest.head, rest.weight
    stiffness = _graph_laplacian(len(rest.vertices), tail, head, weight)
    ends = _ends_of_edges(len(rest.vertices), tail, head)
    goal, reliable = surface.positions(points), np.maximum(confidence, LEAST_WEIGHT)
    # Vertices without a partner on the source start by the similarity of the rest, not in a heap.
    aligned = _aligned(rest.vertices, goal, reliable * rest.mass)
    at = reliable[:, None] * goal + (1 - reliable[:, None]) * aligned
    first_weight, last_weight = schedule.data_weights
    for round_number in range(schedule.rounds):
        done = round_number / schedule.rounds
        progress(done)
        if round_number >= schedule.on_map:
            points, agrees = surface(at, vertex_normals(at, rest.faces), MOST_TURNED)
            goal = surface.positions(points)
            near = np.linalg.norm(goal - at, axis=1) < REACH
            reliable = np.where(agrees & near, 1.0, LEAST_WEIGHT)
        growth = (last_weight / first_weight) ** (round_number / (schedule.rounds - 1))
        data_weight = first_weight * growth * reliable * rest.mass
        if free is not None:
            data_weight[free] *= LEAST_WEIGHT
        if fixed is not None:
            goal[fixed[0]] = fixed[1]
            data_weight[fixed[0]] = 10 * last_weight * rest.mass[fixed[0]]
        factor = Factorisation(
            stiffness + sparse.diags(data_weight), partial(progress, done), definite=True
        )
        for _ in range(3):
            rotated = _rotated_edges(rest, at, ends)
            at = factor.solve(rotated + data_weight[:, None] * goal)
    return at


def _aligned(rest: np.ndarray, goal: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """A shape (V, 3) after the similarity that fits its goals (V, 3) best."""
    rotation, scale, shift = similarity(rest, goal, weight)
    return scale * rest @ rotation.T + shift


def _graph_laplacian(
    count: int, tail: np.ndarray, head: np.ndarray, weight: np.ndarray
) -> sparse.csr_matrix:
    """Laplacian (count, count) of edges (E,) to (E,) with weights (E,)."""
    rows = np.concatenate([tail, head, tail, head])
    columns = np.concatenate([head, tail, tail, head])
    entries = np.concatenate([-weight, -weight, weight, weight])
    return sparse.csr_matrix((entries, (rows, columns)), shape=(count, count))


def _ends_of_edges(count: int, tail: np.ndarray, head: np.ndarray) -> sparse.csr_matrix:
    """Which vertices are ends of edges (E,) to (E,), (count, E): a sum over those of each."""
    edge = np.tile(np.arange(len(tail)), 2)
    entries = np.ones(len(edge)), (np.concatenate([tail, head]), edge)
    return sparse.csr_matrix(entries, shape=(count, len(tail)))


def _rotated_edges(rest: RestShape, at: np.ndarray, ends: sparse.csr_matrix) -> np.ndarray:
    """Right-hand side (V, 3) of ARAP's global step, with the local step.

    That is the divergence of the edges at rest under the rotations and scales of their ends, for
    deformed positions (V, 3).
    """
    tail, head, weight = rest.tail, rest.head, rest.weight
    before, after = rest.vertices[tail] - rest.vertices[head], at[tail] - at[head]
    count = len(at)
    product = (weight[:, None, None] * after[:, :, None] * before[:, None]).reshape(-1, 9)
    rotation = nearest_rotations((ends @ product).reshape(-1, 3, 3))
    # Sizes vary slowly: the scale of a vertex is that of its neighbours' neighbours.
    squares = np.stack([weight * np.square(e).sum(axis=1) for e in (before, after)], axis=1)
    squares = ends @ (ends.T @ (ends @ (ends.T @ (ends @ squares))))
    scale = np.sqrt(squares[:, 1] / np.maximum(squares[:, 0], np.finfo(float).tiny))
    linear = np.clip(scale, *SCALES)[:, None, None] * rotation
    half = 0.5 * weight[:, None] * np.einsum("eij,ej->ei", linear[tail] + linear[head], before)
    right = np.empty((count, 3))
    for axis in range(3):
        right[:, axis] = np.bincount(tail, half[:, axis], count) - np.bincount(
            head, half[:, axis], count
        )
    return right
