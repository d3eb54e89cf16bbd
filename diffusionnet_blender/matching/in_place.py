"""The map by place, for a target that already lies on the source: clothes, or a retopology."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..surface.edges import edges_of_sides
from ..surface.loose_parts import label_mesh_parts, label_parts
from ..surface.surface import triangle_areas
from ..surface.winding import vertex_normals
from .closest import ClosestPoints
from .points import SurfacePoints

# All distances are in units of the square root of the source's area, some 1.4 m for a body.
# A vertex lies on the source up to this distance, and where the normals differ by no more than so
# many degrees.
REACH = 0.05
MOST_TURNED = 60.0
# A target lies on the source if so much of its area does, a vertex at `NEAR` counting half (a hat
# with a brim: 0.55, two people in other poses: 0.2), and if on one of the two sides of the source's
# skin, farther from it than `BENEATH`, there is no more than `MOST_CROSSING` of it: clothes are
# outside and a body within them inside, while the skins of two bodies cross again and again
# (`python -m benchmarks.garments --people`).
NEAR = 0.025
LEAST_SHARE = 0.4
BENEATH = 0.01
MOST_CROSSING = 0.03
# Images of an edge's ends farther apart than so many times its length, and this, are torn.
TORN = 3.0
LEAST_TORN = 0.01
# A patch with torn edges around it and less than this share of its loose part took another limb.
LEAST_PATCH = 0.15


@dataclass(frozen=True, eq=False)
class Placement:
    """A map by place, and what tells whether the target lies on the source.

    Attributes
    ----------
    points : SurfacePoints
        Nearest points on the source, one for each vertex of the target.
    confidence : (V_t,) float64
        1 on the source, 0.5 at `REACH`, 0 beyond the gates.
    share : float
        Share of the target's area that lies on the source.
    crossing : float
        Share of the target's area beneath the source's skin, or above it if that is less.
    residual : float
        Root mean square distance, in units of the square root of the source's area.
    """

    points: SurfacePoints
    confidence: np.ndarray
    share: float
    crossing: float
    residual: float

    @property
    def lies_on_source(self) -> bool:
        """Whether the target as a whole lies on the source."""
        return self.share >= LEAST_SHARE and self.crossing <= MOST_CROSSING


def placed(
    source: tuple[np.ndarray, np.ndarray], target: tuple[np.ndarray, np.ndarray]
) -> Placement:
    """Nearest points of the source, with gates as in Abdrashitov et al. 2023.

    A vertex whose nearest point faces another way takes the nearest one that faces alike, if it
    lies outside of that: a sleeve beside the torso takes the arm. One without any is the inner
    side of a thick cloth, if the nearest point faces the opposite way. Patches that the map tears
    off the rest, as a finger's side in reach of the next finger, have no confidence.

    Parameters
    ----------
    source, target : (vertices, faces)
        As `repair.repair` leaves them, in one space.

    Returns
    -------
    Placement
    """
    vertices, faces = target
    unit = np.sqrt(triangle_areas(*source).sum())
    surface = ClosestPoints(*source)
    normals = vertex_normals(vertices, faces)
    source_normals = vertex_normals(*source)
    mass = _areas(vertices, faces)

    def seen(points: SurfacePoints) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Distance, height above the skin, and cosine of the normals."""
        away = (vertices - surface.positions(points)) / unit
        outward = points.interpolate(source_normals, source[1])
        outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-30)
        distance = np.linalg.norm(away, axis=1)
        height = np.copysign(distance, np.einsum("vi,vi->v", away, outward))
        return distance, height, np.einsum("vi,vi->v", normals, outward)

    least_cosine = np.cos(np.radians(MOST_TURNED))
    points, _ = surface(vertices)
    distance, height, cosine = seen(points)
    alike = cosine >= least_cosine
    near = distance <= REACH
    share = float(mass @ (alike * 0.5 ** np.square(distance / NEAR)))
    beneath, above = mass @ (height < -BENEATH), mass @ (height > BENEATH)
    residual = float(np.sqrt(mass @ np.square(distance)))

    turned = np.flatnonzero(near & ~alike)
    trusted = near & alike
    if len(turned):
        other, agrees = surface(vertices[turned], normals[turned], MOST_TURNED)
        chosen = SurfacePoints(points.face.copy(), points.barycentric.copy())
        chosen.face[turned], chosen.barycentric[turned] = other.face, other.barycentric
        beyond, above_other, facing = (values[turned] for values in seen(chosen))
        fits = agrees & (facing >= least_cosine) & (beyond <= REACH) & (above_other >= -BENEATH)
        inner = ~fits & (cosine[turned] <= -least_cosine) & (height[turned] >= 0)
        points.face[turned[fits]] = other.face[fits]
        points.barycentric[turned[fits]] = other.barycentric[fits]
        distance[turned[fits]] = beyond[fits]
        trusted[turned] = fits | inner
    trusted &= _agrees_around(surface.positions(points) / unit, vertices / unit, faces, trusted)
    confidence = np.where(trusted, 0.5 ** np.square(distance / REACH), 0.0)
    return Placement(points, confidence, share, float(min(beneath, above)), residual)


def _areas(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Area around each vertex (V,), as a share of the whole."""
    corner = np.repeat(triangle_areas(vertices, faces), 3)
    area = np.bincount(faces.ravel(), corner, minlength=len(vertices))
    return area / area.sum()


def _agrees_around(
    image: np.ndarray, vertices: np.ndarray, faces: np.ndarray, trusted: np.ndarray
) -> np.ndarray:
    """Whether each trusted vertex has its image beside those of most of its loose part, (V,)."""
    edges, _ = edges_of_sides(faces)
    edges = edges[trusted[edges].all(axis=1)]
    long = np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1)
    apart = np.linalg.norm(image[edges[:, 0]] - image[edges[:, 1]], axis=1)
    whole = edges[apart <= np.maximum(TORN * long, LEAST_TORN)]
    patch = label_parts(len(vertices), whole)
    part = label_mesh_parts(len(vertices), faces)
    area = _areas(vertices, faces) * trusted
    of_patch, of_part = np.bincount(patch, area), np.bincount(part, area)
    return of_patch[patch] >= LEAST_PATCH * of_part[part]
