"""Decimation by quadric edge collapse, to a proxy of a few thousand vertices.

Unlike `surface.proxy`, which clusters vertices and interpolates labels over the dense mesh's edges:
a match uses points inside the proxy's triangles, and at a quarter of that proxy's size these must
lie on the surface, separate fingers, and keep holes and loose parts. Quadric collapses do;
clustering is faster, as a segmentation of half a million vertices needs.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from ..surface.edges import edges_of_sides, sides, unique_edges
from ..surface.surface import Surface, triangle_vectors
from ..surface.triangles import compact

# Share of the cheapest edges from which each round takes those that do not touch each other.
ROUND = 0.35
# Sets of such edges that are taken one after the other in a round, before costs are found again.
SETS = 3
MOST_ROUNDS = 400
# An edge that could not be collapsed safely waits: the cost of its ends rises by this factor.
PATIENCE = 8.0
# Rounds in a row without a safe edge after which the mesh is as small as it gets.
FRUITLESS = 20
# Keeps the optimal vertex defined on flat pieces, and pulls it to the middle of the edge.
REGULARISER = 1e-3


def decimate(surface: Surface, vertex_count: int) -> Surface:
    """Quadric edge collapse (Garland and Heckbert 1997), many independent edges at a time.

    Parameters
    ----------
    surface : Surface
        A mesh as `repair.repair` leaves it.
    vertex_count : int
        About how many vertices to keep.

    Returns
    -------
    Surface
        The same object where it is small enough already. Holes stay holes and loose parts stay
        loose; where nothing more can be collapsed safely, more vertices remain.
    """
    if len(surface.vertices) <= vertex_count:
        return surface
    vertices, faces = surface.vertices.copy(), surface.faces.copy()
    size = np.ptp(vertices, axis=0).max()
    vertices /= size
    quadrics = _quadrics(vertices, faces)
    wait = np.ones(len(vertices))
    alive, fruitless = len(vertices), 0
    for _ in range(MOST_ROUNDS):
        if alive <= vertex_count or fruitless > FRUITLESS:
            break
        edges, uses = unique_edges(faces)
        cost, position = _collapse_cost(vertices, quadrics, edges)
        cost *= np.maximum(*wait[edges.T])
        chosen = _independent(edges, cost, len(vertices), alive - vertex_count)
        safe = _safe(vertices, faces, edges, uses == 1, chosen, uses[chosen], position[chosen])
        wait[edges[chosen[~safe]].ravel()] *= PATIENCE
        chosen = chosen[safe]
        fruitless = 0 if len(chosen) else fruitless + 1
        kept, gone = edges[chosen].T
        vertices[kept] = position[chosen]
        quadrics[kept] += quadrics[gone]
        wait[kept] = 1.0
        place = np.arange(len(vertices))
        place[gone] = kept
        faces = place[faces]
        a, b, c = faces.T
        faces = faces[(a != b) & (b != c) & (c != a)]
        faces, used = compact(len(vertices), faces)
        vertices, quadrics, wait, alive = vertices[used], quadrics[used], wait[used], len(used)
    return Surface(vertices * size, faces)


def _quadrics(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Quadrics of the planes around each vertex, and across borders, (V, 10).

    The entries on and above the diagonal of a symmetric matrix (4, 4), row by row.
    """
    normal = triangle_vectors(vertices, faces)
    area = np.linalg.norm(normal, axis=1)
    unit = normal / np.maximum(area, np.finfo(float).tiny)[:, None]
    row, column = np.triu_indices(4)
    quadrics = np.zeros((len(vertices), len(row)))

    def add(corner: np.ndarray, unit: np.ndarray, point: np.ndarray, weight: np.ndarray) -> None:
        plane = np.concatenate([unit, -np.einsum("ni,ni->n", unit, point)[:, None]], axis=1)
        outer = weight[:, None] * plane[:, row] * plane[:, column]
        incidence = sparse.csr_matrix(
            (np.ones(len(corner)), (corner, np.arange(len(corner)))),
            shape=(len(vertices), len(corner)),
        )
        quadrics[:] += incidence @ outer

    for corner in range(3):
        add(faces[:, corner], unit, vertices[faces[:, 0]], area)
    tail, head = sides(faces)
    _, edge = edges_of_sides(faces)
    rim = np.flatnonzero(np.bincount(edge)[edge] == 1)
    along = vertices[head[rim]] - vertices[tail[rim]]
    across = np.cross(along, unit[rim // 3])
    length = np.linalg.norm(across, axis=1)
    across /= np.maximum(length, np.finfo(float).tiny)[:, None]
    for end in (tail[rim], head[rim]):
        add(end, across, vertices[tail[rim]], 10 * np.square(length))
    return quadrics


def _collapse_cost(
    vertices: np.ndarray, quadrics: np.ndarray, edges: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Quadric error (E,) of each edge's best vertex, and that vertex (E, 3)."""
    tail, head = vertices[edges[:, 0]].T, vertices[edges[:, 1]].T
    middle, length = (tail + head) / 2, np.square(tail - head).sum(axis=0)
    # Entry by entry of all edges: long rows in memory.
    quadric = np.ascontiguousarray((quadrics[edges[:, 0]] + quadrics[edges[:, 1]]).T)
    xx, xy, xz, xw, yy, yz, yw, zz, zw, ww = quadric
    pull = REGULARISER * (xx + yy + zz) + np.finfo(float).tiny
    a, b, c = xx + pull, yy + pull, zz + pull
    right = pull * middle - (xw, yw, zw)
    # Cramer's rule: a batch of tiny solves takes ten times as long.
    first = b * c - yz * yz, xz * yz - xy * c, xy * yz - xz * b
    second = first[1], a * c - xz * xz, xy * xz - a * yz
    third = first[2], second[2], a * b - xy * xy
    determinant = np.maximum(a * first[0] + xy * first[1] + xz * first[2], np.finfo(float).tiny)
    position = (
        np.stack([x * right[0] + y * right[1] + z * right[2] for x, y, z in (first, second, third)])
        / determinant
    )
    away = np.square(position - middle).sum(axis=0)
    x, y, z = position = np.where(away > length, middle, position)
    error = x * (xx * x + 2 * (xy * y + xz * z + xw)) + y * (yy * y + 2 * (yz * z + yw))
    error += z * (zz * z + 2 * zw) + ww
    # On flat pieces all errors are zero: short edges first keeps the triangles even.
    return np.maximum(error, 0.0) + 1e-4 * pull * length, position.T


def _independent(edges: np.ndarray, cost: np.ndarray, count: int, most: int) -> np.ndarray:
    """Indices of cheap edges (n,) no two of which touch, or are joined by an edge.

    Rounds of Luby 1986: the best around each place, then the best of what these leave.
    """
    few = max(int(ROUND * len(edges)), 1)
    kept = np.argpartition(cost, few - 1)[:few]
    kept = kept[np.argsort(cost[kept])]
    rank = np.full(len(edges), len(edges))
    rank[kept] = np.arange(len(kept))
    tail, head = edges.T
    chosen = [kept[:0]]
    for _ in range(SETS):
        # The best rank within two rings of each vertex; an edge is chosen where its rank is the
        # best of both its ends.
        nearby = _least_beside(_least_at_ends(rank, edges, count), edges)
        own = rank[kept]
        best = (own == nearby[tail[kept]]) & (own == nearby[head[kept]]) & (own < len(edges))
        winner = kept[best]
        chosen.append(winner)
        taken = np.zeros(count, dtype=bool)
        taken[edges[winner]] = True
        beside = taken.copy()
        beside[edges[taken[tail] | taken[head]]] = True
        rank[beside[tail] | beside[head]] = len(edges)
    return np.concatenate(chosen)[:most]


def _least_at_ends(rank: np.ndarray, edges: np.ndarray, count: int) -> np.ndarray:
    """Least rank (count,) of the edges at each vertex."""
    best = np.full(count, len(edges))
    for corner in range(2):
        np.minimum.at(best, edges[:, corner], rank)
    return best


def _least_beside(best: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Least value (V,) at each vertex and its neighbours."""
    nearby = best.copy()
    for corner in range(2):
        np.minimum.at(nearby, edges[:, corner], best[edges[:, 1 - corner]])
    return nearby


def _safe(
    vertices: np.ndarray,
    faces: np.ndarray,
    all_edges: np.ndarray,
    is_rim: np.ndarray,
    chosen: np.ndarray,
    uses: np.ndarray,
    position: np.ndarray,
) -> np.ndarray:
    """Whether the collapse of each edge keeps the topology and flips no triangle, (n,) bool.

    Of all edges (E, 2), some (n,) are chosen, with their numbers of triangles (n,) and new vertices
    (n, 3); `is_rim` (E,) marks those of one triangle.
    """
    count, edges = len(vertices), all_edges[chosen]
    ring = sparse.csr_matrix(
        (np.ones(2 * len(all_edges), np.int8), np.concatenate([all_edges, all_edges[:, ::-1]]).T),
        shape=(count, count),
    )
    shared = np.asarray(ring[edges[:, 0]].multiply(ring[edges[:, 1]]).sum(axis=1)).ravel()
    # Link condition: the ends share as many neighbours as the edge has triangles.
    safe = (shared == uses) & (uses <= 2)
    # An edge between two rims, or across a sheet of one triangle's width, must stay.
    on_rim = np.zeros(count, dtype=bool)
    on_rim[all_edges[is_rim]] = True
    safe &= ~(on_rim[edges].all(axis=1) & (uses == 2))
    owner = np.full(count, -1)
    owner[edges[:, 0]] = owner[edges[:, 1]] = np.arange(len(edges))
    corner_owner = owner[faces]
    touched = np.flatnonzero(np.maximum.reduce(corner_owner.T) >= 0)
    corner_owner = corner_owner[touched]
    after = np.where(
        (corner_owner >= 0)[:, :, None], position[corner_owner], vertices[faces[touched]]
    )
    before = triangle_vectors(vertices, faces[touched])
    b, c = after[:, 1] - after[:, 0], after[:, 2] - after[:, 0]
    now = np.cross(b, c)
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(now, axis=1)
    turned = np.einsum("ni,ni->n", before, now) < 0.2 * lengths
    # Slivers flip at next to nothing later on.
    longest = np.maximum(np.square(b).sum(axis=1), np.square(c).sum(axis=1))
    turned |= np.linalg.norm(now, axis=1) < 0.02 * longest
    # The triangles on the edge itself vanish.
    a, b, c = corner_owner.T
    vanishes = ((a == b) & (a >= 0)) | ((b == c) & (b >= 0)) | ((c == a) & (c >= 0))
    bad = turned & ~vanishes
    for corner in range(3):
        hit = bad & (corner_owner[:, corner] >= 0)
        safe[corner_owner[hit, corner]] = False
    return safe
