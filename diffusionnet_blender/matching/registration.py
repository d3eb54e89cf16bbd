"""The last stage: the target laid onto the source in space, bending as little as it can."""

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
# Local scales of target to source that are believed.
SCALES = (0.5, 2.0)

# Share of the pull on what the map is not sure of, or what finds nothing that faces its way within
# the reach (in units of the square root of the area): where the source lacks something, the rest of
# the body takes it along.
LEAST_TRUST = 1e-3
REACH = 0.15

# Root mean square distance left after a rigid fit, in units of the square root of the area, below
# which two shapes are one and the same in other triangles.
CONGRUENT = 0.01
RIGID_ROUNDS = 30


@dataclass(frozen=True)
class Course:
    """How the target is laid down.

    Attributes
    ----------
    rounds : int
    on_map : int
        Rounds that follow the map alone before closest points are looked for.
    pulls : (float, float)
        Towards the source against stiffness, of the first round and of the last.
    """

    rounds: int
    on_map: int
    pulls: tuple[float, float]


# Of a map that is roughly right: the first rounds let a vertex slide to where the surface around it
# fits; the last lay it down.
SLIDING = Course(rounds=16, on_map=2, pulls=(500.0, 5000.0))
# Of a map that is right but for the noise of single vertices: sliding would only lose it.
SETTLING = Course(rounds=9, on_map=8, pulls=(2000.0, 20000.0))


def congruent_map(
    source: SpectralMesh, target: SpectralMesh, target_to_source: SurfacePoints
) -> SurfacePoints | None:
    """The map by position alone, if the target is the source in other triangles.

    A mesh and its retopology have the same form: what the spectrum leaves undecided by some
    edges, iterated closest points (Besl and McKay 1992) decide.

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
    points = target_to_source
    for _ in range(RIGID_ROUNDS):
        at = _carried(target.vertices, surface.positions(points), target.mass)
        points, _ = surface(at, vertex_normals(at, target.faces), MOST_TURNED)
    left = np.square(surface.positions(points) - at).sum(axis=1)
    # By the size that it has come to: what shrinks to a point is near to anything.
    shrunk = _spread(at, target.mass) / _spread(target.vertices, target.mass)
    away = np.sqrt(target.mass @ left / max(shrunk, np.finfo(float).tiny))
    return points if away < CONGRUENT else None


def _spread(positions: np.ndarray, weight: np.ndarray) -> float:
    return float(weight @ np.square(positions - weight @ positions).sum(axis=1))


def register(
    source: SpectralMesh,
    target: SpectralMesh,
    target_to_source: SurfacePoints,
    confidence: np.ndarray,
    pins: tuple[np.ndarray, np.ndarray] | None = None,
    progress: Callable[[float], None] = lambda fraction: None,
    course: Course = SLIDING,
) -> SurfacePoints:
    """The map after the target was deformed onto the source, as rigidly as possible.

    Sorkine and Alexa 2007, with a scale of its own for each neighbourhood: it need not keep the
    size of limbs, only their shape. In each round the vertices are drawn to the closest points of
    the source that face their way.

    Parameters
    ----------
    source, target : SpectralMesh
    target_to_source : SurfacePoints
        The map to start from.
    confidence : (V_t,) float
        How much each vertex is drawn to where the map has it.
    pins : pair of (P,) int, optional
        Vertices of source and target that stay together, exactly.
    progress : callable
        Called with a fraction; may raise to stop.
    course : Course

    Returns
    -------
    SurfacePoints
    """
    rest, faces = target.vertices, target.faces
    laplacian, _ = laplacian_and_mass(rest, faces, lambda fraction: progress(0.0))
    edges = sparse.triu(-laplacian, 1).tocoo()
    kept = edges.data > 0
    tail, head, weight = edges.row[kept], edges.col[kept], edges.data[kept]
    stiffness = _graph_laplacian(len(rest), tail, head, weight)
    surface = ClosestPoints(source.vertices, source.faces)
    goal = surface.positions(target_to_source)
    points, trust = target_to_source, np.maximum(confidence, LEAST_TRUST)
    # What has no partner there starts where the rest of the body takes it, not in a heap.
    at = trust[:, None] * goal + (1 - trust[:, None]) * _carried(rest, goal, trust * target.mass)
    first_pull, last_pull = course.pulls
    for round_number in range(course.rounds):
        done = round_number / course.rounds
        progress(done)
        if round_number >= course.on_map:
            points, agrees = surface(at, vertex_normals(at, faces), MOST_TURNED)
            goal = surface.positions(points)
            near = np.linalg.norm(goal - at, axis=1) < REACH
            trust = np.where(agrees & near, 1.0, LEAST_TRUST)
        pull = first_pull * (last_pull / first_pull) ** (round_number / (course.rounds - 1))
        drawn = pull * trust * target.mass
        if pins is not None:
            goal[pins[1]] = source.vertices[pins[0]]
            drawn[pins[1]] = 10 * last_pull * target.mass[pins[1]]
        factor = Factorisation(
            stiffness + sparse.diags(drawn), partial(progress, done), definite=True
        )
        for _ in range(3):
            bent = _bent_edges(rest, at, tail, head, weight)
            at = factor.solve(bent + drawn[:, None] * goal)
    points = surface(at, vertex_normals(at, faces), MOST_TURNED)[0]
    if pins is None:
        return points
    exact = points_at_vertices(pins[0], source.faces)
    points.face[pins[1]], points.barycentric[pins[1]] = exact.face, exact.barycentric
    return points


def _carried(rest: np.ndarray, goal: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """A shape moved, turned and scaled as a whole to where most of it belongs."""
    turn, scale, shift = similarity(rest, goal, weight)
    return scale * rest @ turn.T + shift


def _graph_laplacian(count, tail, head, weight):
    rows = np.concatenate([tail, head, tail, head])
    columns = np.concatenate([head, tail, tail, head])
    entries = np.concatenate([-weight, -weight, weight, weight])
    return sparse.csr_matrix((entries, (rows, columns)), shape=(count, count))


def _bent_edges(rest, at, tail, head, weight):
    """Right side of the global step: edges at rest, turned and scaled with their ends."""
    before, after = rest[tail] - rest[head], at[tail] - at[head]
    count = len(rest)
    product = (weight[:, None, None] * after[:, :, None] * before[:, None]).reshape(-1, 9)
    rows = sparse.csr_matrix(
        (np.ones(2 * len(tail)), (np.concatenate([tail, head]), np.tile(np.arange(len(tail)), 2))),
        shape=(count, len(tail)),
    )
    fitted = (rows @ product).reshape(-1, 3, 3)
    turn = nearest_rotations(fitted)
    # Sizes vary slowly: the scale of a vertex is that of its neighbours' neighbours.
    squares = np.stack([weight * np.square(e).sum(axis=1) for e in (before, after)], axis=1)
    squares = rows @ (rows.T @ (rows @ (rows.T @ (rows @ squares))))
    scale = np.sqrt(squares[:, 1] / np.maximum(squares[:, 0], np.finfo(float).tiny))
    turn = np.clip(scale, *SCALES)[:, None, None] * turn
    half = 0.5 * weight[:, None] * np.einsum("eij,ej->ei", turn[tail] + turn[head], before)
    right = np.empty((count, 3))
    for axis in range(3):
        right[:, axis] = np.bincount(tail, half[:, axis], count) - np.bincount(
            head, half[:, axis], count
        )
    return right
