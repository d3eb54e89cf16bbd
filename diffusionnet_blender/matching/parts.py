"""Small loose parts, as eyes and teeth: matched part to part, by the surface around them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..surface.loose_parts import label_mesh_parts
from ..surface.surface import Surface, triangle_areas
from ..surface.winding import vertex_normals
from .closest import ClosestPoints
from .points import SurfacePoints
from .similarity import similarity

# Loose parts with less than this share of the area of the largest one are small.
SMALL = 0.05
# A small part moves with the surface within so many of its radii, and at least so many vertices.
REACH = 5.0
AROUND = 200
# Of two small parts that correspond, the centres are no farther apart than this many radii,
# and the sizes differ by no more than this factor.
FARTHEST = 1.0
SIZES = 2.0
MOST_TURNED = 75.0


@dataclass(frozen=True, eq=False)
class Parts:
    """A surface split into its main part and small ones.

    Attributes
    ----------
    whole : Surface
    main : Surface
        The same object where there are no small parts.
    main_vertex, main_face : (M,), (F,) int64
        Vertices and triangles of the main part among those of the whole.
    part : (V,) int64
        Number of the small part of each vertex, -1 in the main part.
    """

    whole: Surface
    main: Surface
    main_vertex: np.ndarray
    main_face: np.ndarray
    part: np.ndarray

    @property
    def count(self) -> int:
        """Number of small parts."""
        return int(self.part.max()) + 1

    def of(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Vertices and triangles of a small part."""
        inside = self.part == number
        return np.flatnonzero(inside), np.flatnonzero(inside[self.whole.faces[:, 0]])


def split_parts(surface: Surface) -> Parts:
    """Split small loose parts off a surface.

    Parameters
    ----------
    surface : Surface
        As `repair.repair` leaves it.
    """
    faces, count = surface.faces, len(surface.vertices)
    label = label_mesh_parts(count, faces)
    area = np.bincount(
        label[faces[:, 0]], triangle_areas(surface.vertices, faces), minlength=label.max() + 1
    )
    small = area < SMALL * area.max()
    number = np.where(small, np.cumsum(small) - 1, -1)
    part = number[label]
    main_vertex = np.flatnonzero(part < 0)
    main_face = np.flatnonzero(part[faces[:, 0]] < 0)
    main = surface
    if small.any():
        place = np.full(count, -1)
        place[main_vertex] = np.arange(len(main_vertex))
        main = Surface(surface.vertices[main_vertex], place[faces[main_face]])
    return Parts(surface, main, main_vertex, main_face, part)


def place_parts(
    points: SurfacePoints, confidence: np.ndarray, source: Parts, target: Parts
) -> tuple[SurfacePoints, np.ndarray]:
    """Extend the map of the main parts to the whole surfaces.

    A small part moves by the similarity that fits the surface around it, onto the nearest small
    part of the source of about its size; without one, onto the main part.

    Parameters
    ----------
    points : SurfacePoints
        On `source.main`, one for each vertex of `target.main`.
    confidence : (M,) float
    source, target : Parts

    Returns
    -------
    points : SurfacePoints
        On `source.whole`, one for each vertex of `target.whole`.
    confidence : (V,) float64
        That of a small part is the mean of the surface around it, half of it without a partner.
    """
    count = len(target.whole.vertices)
    face, barycentric = np.zeros(count, dtype=np.int64), np.zeros((count, 3))
    extended = np.zeros(count)
    face[target.main_vertex] = source.main_face[points.face]
    barycentric[target.main_vertex] = points.barycentric
    extended[target.main_vertex] = confidence
    image = points.interpolate(source.main.vertices, source.main.faces)
    partners = [source.whole.vertices[source.of(number)[0]] for number in range(source.count)]
    surface = None
    for number in range(target.count):
        vertices, faces = target.of(number)
        if not len(faces):
            continue
        own = target.whole.vertices[vertices]
        moved, rotation, near = moved_along(own, target.main.vertices, image)
        normals = vertex_normals(target.whole.vertices, target.whole.faces[faces])[vertices]
        partner = _partner(moved, partners)
        if partner < 0:
            if surface is None:
                surface = ClosestPoints(source.main.vertices, source.main.faces)
            found = surface(moved)[0]
            face[vertices], barycentric[vertices] = source.main_face[found.face], found.barycentric
            extended[vertices] = 0.5 * confidence[near].mean()
            continue
        partner_faces = source.of(partner)[1]
        goal = partners[partner]
        moved = goal.mean(axis=0) + (moved - moved.mean(axis=0)) * (radius(goal) / radius(moved))
        closest = ClosestPoints(source.whole.vertices, source.whole.faces[partner_faces])
        found, _ = closest(moved, normals @ rotation.T, MOST_TURNED)
        face[vertices], barycentric[vertices] = partner_faces[found.face], found.barycentric
        extended[vertices] = confidence[near].mean()
    return SurfacePoints(face, barycentric), extended


def moved_along(
    points: np.ndarray, around: np.ndarray, image: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points moved by the similarity that fits the surface around them.

    Parameters
    ----------
    points : (n, 3) float
    around, image : (V, 3) float
        Vertices of the surface, and where they go.

    Returns
    -------
    moved : (n, 3);  rotation : (3, 3)
    near : (m,) int64
        The vertices that were fitted.
    """
    away = np.square(around - points.mean(axis=0)).sum(axis=1)
    reached = np.count_nonzero(away < np.square(REACH * radius(points)))
    near = np.argsort(away)[: max(AROUND, reached)]
    rotation, scale, shift = similarity(around[near], image[near])
    return scale * points @ rotation.T + shift, rotation, near


def _partner(moved: np.ndarray, partners: list[np.ndarray]) -> int:
    """Index of the part (n, 3) nearest to a moved one (m, 3) and of about its size, or -1."""
    best, chosen = float("inf"), -1
    reach = radius(moved)
    for number, goal in enumerate(partners):
        ratio = radius(goal) / reach
        away = float(np.linalg.norm(goal.mean(axis=0) - moved.mean(axis=0))) / reach
        if 1 / SIZES < ratio < SIZES and away < FARTHEST and away < best:
            best, chosen = away, number
    return chosen


def radius(vertices: np.ndarray) -> float:
    """Root mean square distance of points (n, 3) from their mean."""
    away = vertices - vertices.mean(axis=0)
    return float(max(np.sqrt(np.square(away).sum(axis=1).mean()), 1e-12))
