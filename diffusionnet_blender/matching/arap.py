"""As-rigid-as-possible deformation (Sorkine and Alexa 2007), with a local scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from ..surface.factorisation import Factorisation
from ..surface.laplacian import laplacian_and_mass
from ..surface.loose_parts import bridge_laplacian, label_mesh_parts
from ..surface.surface import vertex_areas
from .rotations import nearest_rotations

# Limits of the local scale of a deformation.
SCALES = (0.5, 2.0)
# The least area around a vertex, as a share of the whole.
LEAST_MASS = 1e-12


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
    def tied(
        cls,
        vertices: np.ndarray,
        faces: np.ndarray,
        progress: Callable[[float], None] = lambda fraction: None,
    ) -> RestShape:
        """A mesh at rest and scaled to unit area, its loose parts tied to each other.

        Parameters
        ----------
        vertices : (V, 3) float
        faces : (F, 3) int
        progress : callable
            Called with 0; may raise to stop.
        """
        mass = vertex_areas(vertices, faces)
        size, share = np.sqrt(mass.sum()), mass / mass.sum()
        bridges = bridge_laplacian(vertices / size, share, label_mesh_parts(len(vertices), faces))
        return cls.of(vertices / size, faces, np.maximum(share, LEAST_MASS), bridges, progress)

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

    @cached_property
    def ends(self) -> sparse.csr_matrix:
        """Which vertices are ends of which edges, (V, E): a sum over the edges of each."""
        edge = np.tile(np.arange(len(self.tail)), 2)
        entries = np.ones(len(edge)), (np.concatenate([self.tail, self.head]), edge)
        return sparse.csr_matrix(entries, shape=(len(self.vertices), len(self.tail)))

    @cached_property
    def stiffness(self) -> sparse.csr_matrix:
        """Laplacian (V, V) of the edges."""
        rows = np.concatenate([self.tail, self.head, self.tail, self.head])
        columns = np.concatenate([self.head, self.tail, self.tail, self.head])
        weight = self.weight
        entries = np.concatenate([-weight, -weight, weight, weight])
        count = len(self.vertices)
        return sparse.csr_matrix((entries, (rows, columns)), shape=(count, count))


class Drawn:
    """A shape that is drawn to goals with so much force, factorised once.

    Parameters
    ----------
    rest : RestShape
    force : (V,) float
        Weight of the distance from the goal of each vertex against stiffness.
    waiting : callable
        Called now and then while it is factorised; may raise to leave it.
    """

    def __init__(
        self, rest: RestShape, force: np.ndarray, waiting: Callable[[], None] = lambda: None
    ):
        self._rest, self._force = rest, force
        self._factor = Factorisation(rest.stiffness + sparse.diags(force), waiting, definite=True)

    def __call__(self, at: np.ndarray, goal: np.ndarray, steps: int) -> np.ndarray:
        """The shape (V, 3) after steps from where it is, each local and global."""
        for _ in range(steps):
            rotated = _rotated_edges(self._rest, at)
            at = self._factor.solve(rotated + self._force[:, None] * goal)
        return at

    def carried(self, goal: np.ndarray, trust: np.ndarray) -> np.ndarray:
        """The shape (V, 3) at its goals, turned and scaled alike where they are not trusted.

        A place without a goal of its own goes on from those around it: their rotations and scales
        spread, so that a limb starts on the limb that it belongs to, not as it stood at rest.

        Parameters
        ----------
        goal : (V, 3) float
        trust : (V,) float
            In each goal, 0 to 1.
        """
        rest = self._rest
        weight = rest.weight * np.minimum(trust[rest.tail], trust[rest.head])
        product, squares = map(self._factor.solve, _turns(rest, goal, weight))
        right = _divergence(rest, product, np.maximum(squares, 0.0))
        at = self._factor.solve(right + self._force[:, None] * goal)
        return trust[:, None] * goal + (1 - trust[:, None]) * at


def _rotated_edges(rest: RestShape, at: np.ndarray) -> np.ndarray:
    """Right-hand side (V, 3) of ARAP's global step, with the local step.

    That is the divergence of the edges at rest under the rotations and scales of their ends, for
    deformed positions (V, 3).
    """
    product, squares = _turns(rest, at, rest.weight)
    # Sizes vary slowly: the scale of a vertex is that of its neighbours' neighbours.
    ends = rest.ends
    return _divergence(rest, product, ends @ (ends.T @ (ends @ (ends.T @ squares))))


def _turns(rest: RestShape, at: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How the edges around each vertex have turned and grown, with weights (E,).

    Sums of the products of edges at (V, 3) and at rest, (V, 9), and of the squares of their lengths
    at rest and there, (V, 2).
    """
    tail, head = rest.tail, rest.head
    before, after = rest.vertices[tail] - rest.vertices[head], at[tail] - at[head]
    product = (weight[:, None, None] * after[:, :, None] * before[:, None]).reshape(-1, 9)
    squares = np.stack([weight * np.square(e).sum(axis=1) for e in (before, after)], axis=1)
    return rest.ends @ product, rest.ends @ squares


def _divergence(rest: RestShape, product: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Divergence (V, 3) of the edges at rest under the rotations and scales of `_turns`."""
    tail, head = rest.tail, rest.head
    before = rest.vertices[tail] - rest.vertices[head]
    rotation = nearest_rotations(product.reshape(-1, 3, 3))
    scale = np.sqrt(squares[:, 1] / np.maximum(squares[:, 0], np.finfo(float).tiny))
    linear = np.clip(scale, *SCALES)[:, None, None] * rotation
    half = np.einsum("eij,ej->ei", linear[tail] + linear[head], before)
    half *= 0.5 * rest.weight[:, None]
    count = len(rest.vertices)
    right = np.empty((count, 3))
    for axis in range(3):
        right[:, axis] = np.bincount(tail, half[:, axis], count) - np.bincount(
            head, half[:, axis], count
        )
    return right
