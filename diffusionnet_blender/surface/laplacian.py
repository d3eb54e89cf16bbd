"""Weak Laplacian and lumped mass of meshes and point clouds (paper 3.2)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import robust_laplacian
from scipy import sparse

from ..errors import SurfaceError
from .intrinsic import delaunay_laplacian

# Neighbours of a point on a cloud (paper 5, Setup).
CLOUD_NEIGHBOURS = 30
# With fewer points, the library's triangulation of a neighbourhood is a matter of chance.
FEWEST_POINTS = 4
# A vertex around which there is next to no area still needs some mass: without, it would be
# grounded. Share of the mean mass.
MASS_FLOOR = 1e-6


def laplacian_and_mass(
    vertices: np.ndarray,
    faces: np.ndarray,
    progress: Callable[[float], None] = lambda fraction: None,
) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Laplacian that is positive semi-definite on any mesh, or on points without faces.

    The intrinsic Delaunay Laplacian of the tufted cover (Sharp and Crane 2020): the cotangent
    Laplacian of paper 3.2 made safe for non-manifold edges, boundaries and slivers.

    Parameters
    ----------
    vertices : (V, 3) float
    faces : (F, 3) int
        Empty for a point cloud.
    progress : callable
        Called with a fraction from 0 to 1 between steps; may raise to stop.

    Returns
    -------
    laplacian : (V, V) csr_matrix
        M^-1 L is minus the Laplace-Beltrami operator.
    mass : (V,) float64
        Area around each vertex, above zero.

    Raises
    ------
    SurfaceError
        If the geometry gives no finite matrix.
    """
    if len(faces):
        laplacian, mass = delaunay_laplacian(vertices, faces, progress)
    else:
        laplacian, mass = _of_points(vertices)
    if not (np.isfinite(laplacian.data).all() and np.isfinite(mass).all() and mass.sum() > 0):
        raise _too_degenerate()
    return laplacian, np.maximum(mass, MASS_FLOOR * mass.mean())


def _of_points(points: np.ndarray) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Laplacian (V, V) and mass (V,) of the triangulated neighbourhoods of points (V, 3)."""
    if len(points) < FEWEST_POINTS:
        raise _no_surface(len(points))
    neighbours = min(CLOUD_NEIGHBOURS, len(points) - 1)
    try:
        laplacian, mass = robust_laplacian.point_cloud_laplacian(points, n_neighbors=neighbours)
    except RuntimeError as error:
        raise _no_surface(len(points)) from error
    return laplacian.tocsr(), mass.diagonal()


def _no_surface(count: int) -> SurfaceError:
    return SurfaceError(
        f"No surface runs through these {count} points",
        "A point cloud needs at least four points that do not lie on a line.",
    )


def _too_degenerate() -> SurfaceError:
    return SurfaceError(
        "The mesh is too degenerate to compute with",
        "In Blender run Mesh > Clean Up > Merge by Distance and Degenerate Dissolve.",
    )
