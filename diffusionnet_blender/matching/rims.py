"""Open rims of a mesh, as of the holes in a scan: closest points pile up there."""

from __future__ import annotations

import numpy as np

from ..surface.edges import unique_edges
from ..surface.repair import weld
from .points import SurfacePoints

# A share of a corner below this is none.
NONE = 1e-6


def is_on_rim(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Which vertices lie on an open rim, (V,) bool; seams of vertices at the same place are closed.

    Parameters
    ----------
    vertices : (V, 3) float
    faces : (F, 3) int
    """
    welded = weld(vertices)
    edges, uses = unique_edges(welded[faces])
    rim = np.zeros(len(vertices), dtype=bool)
    rim[edges[uses == 1]] = True
    return rim[welded]


def end_on_rim(points: SurfacePoints, faces: np.ndarray, rim: np.ndarray) -> np.ndarray:
    """Which points lie on an edge or a vertex of a rim, (N,) bool.

    Parameters
    ----------
    points : SurfacePoints
    faces : (F, 3) int
    rim : (V,) bool
        Of `is_on_rim`.
    """
    corners = points.barycentric > NONE
    return ~corners.all(axis=1) & (rim[faces[points.face]] | ~corners).all(axis=1)
