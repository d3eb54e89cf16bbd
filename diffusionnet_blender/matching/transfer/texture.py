"""Transfer of textures: baked into the target's own UV layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ...surface.surface import triangle_vectors
from ..points import SurfacePoints
from .corners import MapInside

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
    """Image of each covered texel of the target's layout on the source.

    Attributes
    ----------
    texels : Texels
    source_points : SurfacePoints
        On the source, one for each texel.
    """

    texels: Texels
    source_points: SurfacePoints

    def __getitem__(self, chosen: np.ndarray) -> TransferMap:
        """Some of the texels, chosen by a mask or by indices."""
        texels = self.texels
        some = Texels(
            texels.row[chosen], texels.column[chosen], texels.points[chosen], texels.shape
        )
        return TransferMap(some, self.source_points[chosen])

    def source_uv(self, uv: np.ndarray) -> np.ndarray:
        """Places in a layout of the source (F_s, 3, 2), at the corners of its triangles: (N, 2)."""
        face, share = self.source_points.face, self.source_points.barycentric
        return sum(share[:, i, None] * uv[face, i] for i in range(3))


def rasterise(uv: np.ndarray, height: int, width: int) -> Texels:
    """The texels whose middle lies inside a triangle of a UV layout.

    Parameters
    ----------
    uv : (F, 3, 2) float
        At the corners of each triangle. The part of a layout outside the unit square covers
        nothing; see `tiles`.
    height, width : int

    Returns
    -------
    Texels
        Each texel once; where triangles overlap, it belongs to the first.
    """
    return rasterise_all(uv, height, width)[0]


def rasterise_all(uv: np.ndarray, height: int, width: int) -> tuple[Texels, Texels]:
    """The texels of `rasterise`, and those again that further triangles cover.

    A texel on the edge between two triangles is among both.

    Parameters
    ----------
    uv, height, width
        As `rasterise`.

    Returns
    -------
    texels, hidden : Texels
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
    # Numbers of texels, triangles, and shares of the second and third corner.
    none = np.empty(0, dtype=np.int64)
    hidden = [(none, none, np.empty(0), np.empty(0))]
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
        claim = np.flatnonzero(inside)
        texel, kept = np.unique((row * width + column)[claim], return_index=True)
        fresh = owner[texel] < 0
        texel, kept = texel[fresh], kept[fresh]
        if len(kept) < len(claim):
            further = np.ones(len(claim), dtype=bool)
            further[kept] = False
            again = claim[further]
            hidden.append((row[again] * width + column[again], face[again],
                           share_b[again], share_c[again]))  # fmt: skip
        kept = claim[kept]
        owner[texel] = face[kept]
        shares[texel, 1], shares[texel, 2] = share_b[kept], share_c[kept]
    covered = np.flatnonzero(owner >= 0)
    shape = height, width
    texel, face, share_b, share_c = (np.concatenate(each) for each in zip(*hidden, strict=True))
    return (
        _texels(covered, owner[covered], shares[covered, 1], shares[covered, 2], shape),
        _texels(texel, face, share_b, share_c, shape),
    )


def _texels(
    texel: np.ndarray,
    face: np.ndarray,
    share_b: np.ndarray,
    share_c: np.ndarray,
    shape: tuple[int, int],
) -> Texels:
    """Texels by their numbers, the triangle over each, and the shares of two of its corners."""
    barycentric = np.stack([1 - share_b.astype(np.float64) - share_c, share_b, share_c], axis=1)
    barycentric = np.clip(barycentric, 0, 1)
    barycentric /= barycentric.sum(axis=1, keepdims=True)
    row, column = np.divmod(texel, shape[1])
    return Texels(row, column, SurfacePoints(face, barycentric), shape)


def joined(one: Texels, other: Texels) -> Texels:
    """Texels of one image and others of it."""
    points = SurfacePoints(
        np.concatenate([one.points.face, other.points.face]),
        np.concatenate([one.points.barycentric, other.points.barycentric]),
    )
    return Texels(
        np.concatenate([one.row, other.row]),
        np.concatenate([one.column, other.column]),
        points,
        one.shape,
    )


def transfer_map(
    inside: MapInside,
    texels: Texels,
    progress: Callable[[float], None] = lambda fraction: None,
) -> TransferMap:
    """Map texels of the target's layout to the source.

    Seams are exact: a texel is looked up within one triangle of the source, through that
    triangle's own corners.

    Parameters
    ----------
    inside : MapInside
    texels : Texels
    progress : callable
        Called with a fraction; may raise to stop.
    """
    count = len(texels.row)
    face = np.empty(count, dtype=np.int64)
    barycentric = np.empty((count, 3))
    for start in range(0, count, TEXELS_AT_A_TIME):
        progress(start / count)
        chunk = slice(start, start + TEXELS_AT_A_TIME)
        found = inside(texels.points[chunk])
        face[chunk], barycentric[chunk] = found.face, found.barycentric
    return TransferMap(texels, SurfacePoints(face, barycentric))


def sample(
    image: np.ndarray, uv: np.ndarray, extension: str = "REPEAT", closest: bool = False
) -> np.ndarray:
    """Colours of an image, between its texels or of the closest ones.

    Parameters
    ----------
    image : (H, W, C) float
        Row 0 at v = 0.
    uv : (N, 2) float
    extension : {"REPEAT", "EXTEND", "CLIP", "MIRROR"}
        What is outside the unit square, as in Blender's Image Texture node: the image again, its
        border, zeros, or the image and its mirror image in turn.
    closest : bool

    Returns
    -------
    (N, C) float
    """
    colours = np.empty((len(uv), image.shape[2]), dtype=image.dtype)
    for start in range(0, len(uv), TEXELS_AT_A_TIME):
        chunk = slice(start, start + TEXELS_AT_A_TIME)
        colours[chunk] = _sampled(image, uv[chunk], extension, closest)
    return colours


def _sampled(image: np.ndarray, uv: np.ndarray, extension: str, closest: bool) -> np.ndarray:
    """Colours (n, C) of an image (H, W, C) at (n, 2)."""
    height, width = image.shape[:2]
    flat = image.reshape(height * width, -1)

    def at(row: np.ndarray, column: np.ndarray) -> np.ndarray:
        known = _inside(row, height, extension) * width + _inside(column, width, extension)
        colours = flat[known]
        if extension == "CLIP":
            outside = (row < 0) | (row >= height) | (column < 0) | (column >= width)
            colours[outside] = 0.0
        return colours

    x, y = uv[:, 0] * width, uv[:, 1] * height
    if closest:
        return at(np.floor(y).astype(np.int64), np.floor(x).astype(np.int64))
    left, below = (np.floor(place - 0.5).astype(np.int64) for place in (x, y))
    along = (x - 0.5 - left).astype(image.dtype)[:, None]
    up = (y - 0.5 - below).astype(image.dtype)[:, None]
    lower = (1 - along) * at(below, left) + along * at(below, left + 1)
    upper = (1 - along) * at(below + 1, left) + along * at(below + 1, left + 1)
    return (1 - up) * lower + up * upper


def _inside(number: np.ndarray, count: int, extension: str) -> np.ndarray:
    """Rows or columns of an image for those of the plane."""
    if extension in ("EXTEND", "CLIP"):
        return np.clip(number, 0, count - 1)
    if extension == "MIRROR":
        number = number % (2 * count)
        return np.minimum(number, 2 * count - 1 - number)
    return number % count


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
    turn = np.empty((len(lookup.source_points), 2, 2), dtype=np.float32)
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
