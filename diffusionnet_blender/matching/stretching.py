"""How much a map stretches the surface."""

from __future__ import annotations

import numpy as np

from ..surface.edges import unique_edges
from .points import SurfacePoints
from .spectral import SpectralMesh

# In units of the square root of the area: an edge that is mapped to a point counts as so long.
SHORTEST = 1e-3


def stretching(source: SpectralMesh, target: SpectralMesh, points: SurfacePoints) -> float:
    """Mean deviation of the logarithms of the factors by which a map stretches edges.

    Parameters
    ----------
    source, target : SpectralMesh
    points : SurfacePoints
        On the source, one for each vertex of the target.
    """
    image = points.interpolate(source.vertices, source.faces)
    edges, _ = unique_edges(target.faces)
    own, mapped = (
        np.linalg.norm(places[edges[:, 0]] - places[edges[:, 1]], axis=1) + SHORTEST
        for places in (target.vertices, image)
    )
    factor = np.log(mapped / own)
    return float(np.abs(factor - np.median(factor)).mean())
