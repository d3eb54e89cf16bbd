"""Skin weights: copied where the map is sure, smoothly inpainted elsewhere."""

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
# After the best rotation that the map gives to a neighbourhood, normals farther apart than this
# belong to another layer of the surface.
MOST_TURNED = 60.0


def normals_agree(
    target_to_source: SurfacePoints,
    source: tuple[np.ndarray, np.ndarray],
    target: tuple[np.ndarray, np.ndarray],
    most_turned: float = MOST_TURNED,
) -> np.ndarray:
    """Whether the map keeps a vertex on the outside, whatever the pose.

    Poses turn normals, so those of the two shapes cannot be compared: the normal that the mapped
    triangles around a vertex have is compared with that of the source where they lie.

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
    around = vertex_normals(image, target[1])
    there = target_to_source.interpolate(vertex_normals(*source), source[1])
    there /= np.maximum(np.linalg.norm(there, axis=1, keepdims=True), np.finfo(float).tiny)
    return np.einsum("vi,vi->v", around, there) >= np.cos(np.radians(most_turned))


def transfer_weights(
    target_to_source: SurfacePoints,
    source_faces: np.ndarray,
    source_weights: np.ndarray,
    target: tuple[np.ndarray, np.ndarray],
    trusted: np.ndarray,
    limit: int = 4,
    locked: np.ndarray | None = None,
    locked_weights: np.ndarray | None = None,
    progress: Callable[[float], None] = lambda fraction: None,
) -> np.ndarray:
    """Weights of bones on the target.

    Parameters
    ----------
    target_to_source : SurfacePoints
    source_faces : (F_s, 3) int
    source_weights : (V_s, B) float
    target : (vertices, faces)
    trusted : (V_t,) bool
        Where weights are copied; elsewhere they are inpainted.
    limit : int
        Most bones of one vertex; 0 for any number.
    locked : (B,) bool, optional
        Groups of the target that stay as they are; the others share what these leave.
    locked_weights : (V_t, B) float, optional
        Of the target; only the locked columns count.
    progress : callable
        Called with a fraction from 0 to 1 between steps; may raise to stop.

    Returns
    -------
    (V_t, B) float64
        Not below zero; rows add up to 1 where the source's do.

    Raises
    ------
    DiffusionNetError
        If no vertex is trusted.
    """
    if not trusted.any():
        raise DiffusionNetError(
            "The map is not sure enough anywhere to carry weights",
            "Set a few pins, match again, or lower the least confidence.",
        )
    copied = target_to_source.interpolate(np.asarray(source_weights, float), source_faces)
    weights = inpaint(*target, copied, trusted, progress)
    weights = np.maximum(weights, 0.0)
    total = copied.sum(axis=1)
    total[~trusted] = 1.0
    left = np.where(total > 0, np.minimum(total, 1.0), 0.0)
    if locked is not None and locked.any():
        kept = np.where(locked[None], locked_weights, 0.0)
        left = np.minimum(left, np.maximum(1.0 - kept.sum(axis=1), 0.0))
        return _shared_out(np.where(locked[None], 0.0, weights), left, limit) + kept
    return _shared_out(weights, left, limit)


def _shared_out(weights, total, limit):
    """Keep the largest of each row and let them add up to `total`."""
    if limit and limit < weights.shape[1]:
        least = np.partition(weights, -limit, axis=1)[:, -limit, None]
        weights = np.where(weights >= least, weights, 0.0)
    # What an inpainting leaves of a far bone is no influence.
    weights = np.where(weights < 1e-4 * weights.max(axis=1, keepdims=True), 0.0, weights)
    added = weights.sum(axis=1, keepdims=True)
    return weights * (total[:, None] / np.where(added > 0, added, 1.0))


def inpaint(
    vertices: np.ndarray,
    faces: np.ndarray,
    values: np.ndarray,
    known: np.ndarray,
    progress: Callable[[float], None] = lambda fraction: None,
) -> np.ndarray:
    """Fill in values so that they run on as smoothly as they can (Abdrashitov et al. 2023).

    Minimises tr W^T Q W with Q = L + L M^-1 L for positive semi-definite L, the known rows fixed;
    one factorisation serves all columns.

    Parameters
    ----------
    vertices : (V, 3) float
    faces : (F, 3) int
    values : (V, B) float
    known : (V,) bool
        At least one vertex. Loose parts of which nothing is known take the values of the nearest
        known vertex.
    progress : callable
        Called with a fraction from 0 to 1 between steps; may raise to stop.

    Returns
    -------
    (V, B) float64
    """
    values = np.array(values, dtype=np.float64)
    known = known.copy()
    _fill_unknown_parts(vertices, faces, values, known)
    unknown = np.flatnonzero(~known)
    if not len(unknown):
        return values
    size = np.ptp(vertices, axis=0).max()
    laplacian, mass = laplacian_and_mass(
        vertices / size, faces, lambda fraction: progress(0.2 * fraction)
    )
    energy = (laplacian + laplacian @ sparse.diags(1.0 / mass) @ laplacian).tocsr()
    rows = energy[unknown]
    system = rows[:, unknown] + 1e-10 * sparse.diags(energy.diagonal()[unknown])
    right = -(rows[:, np.flatnonzero(known)] @ values[known])
    factor = Factorisation(system, lambda: progress(0.2), definite=True)
    progress(0.8)
    values[unknown] = factor.solve(right)
    progress(1.0)
    return values


def _fill_unknown_parts(vertices, faces, values, known):
    part = label_mesh_parts(len(vertices), faces)
    has_known = np.bincount(part, known) > 0
    lost = np.flatnonzero(~has_known[part])
    if len(lost):
        sure = np.flatnonzero(known)
        values[lost] = values[sure[cKDTree(vertices[sure]).query(vertices[lost])[1]]]
        known[lost] = True
