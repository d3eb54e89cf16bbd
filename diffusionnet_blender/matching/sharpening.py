"""A map that is sharpened on a part that looks alike on both surfaces, as on a face."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial import cKDTree

from ..surface.winding import vertex_normals
from .closest import ClosestPoints
from .contacts import ContactFinder
from .patches import MOST_TURNED, Mesh, patch_of
from .points import SurfacePoints
from .slits import on_their_sides
from .warp import Similarity, size_of

# Within this distance from its border, in units of the size, a patch goes over into the map.
FADING = 0.3


def sharpened(
    points: SurfacePoints,
    source: Mesh,
    target: Mesh,
    part: np.ndarray,
    pinned: np.ndarray,
    progress: Callable[[], None] = lambda: None,
    start: Similarity | None = None,
) -> SurfacePoints:
    """A map with that of a patch in place of its own, smoothly at the patch's border.

    Parameters
    ----------
    points : SurfacePoints
        On the source, one for each vertex of the target.
    source, target : (vertices, faces)
    part : (n,) int
        Vertices of the source.
    pinned : (P,) int
        Vertices of the target whose points were chosen; a patch with one of them is left as it is.
    progress : callable
        Called between steps; may raise to stop.
    start : Similarity, optional
        Where the counterpart of the part lies about, tried beside the map.

    Returns
    -------
    SurfacePoints
        The same map where the target has nothing alike.
    """
    inside = np.zeros(len(source[0]), bool)
    inside[part] = True
    meshes = source, target
    patch = patch_of(part, inside, *meshes, points, progress, start, with_pockets=True)
    if patch is None or np.isin(pinned, patch.target).any():
        return points
    progress()
    finder = ContactFinder(source, target, patch)
    (at_rest,) = finder(source[0][None], progress)
    found = on_their_sides(patch, source, target, at_rest.pairs, finder.reach)
    share = _share(patch.target, target, FADING * patch.size / patch.to_source.scale)
    image = [each.interpolate(*source) for each in (points[patch.target], found)]
    fading = np.flatnonzero(share < 1)
    between = image[0] + share[:, None] * (image[1] - image[0])
    facing = vertex_normals(*target)[patch.target] @ patch.to_source.rotation.T
    surface = ClosestPoints(*source)
    laid, _ = surface(between[fading], facing[fading], MOST_TURNED)
    found = found.replaced(fading, laid)
    none = share == 0
    found = found.replaced(np.flatnonzero(none), points[patch.target[none]])
    return points.replaced(patch.target, found)


def with_border(part: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """A part (n,) with the vertices around it on which a patch goes over into the map."""
    reach = FADING * size_of(vertices[part])
    away, _ = cKDTree(vertices[part]).query(vertices, distance_upper_bound=reach)
    return np.flatnonzero(np.isfinite(away))


def _share(own: np.ndarray, target: Mesh, width: float) -> np.ndarray:
    """Weight (m,) of a patch's vertices: 0 at its border with others, 1 from a width on."""
    vertices, faces = target
    inside = np.zeros(len(vertices), bool)
    inside[own] = True
    mixed = faces[inside[faces].any(axis=1) & ~inside[faces].all(axis=1)]
    border = np.unique(mixed)
    if not len(border):
        return np.ones(len(own))
    away = cKDTree(vertices[border]).query(vertices[own])[0] / max(width, np.finfo(float).tiny)
    away = np.minimum(away, 1.0)
    return away * away * (3 - 2 * away)
