"""Intrinsic Delaunay triangulation of the tufted cover (Sharp and Crane 2020).

The cotangent Laplacian of any triangle mesh made safe: both sides of every triangle are glued into
one closed surface without a border, whatever is non-manifold or open, and its edges are flipped,
by their lengths alone, until no weight is negative.

`robust_laplacian.mesh_laplacian` computes the same matrix; that library serves point clouds
(`laplacian`). This module exists for speed, memory and cancelling: all triangles go through each
step at once in flat arrays, and `progress` may stop it between steps. Medians of seven runs on
bodies, in one thread of a server processor (`python -m benchmarks.laplacian --runs 7`):

========  ============  ================  ===========  ================
vertices  this module   robust_laplacian  this module  robust_laplacian
          seconds       seconds           MB           MB
========  ============  ================  ===========  ================
10,000    0.02          0.07              6            31
50,000    0.09          0.53              29           219
200,000   0.41          2.94              118          838
========  ============  ================  ===========  ================

A cancel waits for a tenth of a second at 200,000 vertices; the library cannot be left before its
end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .edges import edge_keys, starts_of_runs
from .frames import tangent_frames
from .surface import blocks, corners

# Sides grow, all alike, until each triangle inequality holds with this share of the mean to spare.
MOLLIFICATION = 1e-5
# Sum of cotangents from which on an edge counts as Delaunay.
TOLERANCE = -1e-6
# Flipping ends by itself; where rounding prevents it, the remaining weights are next to nothing.
MAX_ROUNDS = 5000


@dataclass(eq=False)
class Triangulation:
    """A closed triangulation given by its side lengths. Side 3 f + i is the i-th of triangle f.

    Attributes
    ----------
    tail : (3T,) int32
        Vertex at which a side begins; the next side of the triangle begins where it ends.
    twin : (3T,) int32
        The same edge as a side of the triangle beyond it.
    length : (3T,) float64
    cover : int
        How many triangles lie over each of the mesh: 2 for its two sides; 1 where these do not
        meet, so that one stands for both.
    """

    tail: np.ndarray
    twin: np.ndarray
    length: np.ndarray
    cover: int


def delaunay_laplacian(
    vertices: np.ndarray,
    faces: np.ndarray,
    progress: Callable[[float], None] = lambda fraction: None,
) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Cotangent Laplacian with no negative weight, and lumped mass.

    Parameters
    ----------
    vertices : (V, 3) float
    faces : (F, 3) int
        Triangles that have an area; in any winding, any number at an edge.
    progress : callable
        Called with a fraction from 0 to 1 between steps; may raise to stop.

    Returns
    -------
    laplacian : (V, V) csr_matrix
        Symmetric, positive semi-definite.
    mass : (V,) float64
        A third of the area of the triangles around each vertex.
    """
    progress(0.0)
    triangulation = tufted_cover(vertices, faces, progress)
    progress(0.4)
    cotangent, area = flip_to_delaunay(triangulation, progress)
    progress(0.7)
    count, tail = len(vertices), triangulation.tail
    head = tail.reshape(-1, 3)[:, [1, 2, 0]].ravel()
    share = 0.5 / triangulation.cover
    one_way = sparse.coo_matrix((share * cotangent, (tail, head)), (count, count)).tocsr()
    weights = one_way + one_way.T
    progress(0.9)
    # An edge from a vertex to itself is on both sides of the difference, and goes.
    laplacian = sparse.diags(np.asarray(weights.sum(axis=1)).ravel(), format="csr") - weights
    mass = np.bincount(tail, np.repeat(area, 3), minlength=count) / (3.0 * triangulation.cover)
    progress(1.0)
    return laplacian, mass


