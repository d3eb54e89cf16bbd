"""Labels corrected after a run: parts grown, shrunk, smoothed, merged and exchanged.

Labels are those of *elements*: the faces of a mesh, or the points of a cloud. Elements that share a
corner are neighbours. Corners are vertices, those at the same place taken as one, since a mesh that
is split along its UV seams is whole all the same; a point of a cloud has a corner for each of its
nearest points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from ..surface.repair import weld
from ..surface.surface import Surface

# Points of a cloud that are neighbours, with the point itself.
NEAREST = 6
# Averages in a round of smoothing. On a sample character borders end up 30% shorter with 4, 24%
# with 3, 16% with 2; with more, they drift.
SPREADS = 4


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """Which elements touch which corners.

    Attributes
    ----------
    incidence : (E, W) sparse float32
        1 where an element has a corner.
    corner_of_vertex : (V,) int
    """

    incidence: sparse.csr_matrix
    corner_of_vertex: np.ndarray

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Mean over the neighbours of each element: every corner averages, and then every element.

        Parameters
        ----------
        values : (E, C) float32

        Returns
        -------
        (E, C) float32
        """
        at_corners = self.incidence.T @ values
        at_corners /= np.maximum(_row_sums(self.incidence.T), 1)[:, None]
        return (self.incidence @ at_corners) / np.maximum(_row_sums(self.incidence), 1)[:, None]

    def touched_by(self, chosen: np.ndarray) -> np.ndarray:
        """Which elements share a corner with a chosen one, or are chosen; (E,) bool."""
        corners = self.incidence.T @ chosen.astype(np.float32) > 0
        return self.incidence @ corners.astype(np.float32) > 0

    def vertices_of(self, chosen: np.ndarray) -> np.ndarray:
        """Which vertices chosen elements have; (V,) bool."""
        return (self.incidence.T @ chosen.astype(np.float32) > 0)[self.corner_of_vertex]


def neighbourhood_of(surface: Surface, polygon_of_triangle: np.ndarray) -> Neighbourhood:
    """Neighbours of the polygons of a mesh, or of the points of a cloud.

    Parameters
    ----------
    surface : Surface
        In triangles; without any, a point cloud.
    polygon_of_triangle : (F,) int
    """
    if surface.is_point_cloud:
        count = len(surface.vertices)
        _, nearest = cKDTree(surface.vertices).query(surface.vertices, min(NEAREST, count))
        point = np.repeat(np.arange(count), nearest.shape[1])
        corner_of_vertex = np.arange(count)
        pairs = (nearest.ravel(), point)
        shape = (count, count)
    else:
        corner_of_vertex = weld(surface.vertices)
        pairs = (np.repeat(polygon_of_triangle, 3), corner_of_vertex[surface.faces].ravel())
        shape = (int(polygon_of_triangle.max()) + 1, len(surface.vertices))
    incidence = sparse.csr_matrix((np.ones(len(pairs[0]), np.float32), pairs), shape=shape)
    # Triangles of one polygon share corners, which were added up.
    incidence.data[:] = 1
    return Neighbourhood(incidence, corner_of_vertex)


def grow(labels: np.ndarray, near: Neighbourhood, part: int, steps: int = 1) -> np.ndarray:
    """Give a part the elements around it, ring by ring; (E,) int32."""
    inside = labels == part
    for _ in range(steps):
        inside = near.touched_by(inside)
    return np.where(inside, part, labels).astype(np.int32)


def shrink(labels: np.ndarray, near: Neighbourhood, part: int, steps: int = 1) -> np.ndarray:
    """Give the elements at the border of a part to the parts next to it, ring by ring; (E,) int32.

    A part that nothing touches stays as it is.
    """
    labels = labels.astype(np.int32)
    for _ in range(steps):
        border = (labels == part) & near.touched_by(labels != part)
        if not border.any():
            break
        votes = near.spread(_one_hot(labels, labels.max() + 1))
        votes[:, part] = 0
        labels = np.where(border, votes.argmax(axis=1), labels).astype(np.int32)
    return labels


def smooth(
    labels: np.ndarray, near: Neighbourhood, steps: int = 4, part: int | None = None
) -> np.ndarray:
    """Straighten the borders: diffuse the indicator of each part, then take the largest.

    That is threshold dynamics: borders move towards the side on which they are concave, as fast
    as they are curved (Merriman, Bence and Osher 1992).

    Parameters
    ----------
    labels : (E,) int
    near : Neighbourhood
    steps : int
        Rounds of that; after about eight, borders stay where they are.
    part : int, optional
        Move the borders of this part alone.

    Returns
    -------
    (E,) int32
    """
    labels = labels.astype(np.int32)
    for _ in range(steps):
        names, found = np.unique(labels, return_inverse=True)
        values = _one_hot(found, len(names))
        for _ in range(SPREADS):
            values = near.spread(values)
        smoothed = names[values.argmax(axis=1)]
        if part is not None:
            smoothed = np.where((labels == part) | (smoothed == part), smoothed, labels)
        labels = smoothed
    return labels


