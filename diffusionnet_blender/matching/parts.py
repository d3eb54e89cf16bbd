"""Small loose parts, as eyes and teeth: kept out of the map, and placed by what is around them."""

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
# The surface within so many radii of a small part, and so many vertices of it at least, say how
# it is moved to the other shape.
REACH = 5.0
AROUND = 200
# Of two small parts that belong together, the middles are no farther apart than this many radii,
# and the sizes differ by no more than this factor.
FARTHEST = 1.0
SIZES = 2.0
MOST_TURNED = 75.0


@dataclass(frozen=True, eq=False)
class Parts:
    """A surface cut into its main part and small ones.

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
    """Tell the main part of a surface from small loose ones.

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
    """The map of the main parts carried to the whole surfaces.

    A small part is moved as the surface around it is, and lies on the small part of the source
    that it comes to; where there is none, on the main part.

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
        A small part is as sure as what is around it, and less where it has no partner.
    """
    count = len(target.whole.vertices)
    face, barycentric = np.zeros(count, dtype=np.int64), np.zeros((count, 3))
    sure = np.zeros(count)
    face[target.main_vertex] = source.main_face[points.face]
    barycentric[target.main_vertex] = points.barycentric
    sure[target.main_vertex] = confidence
    image = points.interpolate(source.main.vertices, source.main.faces)
    partners = [source.whole.vertices[source.of(number)[0]] for number in range(source.count)]
    surface = None
    for number in range(target.count):
        vertices, faces = target.of(number)
        if not len(faces):
            continue
        own = target.whole.vertices[vertices]
        away = np.square(target.main.vertices - own.mean(axis=0)).sum(axis=1)
        reached = np.count_nonzero(away < np.square(REACH * _radius(own)))
        near = np.argsort(away)[: max(AROUND, reached)]
        turn, scale, shift = similarity(target.main.vertices[near], image[near])
        moved = scale * own @ turn.T + shift
        normals = vertex_normals(target.whole.vertices, target.whole.faces[faces])[vertices]
        partner = _partner(moved, partners)
        if partner < 0:
            if surface is None:
                surface = ClosestPoints(source.main.vertices, source.main.faces)
            found = surface(moved)[0]
            face[vertices], barycentric[vertices] = source.main_face[found.face], found.barycentric
            sure[vertices] = 0.5 * confidence[near].mean()
            continue
        there = source.of(partner)[1]
        goal = partners[partner]
        moved = goal.mean(axis=0) + (moved - moved.mean(axis=0)) * (_radius(goal) / _radius(moved))
        closest = ClosestPoints(source.whole.vertices, source.whole.faces[there])
        found, _ = closest(moved, normals @ turn.T, MOST_TURNED)
        face[vertices], barycentric[vertices] = there[found.face], found.barycentric
        sure[vertices] = confidence[near].mean()
    return SurfacePoints(face, barycentric), sure


def _partner(moved: np.ndarray, partners: list[np.ndarray]) -> int:
    """The part that a moved one comes to lie on, or -1."""
    best, chosen = np.inf, -1
    radius = _radius(moved)
    for number, goal in enumerate(partners):
        ratio = _radius(goal) / radius
        away = np.linalg.norm(goal.mean(axis=0) - moved.mean(axis=0)) / radius
        if 1 / SIZES < ratio < SIZES and away < FARTHEST and away < best:
            best, chosen = away, number
    return chosen


def _radius(vertices: np.ndarray) -> float:
    away = vertices - vertices.mean(axis=0)
    return float(max(np.sqrt(np.square(away).sum(axis=1).mean()), 1e-12))
