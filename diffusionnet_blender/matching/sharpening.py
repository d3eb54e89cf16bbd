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
    away = _from_border(patch.target, target)
    share = away / max(FADING * patch.size / patch.to_source.scale, float(np.finfo(float).tiny))
    facing = vertex_normals(*target)[patch.target] @ patch.to_source.rotation.T
    found = faded(points[patch.target], found, share, ClosestPoints(*source), facing)
    return points.replaced(patch.target, found)


def faded(
    one: SurfacePoints,
    other: SurfacePoints,
    share: np.ndarray,
    surface: ClosestPoints,
    facing: np.ndarray,
) -> SurfacePoints:
    """Points that go over from some to others, smoothly.

    Parameters
    ----------
    one, other : SurfacePoints
        On the surface, n each.
    share : (n,) float
        0 where they are the ones, from 1 on where they are the others.
    surface : ClosestPoints
    facing : (n, 3) float
        Normals that those between are to have about.
    """
    weight = np.minimum(share, 1.0)
    weight = weight * weight * (3 - 2 * weight)
    fading = np.flatnonzero((weight > 0) & (weight < 1))
    start, end = (
        each[fading].interpolate(surface.vertices, surface.faces) for each in (one, other)
    )
    between = start + weight[fading, None] * (end - start)
    laid, _ = surface(between, facing[fading], MOST_TURNED)
    none = np.flatnonzero(weight == 0)
    return other.replaced(fading, laid).replaced(none, one[none])


def with_border(part: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """A part (n,) with the vertices around it on which a patch goes over into the map."""
    reach = FADING * size_of(vertices[part])
    away, _ = cKDTree(vertices[part]).query(vertices, distance_upper_bound=reach)
    return np.flatnonzero(np.isfinite(away))


def _from_border(own: np.ndarray, target: Mesh) -> np.ndarray:
    """Distance (m,) of a patch's vertices from its border with others, infinite without one."""
    vertices, faces = target
    inside = np.zeros(len(vertices), bool)
    inside[own] = True
    mixed = faces[inside[faces].any(axis=1) & ~inside[faces].all(axis=1)]
    border = np.unique(mixed)
    if not len(border):
        return np.full(len(own), np.inf)
    return cKDTree(vertices[border]).query(vertices[own])[0]