def tufted_cover(
    vertices: np.ndarray,
    faces: np.ndarray,
    progress: Callable[[float], None] = lambda fraction: None,
) -> Triangulation:
    """Glue the two sides of all triangles into one closed surface.

    In the order of rotation around an edge, the front of a triangle is glued to the back of the
    next one. At a border, the front of a triangle is glued to its own back.

    Parameters
    ----------
    vertices : (V, 3) float
    faces : (F, 3) int
    progress : callable
        Called between steps; may raise to stop.

    Returns
    -------
    Triangulation
        With mollified lengths.
    """
    order, start, upward = _sides_by_edge(vertices, faces)
    progress(0.2)
    length = _mollified_lengths(vertices, faces, order, start)
    progress(0.3)
    # The next side around each edge, the first one after the last.
    after = np.empty_like(order)
    after[:-1] = order[1:]
    after[np.append(start[1:], len(order)) - 1] = order[start]

    tail = faces.astype(np.int32).ravel()
    twin = np.empty(len(tail), dtype=np.int32)
    in_pairs = len(start) * 2 == len(order) and (np.diff(start) == 2).all()
    if in_pairs and (upward[order] != upward[after]).all():
        twin[order] = after
        return Triangulation(tail, twin, length, cover=1)

    # The back of a triangle has its corners, and so its sides, in reverse.
    side = np.arange(len(tail), dtype=np.int32)
    back = len(tail) + 3 * (side // 3) + 2 - side % 3
    forward, backward = np.where(upward, (side, back), (back, side))
    twin = np.empty(2 * len(tail), dtype=np.int32)
    twin[forward[order]], twin[backward[after]] = backward[after], forward[order]
    return Triangulation(
        np.concatenate([tail, faces[:, [0, 2, 1]].astype(np.int32).ravel()]),
        twin,
        np.concatenate([length, length.reshape(-1, 3)[:, ::-1].ravel()]),
        cover=2,
    )


def _sides_by_edge(
    vertices: np.ndarray, faces: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sides (3F,) sorted by edge and by angle around it, the first of each edge, and directions.

    Returns
    -------
    order : (3F,) int64
    start : (E,) int64
        Into `order`.
    upward : (3F,) bool
        As of `edge_keys`.
    """
    key, upward = edge_keys(faces, len(vertices))
    order = np.argsort(key)
    key = key[order]
    start = starts_of_runs(key)
    size = np.diff(start, append=len(order))

    if size.max() > 2:
        edge = np.repeat(np.arange(len(start)), size)
        place = np.flatnonzero(size[edge] > 2)
        low, high = np.divmod(key[place], len(vertices))
        axis = vertices[high] - vertices[low]
        # Far from the rest of a shape, ends of a side may coincide: all angles around it are alike.
        length = np.linalg.norm(axis, axis=1, keepdims=True)
        frame = tangent_frames(axis / np.where(length > 0.0, length, 1.0))
        triangle, i = np.divmod(order[place], 3)
        out = np.einsum("nij,nj->ni", frame, vertices[faces[triangle, (i + 2) % 3]] - vertices[low])
        angle = np.arctan2(out[:, 1], out[:, 0])
        order[place] = order[place][np.lexsort((angle, edge[place]))]
    return order, start, upward


def _mollified_lengths(
    vertices: np.ndarray, faces: np.ndarray, order: np.ndarray, start: np.ndarray
) -> np.ndarray:
    """Lengths of all sides, (3F,), grown so that no triangle is flat."""
    length = np.empty(faces.shape)
    for block in blocks(len(faces)):
        corner = corners(vertices, faces[block])
        for i in range(3):
            side = corner[(i + 1) % 3] - corner[i]
            length[block, i] = np.sqrt(np.einsum("ij,ij->i", side, side))
    mean = length.ravel()[order[start]].mean()
    spare = length.sum(axis=1) - 2.0 * length.max(axis=1)
    length += max(0.0, MOLLIFICATION * mean - spare.min())
    return length.ravel()


def flip_to_delaunay(
    triangulation: Triangulation, progress: Callable[[float], None] = lambda fraction: None
) -> tuple[np.ndarray, np.ndarray]:
    """Flip edges, in place, until opposite angles sum up to at most half a turn everywhere.

    Each round flips, of all edges to flip, those that are the worst of both their triangles.

    Parameters
    ----------
    triangulation : Triangulation
    progress : callable
        Called before each round; may raise to stop.

    Returns
    -------
    cotangent : (3T,) float64
        Of the angle opposite each side.
    area : (T,) float64
    """
    twin = triangulation.twin
    triangles = np.arange(len(twin) // 3)
    cotangent, area = np.empty(len(twin)), np.empty(len(triangles))
    _measure(triangulation.length, triangles, cotangent, area)
    bad = np.flatnonzero(cotangent + cotangent[twin] < TOLERANCE)
    worst = np.empty(len(triangles), dtype=np.int64)
    moved = np.arange(len(twin), dtype=np.int32)
    for _ in range(MAX_ROUNDS):
        progress(0.5)
        bad = bad[bad < twin[bad]]
        bad = bad[bad // 3 != twin[bad] // 3]
        if not len(bad):
            break
        # Of several that are assigned to one place, the last stays: that is the worst edge.
        bad = bad[np.argsort(-(cotangent[bad] + cotangent[twin[bad]]))]
        triangle, beyond, rank = bad // 3, twin[bad] // 3, np.arange(len(bad))
        worst[np.stack([triangle, beyond], axis=1).ravel()] = np.repeat(rank, 2)
        chosen = (worst[triangle] == rank) & (worst[beyond] == rank)
        _flip(triangulation, bad[chosen], area, moved)
        changed = np.concatenate([triangle[chosen], beyond[chosen]])
        _measure(triangulation.length, changed, cotangent, area)
        around = (3 * changed[:, None] + np.arange(3)).ravel()
        around = np.minimum(around, twin[around])
        suspects = np.unique(np.concatenate([around, bad[~chosen]]))
        suspects = np.minimum(suspects, twin[suspects])
        bad = suspects[cotangent[suspects] + cotangent[twin[suspects]] < TOLERANCE]
    return cotangent, area


def _measure(
    length: np.ndarray, triangles: np.ndarray, cotangent: np.ndarray, area: np.ndarray
) -> None:
    """Fill in area (T,) and cotangent (3T,) of some triangles (n,), from all lengths (3T,)."""
    for block in blocks(len(triangles)):
        chosen = triangles[block]
        side = 3 * chosen
        a, b, c = length[side], length[side + 1], length[side + 2]
        # Heron's formula as a product of four factors, each a difference that keeps its digits.
        four_areas = np.sqrt(
            np.maximum((a + b + c) * (b + c - a) * (c + a - b) * (a + b - c), np.finfo(float).tiny)
        )
        area[chosen] = 0.25 * four_areas
        a, b, c = a * a, b * b, c * c
        cotangent[side] = (b + c - a) / four_areas
        cotangent[side + 1] = (c + a - b) / four_areas
        cotangent[side + 2] = (a + b - c) / four_areas


def _flip(
    triangulation: Triangulation, side: np.ndarray, area: np.ndarray, moved: np.ndarray
) -> None:
    """Flip edges, each given by one side (n,), no two of which share a triangle.

    `area` (T,) is that before; `moved` (3T,) is scratch, the identity before and after.
    """
    tail, twin, length = triangulation.tail, triangulation.twin, triangulation.length
    other = twin[side].astype(np.int64)
    following, before = _neighbours(side)
    other_following, other_before = _neighbours(other)
    # Edge i j with k to its left and l to its right, in the plane: i at 0, j at a on the x axis.
    a = length[side]
    jk, ki, il, lj = (length[s] for s in (following, before, other_following, other_before))
    x = ((ki**2 - jk**2) - (il**2 - lj**2)) / (2.0 * a)
    y = 2.0 * (area[side // 3] + area[other // 3]) / a
    diagonal = np.hypot(x, y)
    left, right = tail[before], tail[other_before]

    # The two triangles become l k i and k l j.
    place, other_place = 3 * (side // 3), 3 * (other // 3)
    old = np.concatenate([before, other_following, other_before, following])
    new = np.concatenate([place + 1, place + 2, other_place + 1, other_place + 2])
    tails, lengths, twins = tail[old], length[old], twin[old]
    # Where a neighbour has moved in this round, too, its new place counts.
    moved[old] = new
    twins = moved[twins]
    moved[old] = old
    tail[new], length[new], twin[new] = tails, lengths, twins
    twin[twins] = new
    tail[place], tail[other_place] = right, left
    length[place] = length[other_place] = diagonal
    twin[place], twin[other_place] = other_place, place


def _neighbours(side: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The next and the previous side (n,) of the same triangle."""
    first, i = side - side % 3, side % 3
    return first + (i + 1) % 3, first + (i + 2) % 3
