"""Transfer of textures: baked into the target's own UV layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ...errors import DiffusionNetError
from ...surface.surface import triangle_vectors
from ..points import SurfacePoints
from .corners import MapInside

DILATION = 16
TEXELS_AT_A_TIME = 262_144
# Triangles rasterised at a time, by the sum of their boxes.
BOXES_AT_A_TIME = 4_000_000


@dataclass(frozen=True, eq=False)
class Texels:
    """The texels of an image that a UV layout covers.

    Attributes
    ----------
    row, column : (N,) int64
        Row 0 is at v = 0, the bottom, as Blender stores images.
    points : SurfacePoints
        On the target.
    shape : (height, width)
    """

    row: np.ndarray
    column: np.ndarray
    points: SurfacePoints
    shape: tuple[int, int]


@dataclass(frozen=True, eq=False)
class TransferMap:
    """Image of each covered texel of the target's layout, on the source and in its layout.

    Attributes
    ----------
    texels : Texels
    source_points : SurfacePoints
        On the source, one for each texel.
    source_uv : (N, 2) float64
    """

    texels: Texels
    source_points: SurfacePoints
    source_uv: np.ndarray


def rasterise(uv: np.ndarray, height: int, width: int) -> Texels:
    """The texels whose middle lies inside a triangle of a UV layout.

    Parameters
    ----------
    uv : (F, 3, 2) float
        At the corners of each triangle. The part of a layout outside the unit square (the other
        tiles of a UDIM) covers nothing.
    height, width : int

    Returns
    -------
    Texels
        Each texel once; where triangles overlap, it belongs to the first.
    """
    size = np.array([width, height])
    corner = uv * size - 0.5
    low = np.clip(np.ceil(corner.min(axis=1) - 1e-9), 0, size).astype(np.int64)
    high = np.clip(np.floor(corner.max(axis=1) + 1e-9), -1, size - 1).astype(np.int64)
    extent = np.maximum(high - low + 1, 0)
    boxes = extent.prod(axis=1)
    owner = np.full(height * width, -1, dtype=np.int64)
    shares = np.zeros((height * width, 3), dtype=np.float32)
    b, c = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
    determinant = b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0]
    order = np.flatnonzero((boxes > 0) & (determinant != 0))
    batch = np.cumsum(boxes[order]) // BOXES_AT_A_TIME
    for chosen in np.split(order, np.flatnonzero(np.diff(batch)) + 1):
        face = np.repeat(chosen, boxes[chosen])
        first = np.repeat(np.cumsum(boxes[chosen]) - boxes[chosen], boxes[chosen])
        row, column = np.divmod(np.arange(len(face)) - first, extent[face, 0])
        row, column = row + low[face, 1], column + low[face, 0]
        x, y = column - corner[face, 0, 0], row - corner[face, 0, 1]
        share_b = (x * c[face, 1] - y * c[face, 0]) / determinant[face]
        share_c = (y * b[face, 0] - x * b[face, 1]) / determinant[face]
        inside = (share_b >= -1e-7) & (share_c >= -1e-7) & (share_b + share_c <= 1 + 1e-7)
        texel = (row * width + column)[inside]
        texel, kept = np.unique(texel, return_index=True)
        kept = np.flatnonzero(inside)[kept]
        fresh = owner[texel] < 0
        texel, kept = texel[fresh], kept[fresh]
        owner[texel] = face[kept]
        shares[texel, 1], shares[texel, 2] = share_b[kept], share_c[kept]
    covered = np.flatnonzero(owner >= 0)
    barycentric = shares[covered].astype(np.float64)
    barycentric[:, 0] = 1 - barycentric[:, 1] - barycentric[:, 2]
    barycentric = np.clip(barycentric, 0, 1)
    barycentric /= barycentric.sum(axis=1, keepdims=True)
    row, column = np.divmod(covered, width)
    return Texels(row, column, SurfacePoints(owner[covered], barycentric), (height, width))


def transfer_map(
    inside: MapInside,
    source_uv: np.ndarray,
    target_uv: np.ndarray,
    height: int,
    width: int,
    progress: Callable[[float], None] = lambda fraction: None,
) -> TransferMap:
    """Map every texel of the target's layout to the source and its layout.

    Seams are exact: a texel is looked up within one triangle of the source, through that
    triangle's own corners.

    Parameters
    ----------
    inside : MapInside
    source_uv : (F_s, 3, 2) float
        At the corners of the source's triangles.
    target_uv : (F_t, 3, 2) float
    height, width : int
        Of the images to bake.
    progress : callable
        Called with a fraction; may raise to stop.

    Raises
    ------
    DiffusionNetError
        If the target's layout covers no texel.
    """
    texels = rasterise(target_uv, height, width)
    count = len(texels.row)
    if not count:
        raise DiffusionNetError(
            "The target's UV map covers no part of an image",
            "Unwrap the target, or move its UVs into the unit square.",
        )
    face = np.empty(count, dtype=np.int64)
    barycentric = np.empty((count, 3))
    for start in range(0, count, TEXELS_AT_A_TIME):
        progress(start / count)
        chunk = slice(start, start + TEXELS_AT_A_TIME)
        found = inside(texels.points[chunk])
        face[chunk], barycentric[chunk] = found.face, found.barycentric
    uv = sum(barycentric[:, i, None] * source_uv[face, i] for i in range(3))
    return TransferMap(texels, SurfacePoints(face, barycentric), uv)


def sample_bilinear(image: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Colours of an image between its texels; outside the unit square it repeats.

    Parameters
    ----------
    image : (H, W, C) float
        Row 0 at v = 0.
    uv : (N, 2) float

    Returns
    -------
    (N, C) float
    """
    colours = np.empty((len(uv), image.shape[2]), dtype=image.dtype)
    for start in range(0, len(uv), TEXELS_AT_A_TIME):
        chunk = slice(start, start + TEXELS_AT_A_TIME)
        colours[chunk] = _sampled(image, uv[chunk])
    return colours


