"""Extension of a map between proxies to the dense meshes."""

from __future__ import annotations

import numpy as np

from ..surface.surface import Surface
from ..surface.winding import vertex_normals
from .closest import ClosestPoints
from .points import SurfacePoints
from .walk import SurfaceWalk

# Triangles turned further than this from a vertex lie on another layer of the surface.
MOST_TURNED = 75.0
# Images of one triangle's corners farther apart than this many mean edges belong to different
# places, between which there is nothing to interpolate.
TORN = 12.0


def lift_map(
    target_to_source: SurfacePoints,
    confidence: np.ndarray,
    source_proxy: Surface,
    target_proxy: Surface,
    source: Surface,
    target: Surface,
) -> tuple[SurfacePoints, np.ndarray]:
    """Map of the dense meshes: from dense to proxy, along the map, from proxy to dense.

    Parameters
    ----------
    target_to_source : SurfacePoints
        On `source_proxy`, one for each vertex of `target_proxy`.
    confidence : (V,) float
        Of these vertices.
    source_proxy, target_proxy : Surface
    source, target : Surface
        In the same space as their proxies; both may be the proxies themselves.

    Returns
    -------
    points : SurfacePoints
        On `source`, one for each vertex of `target`.
    confidence : (V_t,) float64
    """
    if target is not target_proxy:
        surface = ClosestPoints(target_proxy.vertices, target_proxy.faces)
        normals = vertex_normals(target.vertices, target.faces)
        on_proxy, _ = surface(target.vertices, normals, MOST_TURNED)
        confidence = on_proxy.interpolate(confidence, target_proxy.faces)
        target_to_source = _refine(target_to_source, on_proxy, source_proxy, target_proxy)
    if source is source_proxy:
        return target_to_source, confidence
    proxy = ClosestPoints(source_proxy.vertices, source_proxy.faces)
    normals = vertex_normals(source_proxy.vertices, source_proxy.faces)
    at = target_to_source.interpolate(normals, source_proxy.faces)
    dense = ClosestPoints(source.vertices, source.faces)
    return dense(proxy.positions(target_to_source), at, MOST_TURNED)[0], confidence


def _refine(
    target_to_source: SurfacePoints,
    on_proxy: SurfacePoints,
    source_proxy: Surface,
    target_proxy: Surface,
) -> SurfacePoints:
    """The map at points (V_t,) on the target's proxy, still on the source's proxy."""
    corners = target_proxy.faces[on_proxy.face]
    main = corners[np.arange(len(corners)), on_proxy.barycentric.argmax(axis=1)]
    image = target_to_source.interpolate(source_proxy.vertices, source_proxy.faces)
    position = on_proxy.interpolate(image, target_proxy.faces)
    spread = np.linalg.norm(image[corners] - image[main][:, None], axis=2).max(axis=1)
    edges = source_proxy.vertices[source_proxy.faces]
    edge = np.linalg.norm(edges[:, 0] - edges[:, 1], axis=1).mean()
    position = np.where((spread > TORN * edge)[:, None], image[main], position)
    walk = SurfaceWalk(source_proxy.vertices, source_proxy.faces)
    return walk(target_to_source.face[main], position)
