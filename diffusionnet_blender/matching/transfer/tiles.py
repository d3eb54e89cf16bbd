"""Layouts that leave the unit square: images that repeat, and UDIM tiles."""

from __future__ import annotations

import numpy as np

from ...errors import LayoutError
from ..points import SurfacePoints
from .texture import Texels, rasterise_all

FIRST_TILE = 1001
TILES_IN_A_ROW = 10
# More unit squares than this under one triangle are an accident.
MOST_SQUARES = 256
# Share of texels claimed from two unit squares, above which those are tiles of their own.
TILED = 0.002
# Share of texels claimed twice in a layout without overlaps, by edges that pass through them.
OVERLAPPING = 0.001
# Share of the room in an even layout, below which a triangle has none: a thirtieth of the length.
LEAST_ROOM = 0.001
# Share of the surface without room, above which a layout is not one to one.
COLLAPSED = 0.005


def unit_squares(uv: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Triangles of a layout by the unit squares that their boxes meet.

    Parameters
    ----------
    uv : (F, 3, 2) float

    Returns
    -------
    face : (K,) int64
    square : (K, 2) int64
        Whole part of u and v there.

    Raises
    ------
    LayoutError
        If one of them meets far too many, or has no finite place.
    """
    undefined = ~np.isfinite(uv).all(axis=(1, 2))
    if undefined.any():
        raise LayoutError(
            f"{int(undefined.sum()):,} faces of the target's UV map have no finite place",
            "Unwrap the target, or remove its UV map, so that a new one is made.",
        )
    low = np.floor(uv.min(axis=1) + 1e-9).astype(np.int64)
    high = np.maximum(np.ceil(uv.max(axis=1) - 1e-9).astype(np.int64), low + 1)
    extent = high - low
    count = extent.prod(axis=1)
    if len(count) and (count.max() > MOST_SQUARES or extent.max() > MOST_SQUARES):
        raise LayoutError(
            f"{int(np.sum(count > MOST_SQUARES)):,} faces of the target's UV map repeat an image "
            "hundreds of times",
            "Unwrap the target, or remove its UV map, so that a new one is made.",
        )
    face = np.repeat(np.arange(len(uv)), count)
    number = np.arange(len(face)) - np.repeat(np.cumsum(count) - count, count)
    across, up = number % extent[face, 0], number // extent[face, 0]
    return face, low[face] + np.stack([across, up], axis=1)


def udim_tiles(uv: np.ndarray, height: int, width: int) -> tuple[int, ...]:
    """Numbers of the UDIM tiles of a layout; none where one image, repeated, holds it.

    Parameters
    ----------
    uv : (F, 3, 2) float
    height, width : int
        Of the image of a tile.
    """
    face, square = unit_squares(uv)
    if not np.any(square):
        return ()
    texels, hidden = rasterise_all(uv[face] - square[:, None], height, width)
    owner = np.empty((height, width), dtype=np.int64)
    owner[texels.row, texels.column] = texels.points.face
    above, below = hidden.points.face, owner[hidden.row, hidden.column]
    elsewhere = np.any(square[above] != square[below], axis=1)
    used = np.unique(square[np.concatenate([texels.points.face, above])], axis=0)
    valid = np.all(used >= 0) and np.all(used[:, 0] < TILES_IN_A_ROW)
    if not valid or elsewhere.sum() <= TILED * (len(texels.row) + len(hidden.row)):
        return ()
    return tuple(sorted(FIRST_TILE + int(u) + TILES_IN_A_ROW * int(v) for u, v in used))


def covered(
    uv: np.ndarray, height: int, width: int, tile: int | None = None
) -> tuple[Texels, Texels]:
    """Texels of one image that a layout covers, and those again that further triangles claim.

    Parameters
    ----------
    uv : (F, 3, 2) float
    height, width : int
    tile : int, optional
        UDIM number. Without, the image repeats in all directions.

    Returns
    -------
    texels, hidden : Texels
    """
    face, square = unit_squares(uv)
    if tile is not None:
        here = np.all(square == _square_of(tile), axis=1)
        face, square = face[here], square[here]
    texels, hidden = rasterise_all(uv[face] - square[:, None], height, width)
    return _of_faces(texels, face), _of_faces(hidden, face)


def is_one_to_one(uv: np.ndarray, area: np.ndarray, height: int, width: int) -> bool:
    """Whether each place of a surface has one of its own in a layout, inside the unit square.

    Parameters
    ----------
    uv : (F, 3, 2) float
    area : (F,) float
        Of the triangles on the surface.
    height, width : int
        Of the image whose texels count.
    """
    if not np.isfinite(uv).all() or uv.min() < 0 or uv.max() > 1:
        return False
    if area[collapsed(uv, area)].sum() > COLLAPSED * area.sum():
        return False
    texels, hidden = rasterise_all(uv, height, width)
    return len(hidden.row) <= OVERLAPPING * len(texels.row)


def collapsed(uv: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Triangles without room in a layout, laid onto a point or a line, as on a palette of colours.

    Parameters
    ----------
    uv : (F, 3, 2) float
    area : (F,) float
        Of the triangles on the surface.

    Returns
    -------
    (F,) bool
        Those with less than `LEAST_ROOM` of the room that an even layout would give them.
    """
    b, c = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    room = np.abs(b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0]) / 2
    return (area > 0) & (room * area.sum() <= LEAST_ROOM * area * room.sum())


def centres(
    uv: np.ndarray, face: np.ndarray, height: int, width: int, tile: int | None = None
) -> Texels:
    """The texels at the centres of some triangles of a layout.

    Parameters
    ----------
    uv : (F, 3, 2) float
    face : (N,) int
        Their numbers.
    height, width, tile
        As in `covered`.
    """
    middle = uv[face].mean(axis=1)
    square = np.floor(middle).astype(np.int64)
    if tile is not None:
        here = np.all(square == _square_of(tile), axis=1)
        face, middle, square = face[here], middle[here], square[here]
    place = ((middle - square) * [width, height]).astype(np.int64)
    column, row = np.minimum(place, [width - 1, height - 1]).T
    points = SurfacePoints(face, np.full((len(face), 3), 1 / 3))
    return Texels(row, column, points, (height, width))


def _square_of(tile: int) -> tuple[int, int]:
    """Whole part of u and v in a UDIM tile."""
    row, column = divmod(tile - FIRST_TILE, TILES_IN_A_ROW)
    return column, row


def _of_faces(texels: Texels, face: np.ndarray) -> Texels:
    """Texels of pieces as those of the triangles that they are pieces of."""
    points = SurfacePoints(face[texels.points.face], texels.points.barycentric)
    return Texels(texels.row, texels.column, points, texels.shape)
