"""Transfer of a UV layout: copied onto the target's topology."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...surface.edges import face_neighbours, side_lengths
from ...surface.surface import triangle_vectors
from ..points import SurfacePoints
from ..walk import SurfaceWalk
from .corners import MapInside

# UVs of one vertex that differ by less than this share of the edges around it are one.
WELD = 0.02
# Corners of one island's triangles that differ by less, in sizes of the layout, are joined.
JOINED = 1e-5


@dataclass(frozen=True, eq=False)
class CopiedUv:
    """A UV layout of the target.

    Attributes
    ----------
    uv : (F_t, 3, 2) float64
        At the corners.
    seam : (F_t, 3) bool
        Edges (column i lies opposite of corner i) across which the layout is cut.
    flipped : (F_t,) bool
        Triangles whose orientation in the layout is the opposite of the source's there.
    stretch : (F_t,) float64
        Longest by shortest scale from the triangle to the layout; 1 keeps angles.
    """

    uv: np.ndarray
    seam: np.ndarray
    flipped: np.ndarray
    stretch: np.ndarray


def copy_uv(
    inside: MapInside,
    source: tuple[np.ndarray, np.ndarray],
    source_uv: np.ndarray,
    target: tuple[np.ndarray, np.ndarray],
    leader: np.ndarray | None = None,
) -> CopiedUv:
    """Give each target triangle the UVs of one place of the source's layout.

    The image of its centre decides the island; its corners are located by walks from there that
    cross no seam, beyond which the layout is extrapolated.

    Parameters
    ----------
    inside : MapInside
    source : (vertices, faces)
    source_uv : (F_s, 3, 2) float
        At the corners.
    target : (vertices, faces)
    leader : (F_t,) int, optional
        Triangle whose centre counts for each: one for all triangles of a polygon. By default
        its own.
    """
    vertices, faces = target
    count = len(faces)
    middles = SurfacePoints(np.arange(count), np.full((count, 3), 1 / 3))
    start = inside(middles).face
    if leader is not None:
        start = start[leader]
    walk = SurfaceWalk(*source, uncut_neighbours(source[1], source_uv))
    image = inside.image[faces].reshape(-1, 3)
    found = walk(np.repeat(start, 3), image, beyond=True)
    uv = np.einsum("nc,nci->ni", found.barycentric, source_uv[found.face]).reshape(count, 3, 2)
    uv = _welded(uv, faces)
    area = _signed_areas(uv)
    source_area = _signed_areas(source_uv)[start]
    return CopiedUv(
        uv=uv,
        seam=uncut_neighbours(faces, uv) != face_neighbours(faces),
        flipped=area * source_area < 0,
        stretch=_stretch(vertices, faces, uv),
    )


def uncut_neighbours(faces: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """As `face_neighbours`, with -1 where the UV layout is cut too, (F, 3) int64.

    Parameters
    ----------
    faces : (F, 3) int
    uv : (F, 3, 2) float
    """
    neighbour = face_neighbours(faces)
    cut = neighbour.copy()
    joined = JOINED * np.ptp(uv.reshape(-1, 2), axis=0).max(initial=0.0)
    for corner in range(3):
        other = neighbour[:, corner]
        for end in ((corner + 1) % 3, (corner + 2) % 3):
            same = faces[other] == faces[:, end, None]
            beyond = np.einsum("fc,fci->fi", same, uv[other])
            apart = np.abs(beyond - uv[:, end]).max(axis=1) > joined
            cut[apart, corner] = -1
    return np.where(neighbour < 0, -1, cut)


def _welded(uv: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """UVs (F, 3, 2) with the mean for corners of a vertex that all but agree."""
    flat, vertex = uv.reshape(-1, 2), faces.ravel()
    edge = side_lengths(uv).mean(axis=1)
    reach = WELD * np.repeat(edge, 3)
    welded = flat.copy()
    done = np.zeros(len(flat), dtype=bool)
    # Each round settles, at every vertex, the corners that agree with its first unsettled one.
    while not done.all():
        unsettled = np.flatnonzero(~done)
        _, first, inverse = np.unique(vertex[unsettled], return_index=True, return_inverse=True)
        leader = unsettled[first[inverse.ravel()]]
        near = np.abs(flat[unsettled] - flat[leader]).max(axis=1) <= np.minimum(
            reach[unsettled], reach[leader]
        )
        near |= unsettled == leader
        group, leader = unsettled[near], leader[near]
        members = np.bincount(leader, minlength=len(flat))
        for axis in range(2):
            total = np.bincount(leader, flat[group, axis], minlength=len(flat))
            welded[group, axis] = total[leader] / members[leader]
        done[group] = True
    return welded.reshape(uv.shape)


def _signed_areas(uv: np.ndarray) -> np.ndarray:
    """Areas (F,) of triangles (F, 3, 2), below zero where they are clockwise."""
    b, c = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    return 0.5 * (b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0])


def _stretch(vertices: np.ndarray, faces: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Ratio of the singular values of each triangle's map to the layout, (F,)."""
    normal = triangle_vectors(vertices, faces)
    double = np.linalg.norm(normal, axis=1)
    b = vertices[faces[:, 1]] - vertices[faces[:, 0]]
    c = vertices[faces[:, 2]] - vertices[faces[:, 0]]
    length = np.linalg.norm(b, axis=1)
    # Triangles without an area stretch nothing.
    flat = double <= 1e-12 * (np.square(b) + np.square(c)).sum(axis=1)
    double, length = np.where(flat, 1.0, double), np.where(flat, 1.0, length)
    across = double / length
    along = np.einsum("fi,fi->f", b, c) / length
    of_b = (uv[:, 1] - uv[:, 0]) / length[:, None]
    of_c = ((uv[:, 2] - uv[:, 0]) - along[:, None] * of_b) / across[:, None]
    scales = np.linalg.svd(np.stack([of_b, of_c], axis=2), compute_uv=False)
    # A triangle whose image is a line is stretched a billion times, which is enough.
    least = 1e-9 * scales[:, 0] + np.finfo(float).tiny
    stretch = scales[:, 0] / np.maximum(scales[:, 1], least)
    return np.where(flat, 1.0, stretch)
