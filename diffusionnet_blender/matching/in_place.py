"""The map by place, for a target that already lies on the source: clothes, or a retopology."""

from __future__ import annotations

import numpy as np

from ..surface.edges import edges_of_sides
from ..surface.loose_parts import label_mesh_parts, label_parts
from ..surface.surface import triangle_areas
from ..surface.winding import vertex_normals
from .means import Mean
from .points import SurfacePoints
from .skin import Skin

# All distances are in units of the square root of the source's area, some 1.4 m for a body.
# A vertex lies on the source up to this distance, and where the normals differ by no more than so
# many degrees.
REACH = 0.05
MOST_TURNED = 60.0
LEAST_COSINE = np.cos(np.radians(MOST_TURNED))
# Rounds in which a target is taken back to the skin along its normals, edges over which its height
# is smoothed, and the distance from the skin at which it has to arrive.
ROUNDS = 3
SPREAD = 20
MOST_LEFT = 0.01
# A target lies on the source if so much of its area does, a vertex at `NEAR` counting half (a hat
# with a brim: 0.55, two people in other poses: 0.2), and if on one of the two sides of the source's
# skin, farther from it than `BENEATH`, there is no more than so much of it: clothes are outside and
# a body within them inside, while the skins of two bodies cross again and again, over 0.1 of the
# area of two people in one pose (`python -m benchmarks.garments --people`). Wide skirts have little
# on the skin, and nothing that crosses it.
NEAR = 0.025
BENEATH = 0.01
LEAST_SHARE, MOST_CROSSING = 0.4, 0.03
LEAST_SHARE_WIDE, MOST_CROSSING_WIDE = 0.15, 0.01
# Vertices by which targets that are elsewhere are told, about.
LOOKED_AT = 2000
# Images of an edge's ends farther apart than so many times its length, and this, are torn.
TORN = 3.0
LEAST_TORN = 0.01
# The point that a vertex is taken back to has to face so much more alike than the nearest one, in
# cosines, unless so great a share of the vertices around it, so many edges far, go there.
BETTER = 0.03
AROUND = 3
MOST_AMONG = 0.25
# Farther than this, a vertex has to be taken back to the skin as well, and farther than `TOUCHING`
# the skin has to face alike: nearer, there are rims, folds, and a cloth that dips into the skin.
ALONE = 0.035
TOUCHING = 0.012
# A patch with torn edges around it and less than this share of its loose part took another limb.
LEAST_PATCH = 0.15


class Placement:
    """Where a target lies on a source, and its map by place.

    Parameters
    ----------
    source, target : (vertices, faces)
        As `repair.repair` leaves them, in one space.

    Attributes
    ----------
    share : float
        Share of the target's area that lies on the source.
    crossing : float
        Share of the target's area beneath the source's skin, or above it if that is less.
    residual : float
        Root mean square distance, in units of the square root of the source's area.
    """

    def __init__(
        self, source: tuple[np.ndarray, np.ndarray], target: tuple[np.ndarray, np.ndarray]
    ):
        vertices, faces = target
        self._target, self._skin = target, Skin(*source)
        self._unit = np.sqrt(triangle_areas(*source).sum())
        self._normals = vertex_normals(vertices, faces)
        mass = _areas(vertices, faces)
        self._nearest, _ = self._skin.surface(vertices)
        height, self._alike = self._skin.above(self._nearest, vertices, self._normals)
        distance = np.abs(height) / self._unit
        self.share = float(mass @ _lying(distance, self._alike))
        self.crossing = _crossing(height / self._unit, mass)
        self.residual = float(np.sqrt(mass @ np.square(distance)))

    @property
    def lies_on_source(self) -> bool:
        """Whether the target as a whole lies on the source."""
        tight = self.share >= LEAST_SHARE and self.crossing <= MOST_CROSSING
        wide = self.share >= LEAST_SHARE_WIDE and self.crossing <= MOST_CROSSING_WIDE
        return tight or wide

    def map(self) -> tuple[SurfacePoints, np.ndarray]:
        """Points of the source beneath the vertices of the target, and their confidence.

        Each vertex takes the nearest point, with the gates of Abdrashitov et al. 2023: distance and
        normals. That errs where a cloth stands off and the body bends, and between fingers, so that
        the target is also taken back along its normals, by its height above the skin smoothed over
        its surface, and goes to the nearest point from there, wherever the skin faces more alike
        there. Patches that the map tears off the rest have no confidence.

        Returns
        -------
        points : SurfacePoints
            On the source, one for each vertex of the target.
        confidence : (V_t,) float64
            1 on the source, 0.5 at `REACH`, 0 beyond the gates.
        """
        vertices, faces = self._target
        nearest, unit, alike = self._nearest, self._unit, self._alike
        mean = Mean(len(vertices), faces)
        back, arrived = _taken_back(self._skin, nearest, self._target, unit, mean)
        _, alike_back = self._skin.above(back, vertices, self._normals)
        better = arrived & (alike_back > alike + BETTER)
        better = arrived & (better | (mean(better, AROUND) > MOST_AMONG))
        points = nearest.replaced(np.flatnonzero(better), back[better])
        alike = np.where(better, alike_back, alike)
        image = self._skin.surface.positions(points)
        distance = np.linalg.norm(vertices - image, axis=1) / unit
        # Seen from the inner side of a thick cloth, the skin beneath it faces the opposite way,
        # over a whole patch; between two fingers, such places are strewn in.
        opposite = (distance <= REACH) & (alike <= -LEAST_COSINE)
        opposite &= mean(opposite, AROUND) >= 0.5
        # Farther than `ALONE`, both ways have to find the skin.
        near = distance <= np.where(arrived, REACH, ALONE)
        near &= (alike >= LEAST_COSINE) | (distance <= TOUCHING) | opposite
        near &= _agrees_around(image, self._target, unit, near)
        return points, np.where(near, 0.5 ** np.square(distance / REACH), 0.0)


