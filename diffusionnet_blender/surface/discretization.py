"""Discretization of a shape: mass, Laplacian, eigenbasis and gradient (paper 3.2 to 3.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
from scipy import sparse

from . import loose_parts
from .edges import directed_edges
from .eigenbasis import eigenbasis
from .frames import cloud_normals, nearest_neighbours, tangent_frames
from .gradient import gradient_matrices
from .laplacian import CLOUD_NEIGHBOURS, laplacian_and_mass
from .settings import DEFAULT_SETTINGS, Centre, DiscretizationSettings
from .surface import Surface, triangle_areas
from .winding import vertex_normals

StageProgress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class Discretization:
    """The matrices of one shape, in its normalised coordinates.

    Attributes
    ----------
    vertices : (V, 3) float32
        Centred and scaled into the unit sphere (paper 5, Setup).
    faces : (F, 3) int64
    mass : (V,) float32
        Area around each vertex, in normalised units.
    laplacian : (V, V) csr_matrix of float64
        Weak Laplacian, bridges between loose parts included.
    eigenvalues : (k,) float32
    eigenvectors : (V, k) float32
    gradient_x, gradient_y : (V, V) csr_matrix of float32
        Real and imaginary half of the gradient G.
    part : (V,) int32
        Loose part of each vertex.
    """

    vertices: np.ndarray
    faces: np.ndarray
    mass: np.ndarray
    laplacian: sparse.csr_matrix
    eigenvalues: np.ndarray
    eigenvectors: np.ndarray
    gradient_x: sparse.csr_matrix
    gradient_y: sparse.csr_matrix
    part: np.ndarray

    @property
    def bridged_parts(self) -> int:
        """Loose parts beyond the first."""
        return int(self.part.max())


def normalise(surface: Surface, centre: Centre) -> np.ndarray:
    """Vertices moved to the origin and scaled so that the farthest is at radius 1.

    Parameters
    ----------
    surface : Surface
    centre : {"area", "vertices"}
        A point cloud has no area and is centred on its points.

    Returns
    -------
    (V, 3) float64
    """
    vertices, faces = surface.vertices, surface.faces
    if centre == "area" and not surface.is_point_cloud:
        area = triangle_areas(vertices, faces)
        # The mean of the triangles' middles: that of the vertices, by the area around them.
        around = np.bincount(faces[:, 0], area, minlength=len(vertices))
        for corner in (faces[:, 1], faces[:, 2]):
            around += np.bincount(corner, area, minlength=len(vertices))
        origin = around @ vertices / around.sum()
    else:
        origin = vertices.mean(axis=0)
    centred = vertices - origin
    return centred / np.linalg.norm(centred, axis=1).max()


def discretize(
    surface: Surface,
    settings: DiscretizationSettings = DEFAULT_SETTINGS,
    progress: StageProgress = lambda stage, fraction: None,
    seconds: dict[str, float] | None = None,
) -> Discretization:
    """Compute the matrices of a clean surface.

    Parameters
    ----------
    surface : Surface
        As `repair.repair` leaves it.
    settings : DiscretizationSettings
    progress : callable
        Called with a stage ("laplacian", "eigenbasis", "gradient") and a fraction; may raise to
        stop.
    seconds : dict, optional
        Takes the seconds of each stage.

    Returns
    -------
    Discretization

    Raises
    ------
    SurfaceError
        If the geometry is too degenerate to give the matrices.
    """
    seconds = {} if seconds is None else seconds
    clock = perf_counter()

    def finished(stage: str) -> None:
        nonlocal clock
        seconds[stage] = perf_counter() - clock
        clock = perf_counter()

    progress("laplacian", 0.0)
    vertices, faces = normalise(surface, settings.centre), surface.faces
    laplacian, mass = laplacian_and_mass(
        vertices, faces, lambda fraction: progress("laplacian", 0.8 * fraction)
    )
    if surface.is_point_cloud:
        neighbours = nearest_neighbours(vertices, CLOUD_NEIGHBOURS)
        tail = np.repeat(np.arange(len(vertices)), neighbours.shape[1])
        edges = np.stack([tail, neighbours.ravel()], axis=1)
    else:
        edges = directed_edges(faces)
    part = loose_parts.label_parts(len(vertices), edges)
    laplacian = laplacian + loose_parts.bridge_laplacian(vertices, mass, part)
    finished("laplacian")

    progress("eigenbasis", 0.0)
    eigenvalues, eigenvectors = eigenbasis(
        laplacian,
        mass,
        settings.k,
        lambda fraction: progress("eigenbasis", fraction),
    )
    finished("eigenbasis")

    progress("gradient", 0.0)
    if surface.is_point_cloud:
        normals = cloud_normals(vertices, neighbours, mass, surface.normals)
    else:
        normals = vertex_normals(vertices, faces)
    progress("gradient", 0.4)
    gradient = gradient_matrices(
        vertices, edges, tangent_frames(normals), settings.gradient_regulariser
    )
    finished("gradient")
    return Discretization(
        vertices=vertices.astype(np.float32),
        faces=faces,
        mass=mass.astype(np.float32),
        laplacian=laplacian.tocsr(),
        eigenvalues=eigenvalues.astype(np.float32),
        eigenvectors=eigenvectors,
        gradient_x=gradient[0].astype(np.float32),
        gradient_y=gradient[1].astype(np.float32),
        part=part.astype(np.int32),
    )


def truncated(discretization: Discretization, k: int) -> Discretization:
    """The matrices with no more than the first k eigenpairs."""
    return replace(
        discretization,
        eigenvalues=discretization.eigenvalues[:k],
        eigenvectors=np.ascontiguousarray(discretization.eigenvectors[:, :k]),
    )
