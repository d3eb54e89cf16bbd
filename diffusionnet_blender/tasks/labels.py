"""Labels of a mesh: class probabilities at vertices, classes of polygons, majority votes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..surface.surface import Surface, blocks, corners, triangle_areas
from .doubts import in_short


@dataclass(frozen=True, eq=False)
class Polygons:
    """Polygons of a mesh: sets of triangles of its surface.

    Attributes
    ----------
    of_triangle : (F,) int
        Polygon of each triangle.
    count : int
    topology : str
        Digest of the vertices of all polygons; empty where the topology is not compared later.
    """

    of_triangle: np.ndarray
    count: int
    topology: str = ""

    @classmethod
    def triangles(cls, surface: Surface) -> Polygons:
        """Every triangle of a surface as a polygon of its own."""
        count = len(surface.faces)
        return cls(np.arange(count, dtype=np.int32), count)

    def areas(self, triangle_areas: np.ndarray) -> np.ndarray:
        """Areas of the polygons, (P,) float64, from those of the triangles, (F,)."""
        return np.bincount(self.of_triangle, weights=triangle_areas, minlength=self.count)


@dataclass(frozen=True, eq=False)
class Labels:
    """Classes at the vertices and polygons of a mesh.

    Attributes
    ----------
    class_names : tuple of str
    class_colours : (C, 3) float
        sRGB, 0 to 1.
    vertex_probabilities : (V, C) float32
        In the order of the vertices of the input.
    polygon_labels : (P,) int32
        Empty for a point cloud.
    polygon_areas : (P,) float64
        In the squared unit of the surface.
    topology : str
        Of the mesh, see `Polygons`.
    model_name : str
    unsure_of : tuple of str
        All that the model is unsure of on the whole figure, see `doubts.doubts_of`.
    """

    class_names: tuple[str, ...]
    class_colours: np.ndarray
    vertex_probabilities: np.ndarray
    polygon_labels: np.ndarray
    polygon_areas: np.ndarray
    topology: str
    model_name: str
    unsure_of: tuple[str, ...] = field(default=(), kw_only=True)

    @cached_property
    def vertex_labels(self) -> np.ndarray:
        """Most probable class of each vertex, (V,) int32."""
        return self.vertex_probabilities.argmax(axis=1).astype(np.int32)

    @property
    def confidence(self) -> np.ndarray:
        """Probability of that class, (V,) float32."""
        return self.vertex_probabilities.max(axis=1)

    @property
    def doubts(self) -> tuple[str, ...]:
        """What the model is unsure of: "sides", then parts by area; "whole figure" for many."""
        return in_short(self.unsure_of)


def labels_of(
    vertex_probabilities: np.ndarray,
    surface: Surface,
    polygons: Polygons,
    class_names: Sequence[str],
    class_colours: np.ndarray,
    model_name: str,
) -> Labels:
    """Labels of a mesh from the probabilities at its vertices, (V, C) float32."""
    labels, areas = polygon_classes(vertex_probabilities, surface, polygons)
    return Labels(
        class_names=tuple(class_names),
        class_colours=class_colours,
        vertex_probabilities=vertex_probabilities,
        polygon_labels=labels,
        polygon_areas=areas,
        topology=polygons.topology,
        model_name=model_name,
    )


def polygon_classes(
    vertex_probabilities: np.ndarray, surface: Surface, polygons: Polygons
) -> tuple[np.ndarray, np.ndarray]:
    """Classes and areas of polygons, (P,) int32 and (P,) float64.

    Parameters
    ----------
    vertex_probabilities : (V, C) float
    surface : Surface
    polygons : Polygons
    """
    areas = triangle_areas(surface.vertices, surface.faces)
    labels = polygon_labels(vertex_probabilities, surface.faces, areas, polygons)
    return labels, polygons.areas(areas)


def triangle_labels(vertex_probabilities: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Class of each triangle: the highest mean probability of its corners (paper 4).

    Parameters
    ----------
    vertex_probabilities : (V, C) float
    triangles : (F, 3) int

    Returns
    -------
    (F,) int32
    """
    labels = np.empty(len(triangles), dtype=np.int32)
    for block in blocks(len(triangles)):
        first, second, third = corners(vertex_probabilities, triangles[block])
        labels[block] = (first + second + third).argmax(axis=1)
    return labels


def polygon_labels(
    vertex_probabilities: np.ndarray,
    triangles: np.ndarray,
    areas: np.ndarray,
    polygons: Polygons,
) -> np.ndarray:
    """Class of each polygon: the area-weighted vote of its triangles.

    Parameters
    ----------
    vertex_probabilities : (V, C) float
    triangles : (F, 3) int
    areas : (F,) float
        Any unit.
    polygons : Polygons

    Returns
    -------
    (P,) int32
    """
    label = triangle_labels(vertex_probabilities, triangles)
    # The triangles of a polygon of zero area vote with equal weights.
    weight = np.maximum(areas, np.finfo(np.float32).tiny)
    class_count = vertex_probabilities.shape[1]
    vote = polygons.of_triangle.astype(np.int64) * class_count + label
    voted = np.bincount(vote, weight, minlength=polygons.count * class_count)
    return voted.reshape(polygons.count, class_count).argmax(axis=1).astype(np.int32)


def vertex_labels(
    vertices: np.ndarray, labels: np.ndarray, weights: np.ndarray, vertex_count: int
) -> np.ndarray:
    """Class of each vertex by the vote of the corners that lie on it.

    Parameters
    ----------
    vertices : (L,) int
        Vertex of each corner.
    labels : (L,) int
        Class of each corner; -1 does not vote.
    weights : (L,) float
        Weight of the vote of each corner, above 0.
    vertex_count : int

    Returns
    -------
    (V,) int32
        -1 at a vertex without votes.
    """
    votes = np.flatnonzero(labels >= 0)
    if not len(votes):
        return np.full(vertex_count, -1, dtype=np.int32)
    classes = int(labels.max()) + 1
    place = vertices[votes].astype(np.int64) * classes + labels[votes]
    counted = np.bincount(place, weights[votes], minlength=vertex_count * classes)
    counted = counted.reshape(vertex_count, classes)
    return np.where(counted.any(axis=1), counted.argmax(axis=1), -1).astype(np.int32)