def _sampled(image: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Colours (n, C) of an image (H, W, C) at (n, 2)."""
    height, width = image.shape[:2]
    flat = image.reshape(height * width, -1)
    x, y = uv[:, 0] * width - 0.5, uv[:, 1] * height - 0.5
    left, below = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    x = (x - left).astype(image.dtype)[:, None]
    y = (y - below).astype(image.dtype)[:, None]
    left, right = left % width, (left + 1) % width
    below, above = (below % height) * width, ((below + 1) % height) * width
    return (1 - y) * ((1 - x) * flat[below + left] + x * flat[below + right]) + y * (
        (1 - x) * flat[above + left] + x * flat[above + right]
    )


def paint(texels: Texels, colours: np.ndarray) -> np.ndarray:
    """An image of the texels' colours (N, C), zero elsewhere: (height, width, C) float32.

    Parameters
    ----------
    texels : Texels
    colours : (N, C) float
    """
    image = np.zeros((*texels.shape, colours.shape[1]), dtype=np.float32)
    image[texels.row, texels.column] = colours
    return image


def bake(lookup: TransferMap, image: np.ndarray, dilation: int = DILATION) -> np.ndarray:
    """One of the source's images in the target's layout.

    Parameters
    ----------
    lookup : TransferMap
    image : (H, W, C) float32
    dilation : int
        Texels by which islands grow beyond their rim.

    Returns
    -------
    (height, width, C) float32
        Zero where nothing was baked.
    """
    baked = paint(lookup.texels, sample_bilinear(image, lookup.source_uv))
    return dilate(baked, lookup.texels, dilation)


def dilate(image: np.ndarray, texels: Texels, distance: int) -> np.ndarray:
    """Extend the colours at the border of the islands outward, so that filtering finds no gap.

    Parameters
    ----------
    image : (H, W, C) float
    texels : Texels
        The covered ones.
    distance : int
        In texels.
    """
    if distance <= 0:
        return image
    empty = np.ones(texels.shape, dtype=bool)
    empty[texels.row, texels.column] = False
    away, nearest = ndimage.distance_transform_edt(empty, return_indices=True)
    grown = empty & (away <= distance)
    image = image.copy()
    image[grown] = image[nearest[0][grown], nearest[1][grown]]
    return image


def turned_normals(colours: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Rotate tangent-space normals from one tangent frame into another.

    Parameters
    ----------
    colours : (N, >= 3) float32
        0.5 + half of the normal, as a normal map stores it; further channels stay.
    turn : (N, 2, 2) float
        Of `frame_turns`.

    Returns
    -------
    (N, C) float32
    """
    normal = 2 * colours[:, :3] - 1
    normal[:, :2] = np.einsum("nij,nj->ni", turn, normal[:, :2])
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    turned = colours.copy()
    turned[:, :3] = 0.5 + 0.5 * normal / np.maximum(length, 1e-6)
    return turned


def frame_turns(
    lookup: TransferMap,
    inside: MapInside,
    source: tuple[np.ndarray, np.ndarray, np.ndarray],
    target: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> np.ndarray:
    """Rotation from the source's tangent frames to the target's at each texel.

    The map takes each triangle of the target to the source; the rotation next to it takes u and
    v of the source's layout to u and v of the target's. Mirrored layouts are accounted for.

    Parameters
    ----------
    lookup : TransferMap
    inside : MapInside
    source, target : (vertices, faces, uv)
        (V, 3), (F, 3) and (F, 3, 2) at the corners.

    Returns
    -------
    (N, 2, 2) float32
        For each texel.
    """
    tangent_s, across_s, sign_s = _tangents(*source)
    tangent_t, across_t, sign_t = _tangents(*target)
    vertices, faces, _ = target
    edges = vertices[faces[:, 1:]] - vertices[faces[:, :1]]
    flat = np.stack(
        [np.einsum("fei,fi->fe", edges, axis) for axis in (tangent_t, across_t)], axis=1
    )
    determinant = flat[:, 0, 0] * flat[:, 1, 1] - flat[:, 0, 1] * flat[:, 1, 0]
    adjugate = np.stack(
        [flat[:, 1, 1], -flat[:, 0, 1], -flat[:, 1, 0], flat[:, 0, 0]], axis=1
    ).reshape(-1, 2, 2)
    inverse = adjugate / np.where(np.abs(determinant) > 0, determinant, 1.0)[:, None, None]
    moved = inside.image[faces[:, 1:]] - inside.image[faces[:, :1]]
    # Of each triangle: directions in the target's frame to directions in the source's space.
    differential = np.einsum("fei,fed->fid", moved, inverse)
    turn = np.empty((len(lookup.source_uv), 2, 2), dtype=np.float32)
    for start in range(0, len(turn), TEXELS_AT_A_TIME):
        chunk = slice(start, start + TEXELS_AT_A_TIME)
        source_face = lookup.source_points.face[chunk]
        target_face = lookup.texels.points.face[chunk]
        x = np.einsum("ni,nid->nd", tangent_s[source_face], differential[target_face])
        y = np.einsum("ni,nid->nd", across_s[source_face], differential[target_face])
        # The rotation nearest to the 2 x 2 matrix (x, y), transposed: source to target.
        cosine, sine = x[:, 0] + y[:, 1], x[:, 1] - y[:, 0]
        length = np.maximum(np.hypot(cosine, sine), np.finfo(float).tiny)
        cosine, sine = cosine / length, sine / length
        rotation = np.stack([cosine, -sine, sine, cosine], axis=1).reshape(-1, 2, 2)
        rotation[:, 1, :] *= sign_t[target_face, None]
        rotation[:, :, 1] *= sign_s[source_face, None]
        turn[chunk] = rotation
    return turn


def _tangents(
    vertices: np.ndarray, faces: np.ndarray, uv: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit tangent along u (F, 3), that a quarter turn on (F, 3), and orientation (F,), 1 or -1."""
    edges = vertices[faces[:, 1:]] - vertices[faces[:, :1]]
    b, c = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    determinant = b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0]
    sign = np.where(determinant < 0, -1.0, 1.0)
    along = sign[:, None] * (c[:, 1:] * edges[:, 0] - b[:, 1:] * edges[:, 1])
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), np.finfo(float).tiny)
    normal = triangle_vectors(vertices, faces)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), np.finfo(float).tiny)
    return along, np.cross(normal, along), sign