def remove_islands(
    labels: np.ndarray,
    near: Neighbourhood,
    sizes: np.ndarray,
    smallest: float,
    part: int | None = None,
) -> np.ndarray:
    """Give small islands of a part to the parts around them.

    Parameters
    ----------
    labels : (E,) int
    near : Neighbourhood
    sizes : (E,) float
        Areas of the faces, for example.
    smallest : float
        An island is small below this share of its part's largest piece. One that is a loose part
        of the mesh touches no other part, and stays.
    part : int, optional
        Look at the islands of this part alone.

    Returns
    -------
    (E,) int32
    """
    piece = _pieces(labels, near)
    size = np.bincount(piece, weights=sizes)
    part_of_piece = np.zeros(len(size), dtype=np.int64)
    part_of_piece[piece] = labels
    largest = np.zeros(labels.max() + 1)
    np.maximum.at(largest, part_of_piece, size)
    small = size < smallest * largest[part_of_piece]
    if part is not None:
        small &= part_of_piece == part
    return _flood(labels, near, small[piece])


def follow_faces(
    vertex_labels: np.ndarray, before: np.ndarray, after: np.ndarray, near: Neighbourhood
) -> np.ndarray:
    """Labels of vertices where the labels of faces have changed.

    Parameters
    ----------
    vertex_labels : (V,) int
    before, after : (E,) int
        Labels of the faces.
    near : Neighbourhood

    Returns
    -------
    (V,) int32
        A vertex of a face that changed has the label of most of its faces, and keeps its own
        where that is one of several; all others keep theirs.
    """
    touched = near.vertices_of(before != after)
    count = 1 + max(int(after.max(initial=0)), int(vertex_labels.max(initial=0)))
    votes = (near.incidence.T @ _one_hot(after, count))[near.corner_of_vertex[touched]]
    votes[np.arange(len(votes)), vertex_labels[touched]] += 0.5
    followed = vertex_labels.astype(np.int32)
    followed[touched] = votes.argmax(axis=1)
    return followed


def decide(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Probabilities whose most probable class is the one that was chosen; (V, C) float32.

    Parameters
    ----------
    probabilities : (V, C) float32
    labels : (V,) int
        What an artist decides is certain: where it differs, the class has probability 1.
    """
    changed = probabilities.argmax(axis=1) != labels
    decided = probabilities.astype(np.float32)
    decided[changed] = _one_hot(labels[changed], probabilities.shape[1])
    return decided


def merge(
    probabilities: np.ndarray, labels: np.ndarray, part: int, into: int
) -> tuple[np.ndarray, np.ndarray]:
    """Add one part to another; those behind it move up by one.

    Parameters
    ----------
    probabilities : (V, C) float32
    labels : (E,) int
    part, into : int

    Returns
    -------
    probabilities : (V, C - 1) float32
    labels : (E,) int32
    """
    merged = probabilities.astype(np.float32)
    merged[:, into] += merged[:, part]
    number = np.arange(probabilities.shape[1])
    number[part] = into
    number -= number > part
    return np.delete(merged, part, axis=1), number[labels].astype(np.int32)


def _pieces(labels: np.ndarray, near: Neighbourhood) -> np.ndarray:
    """Connected pieces of equal labels: number of each element's, (E,) int."""
    pairs = near.incidence.tocoo()
    # A corner exists once for each label around it.
    key = pairs.col.astype(np.int64) * (int(labels.max()) + 1) + labels[pairs.row]
    corners, corner = np.unique(key, return_inverse=True)
    count = len(labels) + len(corners)
    graph = sparse.coo_matrix(
        (np.ones(len(key), np.int8), (pairs.row, len(labels) + corner)), shape=(count, count)
    )
    return csgraph.connected_components(graph, directed=False)[1][: len(labels)]


def _flood(labels: np.ndarray, near: Neighbourhood, unknown: np.ndarray) -> np.ndarray:
    """Label unknown elements from their neighbours inward; what nothing reaches keeps its own."""
    labels = labels.astype(np.int32)
    while unknown.any():
        values = _one_hot(labels, labels.max() + 1)
        values[unknown] = 0
        votes = near.spread(values)
        reached = unknown & (votes.max(axis=1) > 0)
        if not reached.any():
            break
        labels[reached] = votes[reached].argmax(axis=1)
        unknown = unknown & ~reached
    return labels


def _one_hot(labels: np.ndarray, count: int) -> np.ndarray:
    values = np.zeros((len(labels), int(count)), dtype=np.float32)
    values[np.arange(len(labels)), labels] = 1
    return values


def _row_sums(matrix: sparse.spmatrix) -> np.ndarray:
    return np.asarray(matrix.sum(axis=1)).ravel()
