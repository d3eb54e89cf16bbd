"""Simple solids, wound outward: what hard-surface figures, gear and hair are made of."""

from __future__ import annotations

import numpy as np

Mesh = tuple[np.ndarray, np.ndarray]


def lathe(profile: np.ndarray, segments: int, closed: bool = True) -> Mesh:
    """Turn a profile around the z axis.

    Parameters
    ----------
    profile : (N, 2) radius and height, from the bottom to the top, radii above zero.
    segments : corners of each ring, at least 3.
    closed : whether a lid closes either end.

    Returns
    -------
    vertices : (N segments [+ 2], 3);  faces : (F, 3) int64.
    """
    angle = np.arange(segments) * (2 * np.pi / segments)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    rings = profile[:, None, :1] * ring
    heights = np.broadcast_to(profile[:, None, 1:], rings.shape[:2] + (1,))
    vertices = np.concatenate([rings, heights], axis=2).reshape(-1, 3)
    faces = grid_faces(len(profile), segments, wrapped=True)
    if closed:
        bottom, top = len(vertices), len(vertices) + 1
        first = np.arange(segments)
        after = (first + 1) % segments
        last = (len(profile) - 1) * segments
        lids = [
            np.stack([after, first, np.full(segments, bottom)], axis=1),
            np.stack([last + first, last + after, np.full(segments, top)], axis=1),
        ]
        ends = [[0, 0, profile[0, 1]], [0, 0, profile[-1, 1]]]
        vertices, faces = np.concatenate([vertices, ends]), np.concatenate([faces, *lids])
    return vertices, faces


def grid_faces(rows: int, columns: int, wrapped: bool = False) -> np.ndarray:
    """Triangles (F, 3) between the rows of a grid of vertices; wrapped: the last column meets the
    first."""
    number = np.arange(rows * columns).reshape(rows, columns)
    if wrapped:
        number = np.concatenate([number, number[:, :1]], axis=1)
    a, b = number[:-1, :-1].ravel(), number[:-1, 1:].ravel()
    c, d = number[1:, 1:].ravel(), number[1:, :-1].ravel()
    return np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])


def capsule(radius: float, length: float, segments: int, rings: int) -> Mesh:
    """A cylinder from z = 0 to `length` with half-balls at both ends, which reach beyond them."""
    bend = np.linspace(0, np.pi / 2, rings + 2)[1:]
    lower = np.stack([np.sin(bend), -np.cos(bend)], axis=1)
    upper = lower[::-1] * [1, -1]
    return lathe(np.concatenate([radius * lower, radius * upper + [0, length]]), segments)


def ball(radius: float, segments: int = 12, rings: int = 7) -> Mesh:
    """A ball about the origin."""
    bend = np.linspace(0, np.pi, rings + 2)[1:-1]
    vertices, faces = lathe(
        radius * np.stack([np.sin(bend), -np.cos(bend)], axis=1), segments, closed=True
    )
    vertices[-2:] = [[0, 0, -radius], [0, 0, radius]]
    return vertices, faces


def torus(radius: float, thickness: float, segments: int, sides: int) -> Mesh:
    """A ring about the z axis."""
    around = np.arange(segments) * (2 * np.pi / segments)
    across = np.arange(sides) * (2 * np.pi / sides)
    out = radius + thickness * np.cos(across)
    x, y = out * np.cos(around)[:, None], out * np.sin(around)[:, None]
    z = np.broadcast_to(thickness * np.sin(across), x.shape)
    number = np.arange(segments * sides).reshape(segments, sides)
    right, up = np.roll(number, -1, axis=0), np.roll(number, -1, axis=1)
    both = np.roll(right, -1, axis=1)
    faces = np.concatenate(
        [
            np.stack([number.ravel(), right.ravel(), both.ravel()], axis=1),
            np.stack([number.ravel(), both.ravel(), up.ravel()], axis=1),
        ]
    )
    return np.stack([x, y, z], axis=2).reshape(-1, 3), faces


def rounded_box(size: np.ndarray, bevel: float, divisions: int) -> Mesh:
    """A box about the origin, its edges rounded.

    Parameters
    ----------
    size : (3,) full extents.
    bevel : 0 a box, 1 an ellipsoid.
    divisions : squares along each edge.
    """
    steps = np.linspace(-1, 1, divisions + 1)
    u, v = (grid.ravel() for grid in np.meshgrid(steps, steps, indexing="ij"))
    one = np.ones_like(u)
    sides, faces, start = [], [], 0
    squares = grid_faces(divisions + 1, divisions + 1)
    for axis in range(3):
        for sign in (-1.0, 1.0):
            corner = np.empty((len(u), 3))
            corner[:, axis], corner[:, (axis + 1) % 3], corner[:, (axis + 2) % 3] = sign * one, u, v
            sides.append(corner)
            faces.append((squares if sign > 0 else squares[:, ::-1])[:, ::-1] + start)
            start += len(u)
    points = np.concatenate(sides)
    key = np.round((points + 1) * divisions).astype(np.int64) @ [1, 1000, 1_000_000]
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    points, faces = points[first], place.ravel()[np.concatenate(faces)]
    core = np.clip(points, -(1 - bevel), 1 - bevel)
    away = points - core
    length = np.linalg.norm(away, axis=1, keepdims=True)
    rounded = core + bevel * away / np.maximum(length, 1e-12)
    points = np.where(length > 1e-12, rounded, points)
    return points * (np.asarray(size) / 2), faces


def tube(path: np.ndarray, radii: np.ndarray, sides: int, flatness: float = 1.0) -> Mesh:
    """A closed tube along a path.

    Parameters
    ----------
    path : (N, 3);  radii : (N,)
    sides : corners of each ring, at least 3.
    flatness : the second radius as a share of the first; small makes a blade.
    """
    along = np.gradient(path, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-12)
    across = np.cross(along, _least_aligned(along.mean(axis=0)))
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-12)
    third = np.cross(along, across)
    angle = np.arange(sides) * (2 * np.pi / sides)
    ring = np.cos(angle)[:, None] * across[:, None] + (
        flatness * np.sin(angle)[:, None] * third[:, None]
    )
    vertices = (path[:, None] + radii[:, None, None] * ring).reshape(-1, 3)
    faces = grid_faces(len(path), sides, wrapped=True)
    first = np.arange(1, sides - 1)
    last = (len(path) - 1) * sides
    lids = [
        np.stack([np.zeros_like(first), first + 1, first], axis=1),
        np.stack([np.full_like(first, last), last + first, last + first + 1], axis=1),
    ]
    return vertices, np.concatenate([faces, *lids])


def frame_along(direction: np.ndarray) -> np.ndarray:
    """A right-handed frame (3, 3) whose columns are x, y and z, with z along `direction`."""
    z = direction / np.linalg.norm(direction)
    x = np.cross(_least_aligned(z), z)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(z, x), z], axis=1)


def _least_aligned(direction: np.ndarray) -> np.ndarray:
    return np.eye(3)[np.abs(direction).argmin()]
