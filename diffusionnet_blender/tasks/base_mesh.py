"""The base mesh beneath modifiers, and labels brought back to it from the mesh that they make.

Blender evaluates modifiers on a base mesh: mirrored, subdivided, thickened, decimated, remeshed.
The result is what one sees and what is segmented, here the *seen mesh*; labels belong on the base
mesh. Marks that the evaluation carries along, as it does with any attribute, show where the
elements of the seen mesh stem from. A base vertex is seen at its first image, the one nearest to
its own place: of a half with a Mirror modifier the half itself, not its mirror image.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from .labels import Labels, Polygons, polygon_labels

# Carried places differ from those of the base by the rounding of interpolation, as a share of the
# extent; those of new vertices are between those of others.
SAME_PLACE = 1e-6
# Centres of images of one piece of a polygon are as near, as a share of the extent.
SAME_PIECE = 1e-5
TINY = np.finfo(np.float32).tiny
# A polygon that is so many times as large as the one that it stems from has taken the place of
# several.
LARGER = 2.0
# Inside a triangle up to rounding, in barycentric coordinates.
INSIDE = -1e-4

AnyLabels = TypeVar("AnyLabels", bound=Labels)


@dataclass(frozen=True, eq=False)
class Mesh:
    """Polygons and their triangles.

    Attributes
    ----------
    coordinates : (V, 3) float
    triangles : (F, 3) int
    polygons : Polygons
        Their triangles in the order of the polygons.
    """

    coordinates: np.ndarray
    triangles: np.ndarray
    polygons: Polygons

    def centres(self, coordinates: np.ndarray | None = None) -> np.ndarray:
        """Means of the corners of the triangles of each polygon, (P, 3)."""
        places = self.coordinates if coordinates is None else coordinates
        means = places.astype(np.float64)[self.triangles].mean(axis=1)
        count = np.bincount(self.polygons.of_triangle, minlength=self.polygons.count)
        return self._sums(means) / np.maximum(count, 1)[:, None]

    def triangle_ranges(self) -> tuple[np.ndarray, np.ndarray]:
        """First triangle of each polygon, and the one after its last, (P,) int64 each."""
        of, numbers = self.polygons.of_triangle, np.arange(self.polygons.count)
        return np.searchsorted(of, numbers), np.searchsorted(of, numbers, side="right")

    def _sums(self, values: np.ndarray) -> np.ndarray:
        of, count = self.polygons.of_triangle, self.polygons.count
        return np.stack([np.bincount(of, column, count) for column in values.T], axis=1)


@dataclass(frozen=True, eq=False)
class Marks:
    """What the evaluation has carried from a base mesh to a seen mesh.

    Attributes
    ----------
    vertex : (N,) int32
        1 + the number of the base vertex; 0 for none. A number between others, where a vertex is
        new between several.
    place : (N, 3) float32
        Anchor of the base vertex, or between those of several. The anchors of the base, (V, 3), are
        where its vertices lie without the modifiers that make geometry.
    polygon : (M,) int32
        1 + the number of the base polygon; 0 for none.
    """

    vertex: np.ndarray
    place: np.ndarray
    polygon: np.ndarray

    @classmethod
    def of(cls, base: Mesh, anchors: np.ndarray) -> Marks:
        """Those of a base mesh itself."""
        return cls(
            np.arange(1, len(base.coordinates) + 1, dtype=np.int32),
            anchors.astype(np.float32),
            np.arange(1, base.polygons.count + 1, dtype=np.int32),
        )

    def images(self, anchors: np.ndarray) -> np.ndarray:
        """Base vertex that each seen vertex is an image of, (N,) int64; -1 for new vertices."""
        found = self.vertex.astype(np.int64) - 1
        found[(found < 0) | (found >= len(anchors))] = -1
        known = np.flatnonzero(found >= 0)
        if len(known):
            # A mark that was mixed from several is no vertex of that number.
            away = np.abs(self.place[known] - anchors[found[known]]).max(axis=1)
            tolerance = SAME_PLACE * np.abs(anchors).max()
            found[known[~(away <= tolerance)]] = -1
        return found


@dataclass(frozen=True, eq=False)
class ToBase:
    """How values come back from a seen mesh to its base mesh.

    Attributes
    ----------
    base : Mesh
    base_areas : (F,) float64
        Of the base mesh's triangles, in the squared unit of the surface.
    anchors : (V, 3) float
        Of its vertices, see `Marks`.
    corners : (V, 3) int64
        Seen vertices that each base vertex lies between.
    shares : (V, 3) float32
        Its barycentric coordinates.
    votes : (M,) int32
        Base polygon that each seen polygon is an image of; -1 for none, and for other images than
        the first.
    """

    base: Mesh
    base_areas: np.ndarray
    anchors: np.ndarray
    corners: np.ndarray
    shares: np.ndarray
    votes: np.ndarray

    def values(self, values: np.ndarray) -> np.ndarray:
        """Values at seen vertices (N, ...) at those of the base mesh, (V, ...)."""
        return np.einsum("vc,vc...->v...", self.shares, values[self.corners])

    def labels(self, labels: AnyLabels) -> AnyLabels:
        """Labels of the seen mesh on its base mesh.

        A base polygon takes the vote of what is seen of it, by area; one that is not seen takes
        the labels of its vertices.
        """
        probabilities = self.values(labels.vertex_probabilities).astype(np.float32)
        polygons, classes = self.base.polygons, probabilities.shape[1]
        own = polygon_labels(probabilities, self.base.triangles, self.base_areas, polygons)
        own_areas = polygons.areas(self.base_areas)
        voting = np.flatnonzero(self.votes >= 0)
        is_piece = labels.polygon_areas[voting] <= LARGER * own_areas[self.votes[voting]]
        voting = voting[is_piece]
        # Polygons without area vote as well where there are no others.
        weights = np.maximum(labels.polygon_areas[voting], TINY)
        places = self.votes[voting].astype(np.int64) * classes + labels.polygon_labels[voting]
        counted = np.bincount(places, weights, minlength=polygons.count * classes)
        counted = counted.reshape(polygons.count, classes)
        return replace(
            labels,
            vertex_probabilities=probabilities,
            polygon_labels=np.where(counted.any(axis=1), counted.argmax(axis=1), own).astype(
                np.int32
            ),
            polygon_areas=own_areas,
            topology=polygons.topology,
        )


def first_images(
    images: np.ndarray, seen_coordinates: np.ndarray, anchors: np.ndarray
) -> np.ndarray:
    """The seen vertex that is the first image of each base vertex, (V,) int64; -1 for none.

    Parameters
    ----------
    images : (N,) int
        Base vertex of each seen vertex, -1 for none.
    seen_coordinates : (N, 3) float
    anchors : (V, 3) float
        Of the base vertices, see `Marks`.
    """
    seen = np.flatnonzero(images >= 0)
    of = images[seen]
    away = np.linalg.norm(seen_coordinates[seen] - anchors[of], axis=1)
    order = np.lexsort((away, of))
    seen, of = seen[order], of[order]
    is_first = np.ones(len(of), dtype=bool)
    is_first[1:] = of[1:] != of[:-1]
    found = np.full(len(anchors), -1, dtype=np.int64)
    found[of[is_first]] = seen[is_first]
    return found


def polygon_votes(marks: Marks, seen: Mesh, base: Mesh) -> np.ndarray:
    """Base polygon that each seen polygon votes for, (M,) int32; -1 for none.

    Of the images of one piece of a base polygon, the one nearest to its place votes: neither mirror
    images nor copies do, nor the inner side of a shell.

    Parameters
    ----------
    marks : Marks
    seen, base : Mesh
    """
    votes = marks.polygon.astype(np.int64) - 1
    votes[(votes < 0) | (votes >= base.polygons.count)] = -1
    voting = np.flatnonzero(votes >= 0)
    of = votes[voting]
    places = seen.centres(marks.place)[voting]
    away = np.linalg.norm(seen.centres()[voting] - places, axis=1)
    step = SAME_PIECE * np.ptp(base.coordinates, axis=0).max(initial=0.0) + TINY
    cells = np.round(places / step).astype(np.int64)
    order = np.lexsort((away, *cells.T, of))
    key = np.column_stack([of, cells])[order]
    is_other = np.zeros(len(order), dtype=bool)
    is_other[1:] = (key[1:] == key[:-1]).all(axis=1)
    votes[voting[order[is_other]]] = -1
    return votes.astype(np.int32)


def base_vertices(marks: Marks, seen: Mesh, base: Mesh, anchors: np.ndarray) -> np.ndarray:
    """The base vertex that each seen vertex stems from, (N,) int64; -1 where none is marked.

    One that is new in a base polygon stems from the nearest corner of it.
    """
    found = marks.images(anchors)
    polygon = np.full(len(found), -1, dtype=np.int64)
    polygon[seen.triangles] = (marks.polygon[seen.polygons.of_triangle] - 1)[:, None]
    polygon[polygon >= base.polygons.count] = -1
    start, end = base.triangle_ranges()
    best = np.full(len(found), np.inf)
    left, step = np.flatnonzero((found < 0) & (polygon >= 0)), 0
    while len(left):
        left = left[start[polygon[left]] + step < end[polygon[left]]]
        for corner in base.triangles[start[polygon[left]] + step].T:
            away = np.linalg.norm(marks.place[left] - anchors[corner], axis=1)
            nearer = away < best[left]
            best[left[nearer]], found[left[nearer]] = away[nearer], corner[nearer]
        step += 1
    return found


def within_polygons(
    points: np.ndarray, polygon: np.ndarray, mesh: Mesh
) -> tuple[np.ndarray, np.ndarray]:
    """Corners (n, 3) int64 and barycentric coordinates (n, 3) of points on polygons of a mesh.

    Parameters
    ----------
    points : (n, 3) float
    polygon : (n,) int
        The polygon that each lies on.
    mesh : Mesh
    """
    start, end = mesh.triangle_ranges()
    corners = np.zeros((len(points), 3), dtype=np.int64)
    shares = np.zeros((len(points), 3))
    best = np.full(len(points), -np.inf)
    left, step = np.arange(len(points)), 0
    while len(left):
        triangles = mesh.triangles[start[polygon[left]] + step]
        found = _barycentric(points[left], mesh.coordinates[triangles].astype(np.float64))
        least = found.min(axis=1)
        better = least > best[left]
        chosen = left[better]
        best[chosen] = least[better]
        corners[chosen], shares[chosen] = triangles[better], found[better]
        step += 1
        left = left[(best[left] < INSIDE) & (start[polygon[left]] + step < end[polygon[left]])]
    shares = np.maximum(shares, 0.0)
    return corners, shares / shares.sum(axis=1, keepdims=True)


def _barycentric(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Barycentric coordinates (n, 3) of points (n, 3) in the planes of triangles (n, 3, 3)."""
    b, c, p = (x - corners[:, 0] for x in (corners[:, 1], corners[:, 2], points))
    bb, bc, cc, pb, pc = (
        np.einsum("ni,ni->n", u, v) for u, v in ((b, b), (b, c), (c, c), (p, b), (p, c))
    )
    area = bb * cc - bc * bc
    flat = area <= 1e-12 * bb * cc
    safe = np.where(flat, 1.0, area)
    second, third = (cc * pb - bc * pc) / safe, (bb * pc - bc * pb) / safe
    found = np.stack([1.0 - second - third, second, third], axis=1)
    # Of a triangle without area the corners are worth the same; others are preferred.
    return np.where(flat[:, None], [[-1.0, -1.0, 3.0]], found)
