"""The outer skin of a heap of meshes: a voxel grid filled from outside, read back as a surface.

The surface is that of surface nets (Gibson 1998): one vertex in each cell that the boundary
crosses, one quad for each crossed edge of the grid.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from .meshes import Body, compact, smooth


def outer_skin(
    body: Body,
    cells: int,
    close: int = 1,
    softness: float = 0.7,
    shrink_wrap: bool = False,
) -> Body:
    """Voxel remesh: what is seen from outside, in one skin.

    Parameters
    ----------
    body : any heap of triangles, open or closed, in one piece or many.
    cells : grid cells along the longest side.
    close : cells by which gaps and holes are bridged.
    softness : standard deviation of the blur, in cells.
    shrink_wrap : whether vertices are drawn back to the surface they came from.

    Returns
    -------
    Body
        The largest piece, with the labels of the nearest places of `body`. Where a wide hole lets
        the outside in, the skin has two sides.
    """
    cell = np.ptp(body.vertices, axis=0).max() / cells
    points, corner = _dense_points(body.vertices, body.faces, 0.6 * cell)
    margin = close + 3
    low = points.min(axis=0) - margin * cell
    # One point in every half of a cell will do.
    half = (2.0 * (points - low) / cell).astype(np.int64)
    _, first = np.unique(half @ [1, 4096, 4096**2], return_index=True)
    points, corner, place = points[first], corner[first], half[first] // 2
    shape = place.max(axis=0) + margin + 1
    solid = np.zeros(shape, bool)
    solid[tuple(place.T)] = True
    if close:
        solid = ndimage.binary_dilation(solid, iterations=close)
    outside = ndimage.label(~solid)[0]
    solid = outside != outside[0, 0, 0]
    if close:
        solid = ndimage.binary_erosion(solid, iterations=close)
    pieces, count = ndimage.label(solid, ndimage.generate_binary_structure(3, 3))
    if count > 1:
        solid = pieces == np.bincount(pieces.ravel())[1:].argmax() + 1
    # A cape one cell thick must not be blurred away.
    field = ndimage.gaussian_filter(solid.astype(np.float32), softness, truncate=2.5)
    vertices, faces = surface_nets(field, 0.4)
    vertices = low + (vertices + 0.5) * cell
    vertices = smooth(vertices, faces, 2, 0.5)
    distance, nearest = cKDTree(points).query(vertices)
    if shrink_wrap:
        close_by = distance < 1.5 * cell
        vertices = np.where(close_by[:, None], points[nearest], vertices)
        vertices = smooth(vertices, faces, 1, 0.5)
    source = corner[nearest]
    return Body(vertices, faces, body.fine[source], np.zeros(len(vertices), np.int32))


def surface_nets(field: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """The surface where a field on a grid passes through a level, wound away from the high side.

    Parameters
    ----------
    field : (X, Y, Z) float, below the level all around its border.

    Returns
    -------
    vertices : (V, 3) in grid steps;  faces : (F, 3) int64.
    """
    inside = field > level
    corners = [(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]
    x, y, z = field.shape

    def at(values, i, j, k):
        return values[i : x - 1 + i, j : y - 1 + j, k : z - 1 + k]

    filled = sum(at(inside, *corner).astype(np.int8) for corner in corners)
    crossed = (filled > 0) & (filled < 8)
    cells = np.argwhere(crossed)
    number = np.full(crossed.shape, -1, np.int64)
    number[crossed] = np.arange(len(cells))

    values = np.stack([field[tuple((cells + corner).T)] for corner in corners], axis=1) - level
    total, weight = np.zeros((len(cells), 3)), np.zeros((len(cells), 1))
    for first, start in enumerate(corners):
        for second, end in enumerate(corners):
            if second <= first or sum(np.abs(np.subtract(start, end))) != 1:
                continue
            a, b = values[:, first], values[:, second]
            cut = (a > 0) != (b > 0)
            share = np.where(cut, a / np.where(cut, a - b, 1.0), 0.0)[:, None]
            point = np.array(start) + share * (np.array(end) - np.array(start))
            total += point * cut[:, None]
            weight += cut[:, None]
    vertices = cells + total / weight

    faces = []
    for axis in range(3):
        step = np.eye(3, dtype=np.int64)[axis]
        u, v = (np.eye(3, dtype=np.int64)[(axis + i) % 3] for i in (1, 2))
        upper = tuple(slice(int(s), None) for s in step)
        lower = tuple(slice(None, -int(s) or None) for s in step)
        flips = inside[lower] != inside[upper]
        edges = np.argwhere(flips)
        edges = edges[(edges[:, (axis + 1) % 3] > 0) & (edges[:, (axis + 2) % 3] > 0)]
        around = [number[tuple((edges - d).T)] for d in (0 * u, u, u + v, v)]
        outward = inside[tuple(edges.T)]
        quad = np.stack(around, axis=1)
        quad = np.where(outward[:, None], quad, quad[:, ::-1])
        faces += [quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]]
    faces, kept = compact(len(vertices), np.concatenate(faces))
    return vertices[kept], faces


def _dense_points(
    vertices: np.ndarray, faces: np.ndarray, spacing: float
) -> tuple[np.ndarray, np.ndarray]:
    """Points (P, 3) on all triangles no farther apart than `spacing`, and for each the nearest
    corner of its triangle, (P,)."""
    corners = vertices[faces]
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    steps = np.minimum(np.ceil(longest / spacing).astype(int), 200)
    points, owners = [], []
    for count in np.unique(steps):
        i, j = np.meshgrid(np.arange(count + 1), np.arange(count + 1), indexing="ij")
        chosen = i + j <= count
        bary = np.stack([count - i - j, i, j], axis=2)[chosen] / max(count, 1)
        own = steps == count
        points.append(np.einsum("bk,fkd->fbd", bary, corners[own]).reshape(-1, 3))
        owners.append(faces[own][:, bary.argmax(axis=1)].ravel())
    return np.concatenate(points), np.concatenate(owners)
