"""The figure that the members of a character make together, and what is matched apart from it.

Clothes cover a body, and a sleeve is no neighbour of the arm in it: the outer skin of all members
is the shape that two characters have in common. Hair, eyes and teeth, and what is carried, are no
part of that shape: each goes to its like.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...matching.closest import ClosestPoints
from ...matching.lift import MOST_TURNED
from ...matching.parts import moved_along, radius
from ...matching.points import SurfacePoints
from ...surface.loose_parts import label_mesh_parts, sizeable_parts
from ...surface.outer_skin import FINE, make_skin
from ...surface.repair import RepairedSurface
from ...surface.surface import Surface, triangle_areas, vertex_areas
from ...surface.triangles import compact
from ...surface.winding import vertex_normals
from .request import Members

CARRIED = "carried"
# Pieces whose boxes differ by no more than this factor along each axis are laid on one another.
BOXES = 2.0
# Confidence of a piece without its like, as a share of that of the figure around it.
WITHOUT_PARTNER = 0.5


@dataclass(frozen=True, eq=False)
class Piece:
    """Members of one kind, or a carried thing.

    Attributes
    ----------
    kind : str
    vertices, faces : (n,), (m,) int64
        Of the whole.
    carrier : (c,) int64
        Vertices of the figure that carry it; none for what is skinned itself.
    """

    kind: str
    vertices: np.ndarray
    faces: np.ndarray
    carrier: np.ndarray


@dataclass(frozen=True, eq=False)
class Figure:
    """A repaired surface, divided.

    Attributes
    ----------
    whole : Surface
    vertices, faces : (n,), (m,) int64
        Those of the figure.
    pieces : tuple of Piece
    """

    whole: Surface
    vertices: np.ndarray
    faces: np.ndarray
    pieces: tuple[Piece, ...]

    @cached_property
    def surface(self) -> Surface:
        """The figure by itself; the whole where there are no pieces."""
        return self.whole if not self.pieces else self.part(self.vertices, self.faces)

    def part(self, vertices: np.ndarray, faces: np.ndarray) -> Surface:
        """Some vertices and triangles of the whole by themselves."""
        place = np.full(len(self.whole.vertices), -1)
        place[vertices] = np.arange(len(vertices))
        return Surface(self.whole.vertices[vertices], place[self.whole.faces[faces]])

    @cached_property
    def is_layered(self) -> bool:
        """Whether it has several sizeable loose parts, as clothes over a body."""
        vertices, faces = self.surface.vertices, self.surface.faces
        part = label_mesh_parts(len(vertices), faces)
        return sizeable_parts(part, vertex_areas(vertices, faces)) > 1

    @cached_property
    def skin(self) -> Surface:
        """Outer skin of the figure; the figure itself if it is one surface, or encloses nothing."""
        if not self.is_layered:
            return self.surface
        found = make_skin(self.surface, *FINE)
        return self.surface if found is None else found.surface

    def like(self, piece: Piece, place: np.ndarray) -> Piece | None:
        """The piece of the same kind as one of another figure, of which the place is (n, 3) here.

        Of carried things, one that is there.
        """
        alike = [other for other in self.pieces if other.kind == piece.kind]
        if piece.kind != CARRIED:
            return next(iter(alike), None)
        nearest, least = None, float("inf")
        for other in alike:
            goal = self.whole.vertices[other.vertices]
            away = float(np.linalg.norm(goal.mean(axis=0) - place.mean(axis=0)))
            if away < min(least, radius(goal) + radius(place)):
                nearest, least = other, away
        return nearest


def figure_of(repaired: RepairedSurface, members: Members | None) -> Figure:
    """Divide a surface that was repaired.

    Parameters
    ----------
    repaired : RepairedSurface
    members : Members, optional
        Of the surface as it was; without them all of it is the figure.
    """
    whole = repaired.surface
    piece_of = np.full(len(whole.vertices), -1)
    kinds: list[tuple[str, np.ndarray]] = []
    if members is not None:
        for kind in sorted({kind for kind in members.kinds if kind}):
            own = np.isin(members.of_vertex, [n for n, k in enumerate(members.kinds) if k == kind])
            piece_of[repaired.clean_vertex[own]] = len(kinds)
            # Of eyes or a hat on the bone of a head.
            carriers = [thing.carrier for thing in members.carried if own[thing.vertices[0]]]
            carrier = np.concatenate([np.zeros(0, dtype=np.int64), *carriers])
            kinds.append((kind, np.unique(repaired.clean_vertex[carrier])))
        for thing in members.carried:
            if members.kinds[members.of_vertex[thing.vertices[0]]]:
                continue
            piece_of[repaired.clean_vertex[thing.vertices]] = len(kinds)
            kinds.append((CARRIED, np.unique(repaired.clean_vertex[thing.carrier])))
    of_face = piece_of[whole.faces].max(axis=1)
    if not (of_face < 0).any():
        of_face, piece_of, kinds = np.full_like(of_face, -1), np.full_like(piece_of, -1), []
    pieces = []
    for number, (kind, carrier) in enumerate(kinds):
        faces = np.flatnonzero(of_face == number)
        if len(faces):
            vertices = np.unique(whole.faces[faces])
            piece_of[vertices] = number
            pieces.append(Piece(kind, vertices, faces, carrier))
    faces = np.flatnonzero(of_face < 0)
    _, vertices = compact(len(whole.vertices), whole.faces[faces])
    return Figure(whole, vertices, faces, tuple(pieces))


def lifted(
    points: SurfacePoints, confidence: np.ndarray, source: Figure, target: Figure
) -> tuple[SurfacePoints, np.ndarray]:
    """A map between skins as a map between figures.

    A vertex keeps its height above the skin, so that a body beneath clothes goes to the body
    beneath clothes where both have one.

    Parameters
    ----------
    points : SurfacePoints
        On the source's skin, one for each vertex of the target's.
    confidence : (S,) float
        Of these vertices.
    source, target : Figure

    Returns
    -------
    points : SurfacePoints
        On `source.surface`, one for each vertex of `target.surface`.
    confidence : (V,) float
    """
    skin, other = target.skin, source.skin
    vertices = target.surface.vertices
    normals = vertex_normals(vertices, target.surface.faces)
    on_skin, _ = ClosestPoints(skin.vertices, skin.faces)(vertices, normals, MOST_TURNED)
    image = points.interpolate(other.vertices, other.faces)
    outward = points.interpolate(vertex_normals(other.vertices, other.faces), other.faces)
    image, outward = (on_skin.interpolate(values, skin.faces) for values in (image, outward))
    length = np.linalg.norm(outward, axis=1, keepdims=True)
    outward /= np.maximum(length, np.finfo(float).tiny)
    away = vertices - on_skin.interpolate(skin.vertices, skin.faces)
    upward = on_skin.interpolate(vertex_normals(skin.vertices, skin.faces), skin.faces)
    areas = [triangle_areas(s.vertices, s.faces).sum() for s in (other, skin)]
    height = np.sqrt(areas[0] / areas[1]) * np.einsum("vi,vi->v", away, upward)
    closest = ClosestPoints(source.surface.vertices, source.surface.faces)
    found, _ = closest(image + height[:, None] * outward, outward, MOST_TURNED)
    return found, on_skin.interpolate(confidence, skin.faces)


def with_pieces(
    points: SurfacePoints,
    confidence: np.ndarray,
    source: Figure,
    target: Figure,
    offset: np.ndarray | None = None,
) -> tuple[SurfacePoints, np.ndarray, np.ndarray]:
    """A map between figures extended to the whole surfaces: each piece goes to its like.

    A piece moves by the similarity that fits the figure around it. Without its like it goes to the
    nearest point of the figure; what is carried as a whole to where its carrier is.

    Parameters
    ----------
    points : SurfacePoints
        On `source.surface`, one for each vertex of `target.surface`.
    confidence : (V,) float
    source, target : Figure
    offset : (3,) float, optional
        Both stand in place: the origin of the target less that of the source.

    Returns
    -------
    points : SurfacePoints
        On `source.whole`, one for each vertex of `target.whole`.
    confidence : (V,) float64
    unmatched : (V,) bool
        Of pieces without their like.
    """
    alone = np.zeros(len(target.whole.vertices), dtype=bool)
    if not source.pieces and not target.pieces:
        return points, confidence, alone
    count = len(target.whole.vertices)
    whole = SurfacePoints(np.zeros(count, dtype=np.int64), np.zeros((count, 3)))
    on_figure = SurfacePoints(source.faces[points.face], points.barycentric)
    whole = whole.replaced(target.vertices, on_figure)
    extended = np.zeros(count)
    extended[target.vertices] = confidence
    image = points.interpolate(source.surface.vertices, source.surface.faces)
    closest = ClosestPoints(source.surface.vertices, source.surface.faces)
    for piece in target.pieces:
        own = target.whole.vertices[piece.vertices]
        moved, rotation, near = moved_along(own, target.surface.vertices, image)
        if offset is not None:
            moved, rotation = own + offset, np.eye(3)
        mean = confidence[near].mean()
        partner = source.like(piece, moved)
        if partner is not None:
            goal = source.part(partner.vertices, partner.faces)
            if offset is None:
                moved = _laid_on(moved, goal.vertices)
            normals = vertex_normals(own, target.part(piece.vertices, piece.faces).faces)
            nearest = ClosestPoints(goal.vertices, goal.faces)
            found, _ = nearest(moved, normals @ rotation.T, MOST_TURNED)
            found = SurfacePoints(partner.faces[found.face], found.barycentric)
        elif len(piece.carrier):
            away = np.linalg.norm(target.whole.vertices[piece.carrier] - own.mean(axis=0), axis=1)
            found = whole[np.full(len(own), piece.carrier[away.argmin()])]
        else:
            found, _ = closest(moved)
            found = SurfacePoints(source.faces[found.face], found.barycentric)
        whole = whole.replaced(piece.vertices, found)
        alone[piece.vertices] = partner is None
        extended[piece.vertices] = mean if partner is not None else WITHOUT_PARTNER * mean
    return whole, extended, alone


def _laid_on(points: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """Points (n, 3) moved so that their box is that of others (m, 3), if the boxes are alike."""
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    wanted = np.ptp(goal, axis=0)
    slack = 1e-2 * wanted.max()
    ratio = (extent + slack) / (wanted + slack)
    if (ratio > BOXES).any() or (ratio < 1 / BOXES).any():
        return points
    scale = np.where(extent > 0, wanted / np.where(extent > 0, extent, 1.0), 1.0)
    return goal.min(axis=0) + scale * (points - low)
