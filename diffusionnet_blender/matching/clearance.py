"""Meshes pushed out of a body along its normals, all layers above a place together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..surface.edges import edges_of_sides
from ..surface.surface import triangle_areas
from .means import Mean
from .points import SurfacePoints
from .skin import Skin

ROUNDS = 8
# In the first rounds all that lies above a place is pushed; in the others, what is beneath alone: a
# lining inside a narrow part, which no side lets out, must not drive away what is around it.
TOGETHER = 2
# Edges over which a push spreads on the skin, so that it leaves no dent.
SPREAD = 3
# In units of the square root of the skin's area: what is deeper is inside on purpose, as the roots
# of hair; and the height at which a push has faded, so that a wide skirt does not mirror a knee.
DEEPEST = 0.025
HIGHEST = 0.1


def pushed_out(
    vertices: np.ndarray,
    faces: np.ndarray,
    skin: Skin,
    gap: float,
    exempt: np.ndarray | None = None,
    progress: Callable[[float], None] = lambda fraction: None,
) -> np.ndarray:
    """Vertices (V, 3) of meshes of which nothing is beneath a skin.

    The push is a smooth function on the skin and moves all that lies above a place alike: so layers
    keep their order, and cloth its thickness. Edges and faces count as well as vertices, since a
    body may come through a wide face.

    Parameters
    ----------
    vertices : (V, 3) float
    faces : (F, 3) int
    skin : Skin
    gap : float
        Least height above the skin.
    exempt : (V,) bool, optional
        Vertices that may be beneath.
    progress : callable
        Called with a fraction; may raise to stop.
    """
    unit = np.sqrt(triangle_areas(skin.surface.vertices, skin.faces).sum())
    around = _Around(len(skin.surface.vertices), skin.faces)
    allowed = np.zeros(len(vertices), dtype=bool) if exempt is None else exempt
    corners = _corners_of_samples(len(vertices), faces)
    corners = corners[~allowed[corners].any(axis=1) | (np.arange(len(corners)) < len(vertices))]
    at = np.array(vertices, dtype=float)
    pushed = np.zeros(len(at))
    active = np.ones(len(corners), dtype=bool)
    # The vertices themselves are the first samples, and always looked at.
    for number in range(ROUNDS):
        progress(number / ROUNDS)
        chosen = corners[active]
        samples = at[chosen].mean(axis=1)
        points, _ = skin.surface(samples)
        outward = skin.outward(points)
        away = samples - skin.surface.positions(points)
        height = np.copysign(np.linalg.norm(away, axis=1), np.einsum("vi,vi->v", away, outward))
        lacking = np.where(height > -DEEPEST * unit, np.maximum(gap - height, 0.0), 0.0)
        lacking[: len(at)][allowed] = 0.0
        if lacking.max(initial=0.0) <= 1e-2 * gap:
            break
        field = around.spread(points, lacking)
        own = slice(0, len(at))
        fading = np.clip(1.0 - height[own] / (HIGHEST * unit), 0.0, 1.0)
        push = fading * points[own].interpolate(field, skin.faces) * (number < TOGETHER)
        needed = np.zeros(len(at))
        for corner in chosen.T:
            np.maximum.at(needed, corner, lacking)
        push = np.where(allowed, 0.0, np.maximum(push, needed))
        push = np.minimum(push, DEEPEST * unit - pushed)
        pushed += push
        at = at + push[:, None] * outward[own]
        # Others that are well above it stay there.
        near = height < 4 * gap + 2 * lacking.max()
        near[own] = True
        active[np.flatnonzero(active)[~near]] = False
    return at


class _Around:
    """A function on a skin that is at least as large as wanted at some points, and smooth."""

    def __init__(self, count: int, faces: np.ndarray):
        self._edges, _ = edges_of_sides(faces)
        self._faces, self._count = faces, count
        self._mean = Mean(count, faces)

    def spread(self, points: SurfacePoints, values: np.ndarray) -> np.ndarray:
        """Values at vertices (V,) from those at points (N,)."""
        field = np.zeros(self._count)
        wanted = values > 0
        for corner in self._faces[points.face[wanted]].T:
            np.maximum.at(field, corner, values[wanted])
        for _ in range(SPREAD):
            before = field.copy()
            for tail, head in (self._edges.T, self._edges[:, ::-1].T):
                np.maximum.at(field, tail, before[head])
        return self._mean(field, SPREAD)


def _corners_of_samples(count: int, faces: np.ndarray) -> np.ndarray:
    """Vertices (S, 6) whose mean each sample is: vertices, then middles of edges, then of faces."""
    edges, _ = edges_of_sides(faces)
    return np.concatenate(
        [np.tile(np.arange(count)[:, None], 6), np.tile(edges, 3), np.tile(faces, 2)]
    )
