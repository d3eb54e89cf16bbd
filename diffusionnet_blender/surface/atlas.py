"""A UV layout that no two polygons share, to bake a mesh into whatever its own layouts are."""

from __future__ import annotations

import numpy as np

from ..errors import DiffusionNetError

# Sides of cells are powers of two; smaller ones have no texel left between their rims.
SMALLEST_CELL = 3
# Side that a cell should have on average.
MEAN_CELL = 12
# Texels between a polygon and its cell, so that a bilinear lookup meets no other polygon.
RIM = 1.5
# Shift of the long sides of two triangles in one cell along each axis: 3 texels apart.
APART = 2.2
# Factor by which the scale is lowered until all cells fit.
STEP = 2**0.25


def polygon_atlas(
    corner_counts: np.ndarray, extents: np.ndarray, chosen: np.ndarray, side: int
) -> np.ndarray:
    """Lay each polygon into a cell of its own, of a size by its extent.

    Triangles lie in pairs. Squares whose sides are powers of two, from the largest down, fill a
    square along the Z-order curve without gaps.

    Parameters
    ----------
    corner_counts : (P,) int
        Of each polygon, whose corners follow one another.
    extents : (P,) float
        Sizes of the polygons, in any unit.
    chosen : (P,) bool
        Polygons to lay out; the others are collapsed outside the unit square.
    side : int
        Of the image in texels, a power of two.

    Returns
    -------
    (L, 2) float64
        UVs of all corners.

    Raises
    ------
    DiffusionNetError
        If the image is too small for that many polygons.
    """
    top = side.bit_length() - 1
    uv = np.full((int(corner_counts.sum()), 2), -1.0)
    starts = np.cumsum(corner_counts) - corner_counts
    polygons = np.flatnonzero(chosen)
    is_triangle = corner_counts[polygons] == 3
    size = _cell_sizes(extents[polygons], is_triangle, top)
    # From the largest cell down; triangles of one size follow one another.
    order = np.lexsort((is_triangle, -size))
    polygons, is_triangle, size = polygons[order], is_triangle[order], size[order]
    second = np.zeros(len(polygons), dtype=bool)
    for number in np.unique(size):
        second[np.flatnonzero(is_triangle & (size == number))[1::2]] = True
    area = np.where(second, 0, 4 ** (size - SMALLEST_CELL))
    first = np.cumsum(area) - area
    first[second] = first[np.flatnonzero(second) - 1]
    corner = np.stack([_even_bits(first), _even_bits(first >> 1)], axis=1) << SMALLEST_CELL
    cell = (1 << size).astype(float)
    for count in np.unique(corner_counts[polygons]):
        for flipped in (False, True):
            here = (corner_counts[polygons] == count) & (second == flipped)
            at = starts[polygons[here], None] + np.arange(count)
            places = corner[here, None] + _in_cell(int(count), cell[here], flipped)
            uv[at] = places / side
    return uv


def atlas_side(corner_counts: np.ndarray, wanted: int, largest: int) -> int:
    """Side of an image for an atlas: a power of two, at least the wanted one if allowed.

    Parameters
    ----------
    corner_counts : (P,) int
        Of the polygons to lay out.
    wanted, largest : int
        In texels. More polygons than fit take an image larger than both.
    """
    cells = len(corner_counts) - int(np.sum(corner_counts == 3)) // 2
    needed = np.sqrt(cells) * MEAN_CELL
    return 1 << int(np.ceil(np.log2(max(needed, min(wanted, largest)))))


def _cell_sizes(extents: np.ndarray, is_triangle: np.ndarray, top: int) -> np.ndarray:
    """Logarithms of the sides of the cells, the largest that fit into the image."""
    wanted = np.log2(np.maximum(extents / max(extents.max(initial=0.0), 1e-300), 1e-9))
    lift = float(top)
    while True:
        size = np.clip(np.ceil(wanted + lift), SMALLEST_CELL, top).astype(np.int64)
        singles = 4.0 ** size[~is_triangle]
        pairs = [
            (number, -(-int(np.sum(is_triangle & (size == number))) // 2))
            for number in range(SMALLEST_CELL, top + 1)
        ]
        if singles.sum() + sum(4.0**number * count for number, count in pairs) <= 4.0**top:
            return size
        if size.max() == SMALLEST_CELL:
            raise DiffusionNetError(
                f"{len(extents):,} faces do not fit into an image of {1 << top} x {1 << top}",
                "Reduce the mesh.",
            )
        lift -= np.log2(STEP)


def _even_bits(numbers: np.ndarray) -> np.ndarray:
    """Every second bit of whole numbers, from the lowest."""
    found = np.zeros_like(numbers)
    for bit in range(31):
        found |= ((numbers >> (2 * bit)) & 1) << bit
    return found


def _in_cell(count: int, cell: np.ndarray, flipped: bool) -> np.ndarray:
    """Corners of polygons in cells of these sides, counterclockwise: (N, count, 2)."""
    if count == 3:
        near, far = np.full_like(cell, RIM), cell - RIM - APART
        places = np.stack([near, near, far, near, near, far], axis=1).reshape(-1, 3, 2)
        return cell[:, None, None] - places if flipped else places
    turn = 2 * np.pi * (np.arange(count) + 0.5) / count
    # A square fills its cell; others lie on a circle.
    radius = (cell / 2 - RIM) * (np.sqrt(2) if count == 4 else 1.0)
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return cell[:, None, None] / 2 + radius[:, None, None] * ring
