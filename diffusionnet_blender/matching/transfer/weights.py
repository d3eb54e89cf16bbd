"""Transfer of skin weights: interpolated where the map is reliable, inpainted elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from ...errors import DiffusionNetError
from ...surface.factorisation import Factorisation
from ...surface.laplacian import laplacian_and_mass
from ...surface.loose_parts import label_mesh_parts
from ...surface.winding import vertex_normals
from ..points import SurfacePoints

LEAST_CONFIDENCE = 0.3
# Normals farther apart than this, after the rotation of their neighbourhood by the map, belong to
# different layers of the surface.
MOST_TURNED = 60.0
# A sum of inpainted weights this near to 1 is 1.
SUM_ACCURACY = 1e-3
# What kept weights leave below this is a rounding error of single precision.
LEAST_REMAINDER = 1e-5


def normals_agree(
    target_to_source: SurfacePoints,
    source: tuple[np.ndarray, np.ndarray],
    target: tuple[np.ndarray, np.ndarray],
    most_turned: float = MOST_TURNED,
) -> np.ndarray:
    """Whether the map keeps the outside of the surface at each vertex, whatever the pose.

    Poses rotate normals, so those of the two shapes cannot be compared: the normal of the mapped
    triangles around a vertex is compared with that of the source at its image.

    Parameters
    ----------
    target_to_source : SurfacePoints
    source, target : (vertices, faces)
    most_turned : float
        Degrees.

    Returns
    -------
    (V_t,) bool
    """
    image = target_to_source.interpolate(source[0], source[1])
    mapped = vertex_normals(image, target[1])
    normals = target_to_source.interpolate(vertex_normals(*source), source[1])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), np.finfo(float).tiny)
    return np.einsum("vi,vi->v", mapped, normals) >= np.cos(np.radians(most_turned))


def transfer_weights(
    target_to_source: SurfacePoints,
    source_faces: np.ndarray,
    source_weights: np.ndarray,
    target: tuple[np.ndarray, np.ndarray],
    trusted: np.ndarray,
    limit: int = 4,
    locked: np.ndarray | None = None,
    kept: np.ndarray | None = None,
    progress: Callable[[float], None] = lambda fraction: None,
) -> np.ndarray:
    """Skin weights of bones on the target.

    Parameters
    ----------
    target_to_source : SurfacePoints
    source_faces : (F_s, 3) int
    source_weights : (V_s, B) float
    target : (vertices, faces)
    trusted : (V_t,) bool
        Where weights are interpolated; elsewhere they are inpainted.
    limit : int
        Most bones of one vertex, the kept ones among them; 0 for any number. Of equal weights
        those of the first bones count.
    locked : (B,) or (V_t, B) bool, optional
        Groups that are not moved, everywhere or at some vertices; they get no weight there.
    kept : (V_t, K) float, optional
        Skin weights that the target keeps; the others add up to the remainder.
    progress : callable
        Called with a fraction from 0 to 1 between steps; may raise to stop.

    Returns
    -------
    (V_t, B) float64
        Not below zero; rows, with the kept weights, add up to 1 where the source's do.

    Raises
    ------
    DiffusionNetError
        If no vertex is trusted.
    """
    if not trusted.any():
        raise DiffusionNetError(
            "Confidence in the match is below the least everywhere, so no weights were moved",
            "Set a few pins, match again, or lower the least confidence.",
        )
    copied = target_to_source.interpolate(np.asarray(source_weights, float), source_faces)
    weights = inpaint(*target, copied, trusted, progress)
    # An inpainting of ones is one, but for the accuracy of the solver.
    total = weights.sum(axis=1)
    total = np.where(np.abs(total - 1.0) < SUM_ACCURACY, 1.0, np.clip(total, 0.0, 1.0))
    weights = np.maximum(weights, 0.0)
    most = np.full(len(weights), limit or weights.shape[1])
    if kept is not None:
        remainder = 1.0 - kept.sum(axis=1)
        # Weights are stored in single precision, in which those of a vertex add up to about 1.
        remainder[remainder < LEAST_REMAINDER] = 0.0
        total = np.minimum(total, remainder)
        if limit:
            most = np.maximum(limit - np.count_nonzero(kept > 0, axis=1), 0)
    if locked is not None:
        weights = np.where(np.atleast_2d(locked), 0.0, weights)
    return _normalised(weights, total, most)


def skinned_points(
    target_to_source: SurfacePoints, source_faces: np.ndarray, skinned: np.ndarray
) -> tuple[SurfacePoints, np.ndarray]:
    """A map moved off the vertices of the source that have no skin weight.

    Parameters
    ----------
    target_to_source : SurfacePoints
    source_faces : (F_s, 3) int
    skinned : (V_s,) bool

    Returns
    -------
    points : SurfacePoints
        Barycentric coordinates of the skinned corners, which add up to 1.
    usable : (V_t,) bool
        Whether most of the point lies at skinned corners.
    """
    share = np.where(skinned[source_faces[target_to_source.face]], target_to_source.barycentric, 0)
    added = share.sum(axis=1)
    usable = added >= 0.5
    barycentric = np.where(
        usable[:, None], share / np.where(usable, added, 1.0)[:, None], target_to_source.barycentric
    )
    return SurfacePoints(target_to_source.face, barycentric), usable


def _normalised(weights: np.ndarray, total: np.ndarray, most: np.ndarray) -> np.ndarray:
    """The `most` (V,) largest of each row of (V, B), scaled to add up to `total` (V,)."""
    order = np.argsort(-weights, axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(weights.shape[1])[None], axis=1)
    weights = np.where(rank < most[:, None], weights, 0.0)
    # The tail of a far bone in an inpainting is no influence.
    weights = np.where(
        weights < 1e-4 * weights.max(axis=1, initial=0.0, keepdims=True), 0.0, weights
    )
    added = weights.sum(axis=1, keepdims=True)
    return weights * (total[:, None] / np.where(added > 0, added, 1.0))


def inpaint(
    vertices: np.ndarray,
    faces: np.ndarray,
    values: np.ndarray,
    fixed: np.ndarray,
    progress: Callable[[float], None] = lambda fraction: None,
) -> np.ndarray:
    """Extend values as smoothly as possible to free vertices (Abdrashitov et al. 2023).

    Minimises tr W^T Q W with Q = L + L M^-1 L for positive semi-definite L and Dirichlet conditions
    at the fixed vertices; one factorisation serves all columns.

    Parameters
    ----------
    vertices : (V, 3) float
    faces : (F, 3) int
    values : (V, B) float
    fixed : (V,) bool
        Vertices that keep their values, at least one. Loose parts without any take the values of
        the nearest of these.
    progress : callable
        Called with a fraction from 0 to 1 between steps; may raise to stop.

    Returns
    -------
    (V, B) float64
    """
    values = np.array(values, dtype=np.float64)
    fixed = fixed.copy()
    _fill_free_parts(vertices, faces, values, fixed)
    free = np.flatnonzero(~fixed)
    if not len(free):
        return values
    size = np.ptp(vertices, axis=0).max()
    laplacian, mass = laplacian_and_mass(
        vertices / size, faces, lambda fraction: progress(0.2 * fraction)
    )
    energy = (laplacian + laplacian @ sparse.diags(1.0 / mass) @ laplacian).tocsr()
    rows = energy[free]
    system = rows[:, free] + 1e-10 * sparse.diags(energy.diagonal()[free])
    right = -(rows[:, np.flatnonzero(fixed)] @ values[fixed])
    factor = Factorisation(system, lambda: progress(0.2), definite=True)
    progress(0.8)
    values[free] = factor.solve(right)
    progress(1.0)
    return values


def _fill_free_parts(
    vertices: np.ndarray, faces: np.ndarray, values: np.ndarray, fixed: np.ndarray
) -> None:
    """Fix loose parts without a fixed vertex at the values of the nearest one, in place."""
    part = label_mesh_parts(len(vertices), faces)
    has_fixed = np.bincount(part, fixed) > 0
    lost = np.flatnonzero(~has_fixed[part])
    if len(lost):
        given = np.flatnonzero(fixed)
        values[lost] = values[given[cKDTree(vertices[given]).query(vertices[lost])[1]]]
        fixed[lost] = True