def may_lie_on(
    source: tuple[np.ndarray, np.ndarray], target: tuple[np.ndarray, np.ndarray]
) -> bool:
    """Whether a target may lie on a source, by some of its vertices.

    A quick look before a `Placement`, which takes long on dense meshes, and where the two are far
    apart.

    Parameters
    ----------
    source, target : (vertices, faces)
        As of a `Placement`.
    """
    vertices, faces = target
    some = slice(None, None, max(len(vertices) // LOOKED_AT, 1))
    skin, unit = Skin(*source), np.sqrt(triangle_areas(*source).sum())
    nearest, _ = skin.surface(vertices[some])
    height, alike = skin.above(nearest, vertices[some], vertex_normals(vertices, faces)[some])
    mass = _areas(vertices, faces)[some]
    mass /= mass.sum()
    share = mass @ _lying(np.abs(height) / unit, alike)
    crossing = _crossing(height / unit, mass)
    return bool(share >= LEAST_SHARE_WIDE / 2 and crossing <= 2 * MOST_CROSSING)


def _lying(distance: np.ndarray, alike: np.ndarray) -> np.ndarray:
    """How much each vertex (V,) lies on the source, by distance and cosine of the normals there."""
    return (alike >= LEAST_COSINE) * 0.5 ** np.square(distance / NEAR)


def _crossing(height: np.ndarray, mass: np.ndarray) -> float:
    """Share of the area beneath a skin, or above it if that is less, by heights (V,) above it."""
    return float(min(mass @ (side * height > BENEATH) for side in (-1, 1)))


def _taken_back(
    skin: Skin,
    nearest: SurfacePoints,
    target: tuple[np.ndarray, np.ndarray],
    unit: float,
    mean: Mean,
) -> tuple[SurfacePoints, np.ndarray]:
    """Points (V,) where a target arrives along its normals, and whether it does, (V,)."""
    vertices, faces = target
    normals, points = vertex_normals(vertices, faces), nearest
    height, cosine = skin.above(points, vertices, normals)
    reached = np.abs(height) <= REACH * unit
    trusted = reached & (cosine >= LEAST_COSINE)
    # A sleeve beside the torso takes the arm, outside of which it lies.
    turned = np.flatnonzero(reached & ~trusted)
    if len(turned):
        other, agrees = skin.surface(vertices[turned], normals[turned], MOST_TURNED)
        beyond, _ = skin.above(other, vertices[turned], normals[turned])
        fits = agrees & (beyond <= REACH * unit) & (beyond >= -BENEATH * unit)
        points = points.replaced(turned[fits], other[fits])
        trusted[turned[fits]] = True
    trusted &= _agrees_around(skin.surface.positions(points), target, unit, trusted)
    for _ in range(ROUNDS):
        height, _ = skin.above(points, vertices, normals)
        known = mean(trusted, SPREAD)
        height = mean(np.where(trusted, height, 0.0), SPREAD) / np.where(known > 0, known, 1.0)
        taken_back = vertices - height[:, None] * normals
        points, agrees = skin.surface(taken_back, normals, MOST_TURNED)
        image = skin.surface.positions(points)
        trusted = agrees & (np.linalg.norm(taken_back - image, axis=1) <= MOST_LEFT * unit)
        trusted &= _agrees_around(image, target, unit, trusted)
    distance = np.linalg.norm(vertices - image, axis=1)
    trusted &= distance <= REACH * unit
    trusted &= _agrees_around(image, target, unit, trusted)
    return points, trusted


def _areas(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Area around each vertex (V,), as a share of the whole."""
    corner = np.repeat(triangle_areas(vertices, faces), 3)
    area = np.bincount(faces.ravel(), corner, minlength=len(vertices))
    return area / area.sum()


def _agrees_around(
    image: np.ndarray, target: tuple[np.ndarray, np.ndarray], unit: float, trusted: np.ndarray
) -> np.ndarray:
    """Whether each trusted vertex has its image beside those of most of its loose part, (V,)."""
    vertices, faces = target
    edges, _ = edges_of_sides(faces)
    edges = edges[trusted[edges].all(axis=1)]
    long = np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1)
    apart = np.linalg.norm(image[edges[:, 0]] - image[edges[:, 1]], axis=1)
    whole = edges[apart <= np.maximum(TORN * long, LEAST_TORN * unit)]
    patch = label_parts(len(vertices), whole)
    part = label_mesh_parts(len(vertices), faces)
    area = _areas(vertices, faces) * trusted
    of_patch, of_part = np.bincount(patch, area), np.bincount(part, area)
    return of_patch[patch] >= LEAST_PATCH * of_part[part]
