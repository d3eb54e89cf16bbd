"""A mesh as it bends, a few times a second, as an intermediate result."""

from __future__ import annotations

from time import monotonic

import numpy as np

from ...surface.edges import unique_edges
from ...surface.proxy import make_proxy
from ...surface.surface import Surface
from ..progress import Progress
from .request import MeshSoFar

# Vertices that are shown at most, about; and seconds between two looks.
SHOWN, PERIOD = 3000, 0.2


class Watch:
    """Reports a mesh as it bends.

    Parameters
    ----------
    surface : Surface
        The mesh, as `surface.repair` leaves it.
    progress : Progress
    """

    def __init__(self, surface: Surface, progress: Progress[MeshSoFar]):
        self._progress, self._last = progress, -np.inf
        self._vertex = np.arange(len(surface.vertices))
        faces = surface.faces
        if len(surface.vertices) > SHOWN:
            proxy = make_proxy(surface, SHOWN)
            self._vertex, faces = proxy.vertex, proxy.surface.faces
        self._edges = unique_edges(faces)[0].astype(np.int32)

    def __call__(self, vertices: np.ndarray) -> None:
        """Report where vertices (V, 3) are, unless that was done just now."""
        if monotonic() - self._last < PERIOD:
            return
        self._last = monotonic()
        shown = vertices[self._vertex].astype(np.float32)
        self._progress.report(MeshSoFar(shown, self._edges))
