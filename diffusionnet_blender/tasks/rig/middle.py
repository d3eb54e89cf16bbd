"""The middle of a limb at a joint, by a cross-section of the surface around it."""

from __future__ import annotations

import numpy as np

# Rays from a point in the plane of the section, and steps to the middle of where they end; each
# halves the way that is left.
RAYS, STEPS = 64, 16
# A ray that is longer than so many of the median has left the limb through a gap, or along it.
ESCAPED = 2.5
# Nearer to the skin than this share of the section's size is on it.
ON_SKIN = 1e-6
# Of all rays these must end on the surface for a point to be inside of something.
LEAST_ENDING = 0.6


def middle_of_limb(
    vertices: np.ndarray, faces: np.ndarray, point: np.ndarray, direction: np.ndarray
) -> np.ndarray | None:
    """Middle (3,) of the innermost closed skin around a point, in the plane across a direction.

    A point outside of everything is first brought into what is nearest.

    Parameters
    ----------
    vertices : (V, 3) float
    faces : (F, 3) int
    point, direction : (3,) float
        A joint, and the way along its limb.

    Returns
    -------
    (3,) float64 or None
        None where the plane meets no closed skin.
    """
    along = np.asarray(direction, float) / max(float(np.linalg.norm(direction)), 1e-30)
    axes = np.linalg.svd(along[None])[2][1:]
    start, end = _section(vertices - point, faces, along, axes)
    if not len(start):
        return None
    here = np.zeros(2)
    if not _is_inside(start, end):
        moved = _into_nearest(start, end)
        if moved is None:
            return None
        here = moved
    for _ in range(STEPS):
        ends = _ends_of_rays(start - here, end - here)
        length = np.linalg.norm(ends, axis=1)
        found = np.isfinite(length)
        if found.mean() < LEAST_ENDING:
            return None
        found &= length <= ESCAPED * np.median(length[found])
        here = here + ends[found].mean(axis=0)
    return point + here @ axes


def _section(
    vertices: np.ndarray, faces: np.ndarray, along: np.ndarray, axes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Ends (S, 2) of the segments in which triangles cut the plane through the origin."""
    height = vertices @ along
    above = height[faces] > 0
    cut = faces[above.any(axis=1) & ~above.all(axis=1)]
    # The corner that is alone on its side comes first.
    is_above = height[cut] > 0
    alone = (is_above == (is_above.sum(axis=1) == 1)[:, None]).argmax(axis=1)
    cut = np.take_along_axis(cut, (alone[:, None] + np.arange(3)) % 3, axis=1)
    lone, others = height[cut[:, :1]], height[cut[:, 1:]]
    share = (lone / (lone - others))[..., None]
    ends = vertices[cut[:, :1]] + share * (vertices[cut[:, 1:]] - vertices[cut[:, :1]])
    return ends[:, 0] @ axes.T, ends[:, 1] @ axes.T


def _is_inside(start: np.ndarray, end: np.ndarray) -> bool:
    """Whether segments go around the origin: most rays end, an odd number of times."""
    crossings = np.isfinite(_lengths(start, end)).sum(axis=1)
    return bool((crossings % 2 == 1).mean() > 0.5 or (crossings > 0).mean() > 0.95)


def _into_nearest(start: np.ndarray, end: np.ndarray) -> np.ndarray | None:
    """A point (2,) halfway through what is nearest to the origin, which lies outside of it."""
    way = end - start
    at = -np.einsum("si,si->s", start, way) / np.maximum(np.einsum("si,si->s", way, way), 1e-30)
    nearest = start + np.clip(at, 0.0, 1.0)[:, None] * way
    away = np.linalg.norm(nearest, axis=1)
    size = float(np.abs(np.concatenate([start, end])).max())
    chosen = nearest[away.argmin()]
    if away.min() < ON_SKIN * size:
        return None
    inward = chosen / np.linalg.norm(chosen)
    lengths = _along_ray(start - chosen, end - chosen, inward[None])[0]
    # What it starts on is no end.
    depth = float(lengths[lengths > ON_SKIN * size].min(initial=np.inf))
    return chosen + depth / 2 * inward if np.isfinite(depth) else None


def _rays() -> np.ndarray:
    turn = 2 * np.pi * np.arange(RAYS) / RAYS
    return np.stack([np.cos(turn), np.sin(turn)], axis=1)


def _ends_of_rays(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Where rays from the origin first meet segments, (RAYS, 2); infinite where they do not."""
    return _lengths(start, end).min(axis=1)[:, None] * _rays()


def _lengths(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    return _along_ray(start, end, _rays())


def _along_ray(start: np.ndarray, end: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """Distances (R, S) from the origin along unit rays (R, 2) to segments, infinite for none."""
    way = end - start
    across = np.stack([-rays[:, 1], rays[:, 0]], axis=1)
    first, second = across @ start.T, across @ end.T
    # Half open, so that a ray through a common end meets one of both segments.
    meets = (first > 0) != (second > 0)
    share = first / np.where(meets, first - second, 1.0)
    length = rays @ start.T + share * (rays @ way.T)
    return np.where(meets & (length >= 0), length, np.inf)
