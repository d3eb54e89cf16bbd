"""Voxel remeshing: triangles to a solid on a grid, and its boundary as a surface.

The boundary is that of surface nets (Gibson 1998): one vertex in each cell that the boundary
crosses, one quad for each crossed edge of the grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from .edges import side_lengths
from .triangles import compact, smooth

# The grid begins so many half cells beside the vertices' bounds. Without, the vertices at the
# bounds and those at whole fractions of the size lie on borders of cells, and rounding decides on
# which side: another place of the object in the scene gave another skin.
ASIDE = 0.618
# Points along a side of a triangle, at most.
MOST_STEPS = 200
# From so many on, a triangle that is narrower than the points are apart has points on its sides
# alone: a fan of ten thousand slivers would have 200 million others.
LONG = 8
# Points of triangles at a time.
BLOCK = 2_000_000
MOST_POINTS = 50_000_000


@dataclass(frozen=True, eq=False)
class Skin:
    """The outer skin of a triangle soup.

    Attributes
    ----------
    vertices : (V, 3) float64
    faces : (F, 3) int64, wound outward.
    source : (V,) int64
        For each vertex the nearest corner of the nearest triangle.
    fullness : float
        Filled cells of the grid for each that triangles are in: little above 1 where all is thin.
    """

    vertices: np.ndarray
    faces: np.ndarray
    source: np.ndarray
    fullness: float


def outer_skin(
    vertices: np.ndarray,
    faces: np.ndarray,
    cells: int,
    close: int = 1,
    softness: float = 0.7,
    shrink_wrap: bool = False,
    enclosing: int | None = None,
) -> Skin:
    """Voxel remesh of the outside of a triangle soup, in one skin.

    Parameters
    ----------
    vertices : (V, 3) float
    faces : (F, 3) int
        Any triangle soup, open or closed, in one piece or many.
    cells : int
        Grid cells along the longest side.
    close : int
        Cells by which gaps and holes are bridged.
    softness : float
        Standard deviation of the blur, in cells.
    shrink_wrap : bool
        Whether vertices are projected to the original surface.
    enclosing : int, optional
        Fill cells from which triangles are met along so many of the six directions of the axes.
        Without, the outside enters through a hole wider than `close` bridges, and the skin has two
        sides.

    Returns
    -------
    Skin
        The largest piece.
    """
    cell = np.ptp(vertices, axis=0).max() / cells
    margin = close + 3
    low = vertices[faces].min(axis=(0, 1)) - (margin + 0.5 * ASIDE) * cell
    points, corner, half = _first_in_halves(vertices, faces, low, cell)
    place = half // 2
    shape = place.max(axis=0) + margin + 1
    solid = np.zeros(shape, bool)
    solid[tuple(place.T)] = True
    met = np.count_nonzero(solid)
    if enclosing is not None:
        solid |= _directions_met(solid) >= enclosing
    if close:
        solid = ndimage.binary_dilation(solid, iterations=close)
    outside = ndimage.label(~solid)[0]
    solid = outside != outside[0, 0, 0]
    if close:
        solid = ndimage.binary_erosion(solid, iterations=close)
    fullness = np.count_nonzero(solid) / met
    pieces, count = ndimage.label(solid, ndimage.generate_binary_structure(3, 3))
    if count > 1:
        solid = pieces == np.bincount(pieces.ravel())[1:].argmax() + 1
    # A cape one cell thick must not be blurred away.
    field = ndimage.gaussian_filter(solid.astype(np.float32), softness, truncate=2.5)
    found, quads = surface_nets(field, 0.4)
    found = low + (found + 0.5) * cell
    found = smooth(found, quads, 2, 0.5)
    distance, nearest = cKDTree(points).query(found)
    if shrink_wrap:
        close_by = distance < 1.5 * cell
        found = np.where(close_by[:, None], points[nearest], found)
        found = smooth(found, quads, 1, 0.5)
    return Skin(found, quads, corner[nearest], fullness)


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

    def at(values: np.ndarray, i: int, j: int, k: int) -> np.ndarray:
        return values[i : x - 1 + i, j : y - 1 + j, k : z - 1 + k]

    filled = np.sum([at(inside, *corner) for corner in corners], axis=0, dtype=np.int8)
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

    triangles = []
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
        triangles += [quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]]
    faces, kept = compact(len(vertices), np.concatenate(triangles))
    return vertices[kept], faces


def _directions_met(solid: np.ndarray) -> np.ndarray:
    """Number of the six axis directions in which each cell meets a filled one, (X, Y, Z) int8."""
    count = np.zeros(solid.shape, np.int8)
    for axis in range(3):
        count += np.logical_or.accumulate(solid, axis)
        count += np.flip(np.logical_or.accumulate(np.flip(solid, axis), axis), axis)
    return count


def _first_in_halves(
    vertices: np.ndarray, faces: np.ndarray, low: np.ndarray, cell: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One point on the triangles in every half of a cell that they are in.

    Returns
    -------
    points : (P, 3) float64
    corner : (P,) int64
        The nearest corner of the triangle of each.
    half : (P, 3) int64
        Half cells from `low`.
    """
    spacing = 0.6 * cell
    while True:
        count, is_sliver = _steps(vertices[faces], spacing)
        before = np.cumsum(np.where(is_sliver, 3 * count, (count + 1) * (count + 2) // 2))
        if before[-1] <= MOST_POINTS:
            break
        # So many large triangles fill the cells together.
        spacing *= 1.5
    blocks = np.split(faces, np.flatnonzero(np.diff(before // BLOCK)) + 1)
    kept: list[tuple[np.ndarray, np.ndarray]] = []
    for number, block in enumerate(blocks, start=1):
        kept.append(_dense_points(vertices, block, spacing))
        # Now and then, so that memory follows the grid and not the triangles.
        points, corner = (np.concatenate(arrays) for arrays in zip(*kept, strict=True))
        if number < len(blocks) and len(points) < BLOCK:
            continue
        half = (2.0 * (points - low) / cell).astype(np.int64)
        _, first = np.unique(half @ [1, 4096, 4096**2], return_index=True)
        kept = [(points[first], corner[first])]
    return *kept[0], half[first]


def _steps(corners: np.ndarray, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """Steps along the longest side of triangles (F, 3, 3), and whether their sides will do."""
    longest = side_lengths(corners).max(axis=1)
    # A triangle whose corners coincide is one point, and not none.
    steps = np.clip(np.ceil(longest / spacing).astype(int), 1, MOST_STEPS)
    double_area = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    return steps, (steps > LONG) & (double_area < spacing * longest)


def _dense_points(
    vertices: np.ndarray, faces: np.ndarray, spacing: float
) -> tuple[np.ndarray, np.ndarray]:
    """Points (P, 3) on all triangles no farther apart than `spacing`, and for each the nearest
    corner of its triangle, (P,).
    """
    corners = vertices[faces]
    steps, is_sliver = _steps(corners, spacing)
    points, owners = [], []
    for count, sliver in np.unique(np.stack([steps, is_sliver], axis=1), axis=0):
        i, j = np.meshgrid(np.arange(count + 1), np.arange(count + 1), indexing="ij")
        chosen = i + j <= count
        if sliver:
            chosen &= (i == 0) | (j == 0) | (i + j == count)
        bary = np.stack([count - i - j, i, j], axis=2)[chosen] / count
        own = (steps == count) & (is_sliver == sliver)
        points.append(np.einsum("bk,fkd->fbd", bary, corners[own]).reshape(-1, 3))
        owners.append(faces[own][:, bary.argmax(axis=1)].ravel())
    return np.concatenate(points), np.concatenate(owners)
