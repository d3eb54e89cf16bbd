"""What a figure carries: things that take the part that they hang on, and are no shape of it.

A sword is no limb and a helmet no head: the network sees the figure without them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...matching.closest import ClosestPoints
from ...surface.surface import Surface, vertex_areas
from .request import Carried

# Name and colour (sRGB) of the class of carried things, where they have one of their own.
PROPS = "props"
PROPS_COLOUR = (0.55, 0.55, 0.55)
# A member with a smaller share of the area, farther from all others than this share of the size of
# the whole, floats: a halo, a ring of stones.
SMALL_SHARE = 0.02
FAR = 0.05


def carried_by(
    surface: Surface, member: np.ndarray | None, carried: Sequence[Carried]
) -> list[Carried]:
    """All that a figure carries; nothing where nothing else would be left.

    Parameters
    ----------
    surface : Surface
    member : (V,) int, optional
        Number of the member of each vertex: what floats is carried, see `floating_members`.
    carried : sequence of Carried
        What is known to be.
    """
    if surface.is_point_cloud:
        return []
    found = list(carried)
    if member is not None:
        taken = np.concatenate([thing.vertices for thing in found] or [np.zeros(0, dtype=int)])
        floating = floating_members(surface, member)
        found += [thing for thing in floating if not np.isin(thing.vertices[0], taken)]
    is_body = np.ones(len(surface.vertices), dtype=bool)
    for thing in found:
        is_body[thing.vertices] = False
    return found if is_body[surface.faces].all(axis=1).any() else []


def body_of(surface: Surface, carried: Sequence[Carried]) -> tuple[Surface, np.ndarray]:
    """A surface without what it carries, and which of its vertices (B,) int64 that has."""
    is_body = np.ones(len(surface.vertices), dtype=bool)
    for thing in carried:
        is_body[thing.vertices] = False
    kept = np.flatnonzero(is_body)
    place = np.cumsum(is_body) - 1
    faces = place[surface.faces[is_body[surface.faces].all(axis=1)]]
    normals = None if surface.normals is None else surface.normals[kept]
    return Surface(surface.vertices[kept], faces, normals), kept


def with_carried(
    surface: Surface, probabilities: np.ndarray, carried: Sequence[Carried]
) -> np.ndarray:
    """Class probabilities with those of carried things: the mean over their carriers, by area.

    Parameters
    ----------
    surface : Surface
    probabilities : (V, C) float32
        At carried vertices of any value.
    carried : sequence of Carried

    Returns
    -------
    (V, C) float32
    """
    if not carried:
        return probabilities
    found = probabilities.copy()
    weights = vertex_areas(surface.vertices, surface.faces)
    for thing in carried:
        share = weights[thing.carrier]
        share = share if share.any() else np.ones(len(share))
        mean = share @ probabilities[thing.carrier] / share.sum()
        found[thing.vertices] = mean.astype(np.float32)
    return found


def with_props(probabilities: np.ndarray, carried: Sequence[Carried]) -> np.ndarray:
    """Probabilities (V, C + 1) with a last class for carried things."""
    found = np.pad(probabilities, ((0, 0), (0, 1)))
    for thing in carried:
        found[thing.vertices] = 0.0
        found[thing.vertices, -1] = 1.0
    return found


def floating_members(surface: Surface, member: np.ndarray) -> list[Carried]:
    """Small members far from all others, carried by the vertex of these that is nearest.

    Parameters
    ----------
    surface : Surface
        With faces.
    member : (V,) int
        Number of the member of each vertex.
    """
    areas = np.bincount(member, vertex_areas(surface.vertices, surface.faces))
    small = np.flatnonzero((areas < SMALL_SHARE * areas.sum()) & (areas > 0))
    if not len(small) or len(small) == len(areas):
        return []
    is_small = np.isin(member, small)
    faces = surface.faces[~is_small[surface.faces].any(axis=1)]
    size = np.linalg.norm(np.ptp(surface.vertices[np.unique(faces)], axis=0))
    rest = ClosestPoints(surface.vertices, faces)
    found = []
    for number in small:
        vertices = np.flatnonzero(member == number)
        points, _ = rest(surface.vertices[vertices])
        distance = np.linalg.norm(rest.positions(points) - surface.vertices[vertices], axis=1)
        closest = int(distance.argmin())
        if distance[closest] > FAR * size:
            found.append(Carried(vertices, points[closest : closest + 1].nearest_vertex(faces)))
    return found
