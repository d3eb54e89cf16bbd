"""Extension of a map at vertices to all points of the target's triangles."""

from __future__ import annotations

import numpy as np

from ...surface.edges import side_lengths
from ...surface.surface import triangle_areas
from ..points import SurfacePoints
from ..walk import SurfaceWalk

# Images of one triangle's corners farther apart than this many times its longest edge (each in
# units of the square root of its surface's area) lie in different places of the source.
TORN = 8.0


class MapInside:
    """A map at vertices, interpolated inside triangles.

    A point is interpolated between the images of the corners, in space, and projected onto the
    source by a walk from the image of its nearest corner. Where the map is torn, it has the image
    of that corner.

    Parameters
    ----------
    target_to_source : SurfacePoints
        One for each target vertex.
    source_vertices, source_faces : (V_s, 3) float, (F_s, 3) int
    target_vertices, target_faces : (V_t, 3) float, (F_t, 3) int

    Attributes
    ----------
    image : (V_t, 3) float64
        Position of each target vertex's image.
    torn : (F_t,) bool
        Triangles whose corners have images in different places of the source.
    """

    def __init__(
        self,
        target_to_source: SurfacePoints,
        source_vertices: np.ndarray,
        source_faces: np.ndarray,
        target_vertices: np.ndarray,
        target_faces: np.ndarray,
    ):
        self._start, self._faces = target_to_source.face, target_faces
        self.image = target_to_source.interpolate(source_vertices, source_faces)
        self._walk = SurfaceWalk(source_vertices, source_faces)
        own = side_lengths(target_vertices[target_faces]).max(axis=1)
        mapped = side_lengths(self.image[target_faces]).max(axis=1)
        target_size = np.sqrt(triangle_areas(target_vertices, target_faces).sum())
        source_size = np.sqrt(triangle_areas(source_vertices, source_faces).sum())
        self.torn = mapped * target_size > TORN * own * source_size

    def __call__(self, points: SurfacePoints) -> SurfacePoints:
        """Images of points of the target on the source.

        Parameters
        ----------
        points : SurfacePoints
            On the target.

        Returns
        -------
        SurfacePoints
            On the source.
        """
        corners = self._faces[points.face]
        main = corners[np.arange(len(corners)), points.barycentric.argmax(axis=1)]
        image = np.zeros((len(points), 3))
        for corner in range(3):
            image += points.barycentric[:, corner, None] * self.image[corners[:, corner]]
        torn = self.torn[points.face]
        image[torn] = self.image[main[torn]]
        return self._walk(self._start[main], image)
