"""Which of the meshes of a character is its body: the one that the others lie on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import SurfaceError
from ...matching.in_place import REACH
from ...matching.skin import Skin
from ...surface.repair import repair
from ...surface.surface import Surface, triangle_areas, vertex_areas

# Vertices of each mesh that are looked at.
MEASURED = 500
# The second candidate has no more than so much of what lies on the first.
CLEARLY = 0.5


def innermost(surfaces: Sequence[Surface]) -> int | None:
    """Number of the mesh that most of the others lie on; None where that is not clear.

    Parameters
    ----------
    surfaces : sequence of Surface
        In one space.
    """
    unit = np.sqrt(max(triangle_areas(each.vertices, each.faces).sum() for each in surfaces))
    scores = np.zeros(len(surfaces))
    samples = [_samples(each) for each in surfaces]
    for number, surface in enumerate(surfaces):
        try:
            clean = repair(surface).surface
        except SurfaceError:
            continue
        skin = Skin(clean.vertices, clean.faces)
        for other, (vertices, area) in enumerate(samples):
            if other == number:
                continue
            points, _ = skin.surface(vertices)
            height, _ = skin.above(points, vertices, np.zeros_like(vertices))
            near = np.abs(height) <= REACH * unit
            scores[number] += area * float((near * np.sign(height)).mean())
    order = np.argsort(-scores)
    if scores[order[0]] <= 0:
        return None
    is_clear = len(order) < 2 or scores[order[1]] <= CLEARLY * scores[order[0]]
    return int(order[0]) if is_clear else None


def _samples(surface: Surface) -> tuple[np.ndarray, float]:
    """Some vertices (n, 3) of a mesh, by area, and its area."""
    areas = vertex_areas(surface.vertices, surface.faces)
    total = float(areas.sum())
    if total <= 0:
        return surface.vertices[:1], 0.0
    rng = np.random.default_rng(0)
    return surface.vertices[rng.choice(len(areas), MEASURED, p=areas / total)], total
