"""Source and target of a transfer, welded, and the map between them."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from ...errors import DiffusionNetError
from ...matching.points import SurfacePoints
from ...matching.transfer.attributes import face_labels_by_majority
from ...matching.transfer.corners import MapInside
from ...surface.repair import weld
from .layers import MeshShape

# Barycentric inset at which corners are sampled, so that each falls on its own side of a seam.
INSET = 0.02
Layer = TypeVar("Layer")


class WeldedPair:
    """Source and target with coincident vertices welded, and the map between them.

    A glTF is split along its seams, at which the map must be continuous and the target must not
    tear.

    Attributes
    ----------
    source, target : MeshShape
    points : SurfacePoints
        One for each vertex of the target, as given.
    source_faces, faces : (F, 3) int
        Triangles of welded vertices, of the source and of `target_mesh`.
    whole : (V_t,) int
        Vertex of the target that each one is welded to.
    kept : (W,) int
        Vertices of the target that remain.
    inside : MapInside
        The map at points within triangles.
    """

    def __init__(self, source: MeshShape, target: MeshShape, points: SurfacePoints):
        self.source, self.target, self.points = source, target, points
        self.source_faces = weld(source.vertices)[source.triangles]
        self.whole = weld(target.vertices)
        self.kept = np.unique(self.whole)
        self.faces = np.searchsorted(self.kept, self.whole)[target.triangles]
        self.inside = MapInside(
            points[self.whole],
            source.vertices,
            self.source_faces,
            target.vertices,
            self.whole[target.triangles],
        )

    @property
    def source_mesh(self) -> tuple[np.ndarray, np.ndarray]:
        """Vertices and welded triangles."""
        return self.source.vertices, self.source_faces

    @property
    def target_mesh(self) -> tuple[np.ndarray, np.ndarray]:
        """Welded vertices and their triangles."""
        return self.target.vertices[self.kept], self.faces

    def expanded(self, values: np.ndarray) -> np.ndarray:
        """Values at the welded vertices (W, ...) as values at those of the target (V_t, ...)."""
        return values[np.searchsorted(self.kept, self.whole)]

    def corner_points(self) -> SurfacePoints:
        """Image on the source of each corner of the target, (L,)."""
        _, first = np.unique(self.target.corners, return_index=True)
        triangle, corner = np.divmod(first, 3)
        shares = np.full((len(first), 3), INSET)
        shares[np.arange(len(first)), corner] = 1 - 2 * INSET
        return self.inside(SurfacePoints(triangle, shares))

    def face_points(self) -> tuple[SurfacePoints, np.ndarray]:
        """Images of four samples of each triangle, (4 F,), and the polygon of each sample."""
        shares = np.concatenate([np.full((1, 3), 1 / 3), (np.eye(3) * 3 + 1) / 6])
        count = len(self.target.triangles)
        triangle = np.repeat(np.arange(count), len(shares))
        points = self.inside(SurfacePoints(triangle, np.tile(shares, (count, 1))))
        return points, self.target.polygon_of_triangle[triangle]

    def majority(self, labels: np.ndarray) -> np.ndarray:
        """Labels of the source's triangles (F_s,) as labels of the target's polygons (P,)."""
        points, polygon = self.face_points()
        return face_labels_by_majority(points, polygon, labels, self.target.polygon_count)


def required(layer: Layer | None, name: str) -> Layer:
    """A layer that another one depends on."""
    if layer is None:
        raise DiffusionNetError(
            f"The source has no {name}", "Give it among the layers, as the other layers need it."
        )
    return layer
