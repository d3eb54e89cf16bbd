"""Connected components, and bridges that diffusion crosses (paper, Limitations, Figure 12)."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from .edges import sides

# Values equalise across a bridge at about the rate of this eigenpair of the whole shape:
# fast enough that an eyeball has the heat kernel signature of the head around it at the
# shortest time, slow beside diffusion between neighbouring vertices.
BRIDGE_EIGENPAIR = 100
# How far beyond the closest pair a bridge reaches, as a share of the square root of the area
# of the whole shape; a part of no more than this size (an eye, a button) is tied all over.
BRIDGE_REACH = 0.03
SMALL_PART = 0.15
# Parts with a smaller share of the area, such as eyes and buttons, do not count as parts of a body.
SIZEABLE_PART = 0.02
# The cheapest tree of bridges is found among this many of the largest parts; every further
# part is tied to the nearest of them.
TREE_PARTS = 64
# Congruent parts and equal gaps (wheels, buttons, copies) are common, and rounding must not decide
# which comes first: areas and distances that agree to so many digits are equal.
DIGITS = 5

# Vertices (n,) of one part, the closest ones of another (n,), and the distances (n,).
Gap = tuple[np.ndarray, np.ndarray, np.ndarray]


def label_parts(count: int, edges: np.ndarray) -> np.ndarray:
    """Number the connected components.

    Parameters
    ----------
    count : int
        Number of vertices.
    edges : (E, 2) int

    Returns
    -------
    (count,) int
    """
    graph = sparse.coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), (count, count))
    return csgraph.connected_components(graph, directed=False)[1]


def label_mesh_parts(count: int, faces: np.ndarray) -> np.ndarray:
    """Number the connected components of a triangle mesh, (count,) int.

    Parameters
    ----------
    count : int
        Number of vertices.
    faces : (F, 3) int
    """
    return label_parts(count, np.stack(sides(faces), axis=1))


def sizeable_parts(part: np.ndarray, areas: np.ndarray) -> int:
    """How many loose parts have more than `SIZEABLE_PART` of the area.

    Parameters
    ----------
    part : (V,) int
        Loose part of each vertex.
    areas : (V,) float
        Area around each.
    """
    share = np.bincount(part, areas)
    return int(np.count_nonzero(share > SIZEABLE_PART * share.sum()))


def bridge_laplacian(vertices: np.ndarray, mass: np.ndarray, part: np.ndarray) -> sparse.csr_matrix:
    """Laplacian of weak virtual edges that tie all loose parts into one shape.

    The parts are joined by the spanning tree of their shortest gaps. Across a gap, every vertex
    of the smaller part that is about as near as the nearest is tied to the closest vertex of the
    other one, with a conductance proportional to its mass, so that the strength of a bridge
    does not depend on how finely a part is meshed.

    Parameters
    ----------
    vertices : (V, 3) float
    mass : (V,) float
        Area around each vertex.
    part : (V,) int
        Loose part of each vertex.

    Returns
    -------
    (V, V) csr_matrix
        Symmetric, positive semi-definite, rows sum to zero; empty for a single part.
    """
    area = mass.sum()
    rate = BRIDGE_EIGENPAIR * 4.0 * np.pi / area
    part_size = np.sqrt(np.bincount(part, mass) / area)
    rows, columns, conductances = [], [], []
    for smaller, others, distance in _gaps(vertices, mass, part):
        size = part_size[part[smaller[0]]]
        reach = max(BRIDGE_REACH, size if size <= SMALL_PART else 0.0) * np.sqrt(area)
        beyond = (distance - distance.min()) / reach
        strength = np.exp(-(beyond**2))
        near = strength > 1e-3
        rows.append(smaller[near])
        columns.append(others[near])
        conductances.append(rate * mass[smaller[near]] * strength[near])
    count = len(vertices)
    if not rows:
        return sparse.csr_matrix((count, count))
    i, j, w = (np.concatenate(x) for x in (rows, columns, conductances))
    return sparse.csr_matrix(
        (
            np.concatenate([w, w, -w, -w]),
            (np.concatenate([i, j, i, j]), np.concatenate([i, j, j, i])),
        ),
        shape=(count, count),
    )


def _gaps(vertices: np.ndarray, mass: np.ndarray, part: np.ndarray) -> Iterator[Gap]:
    """Yield the gaps to bridge."""
    areas = np.maximum(np.bincount(part, mass), np.finfo(float).tiny)
    by_size = np.argsort(-np.round(np.log(areas), DIGITS), kind="stable")
    members = {p: np.flatnonzero(part == p) for p in by_size[:TREE_PARTS]}
    trees = {p: cKDTree(vertices[m]) for p, m in members.items()}

    def gap(smaller: int, larger: int) -> Gap:
        distance, closest = trees[larger].query(vertices[members[smaller]])
        return members[smaller], members[larger][closest], distance

    # Kruskal's tree. A gap is measured only when the distance between the two bounding boxes,
    # which it cannot undercut, comes up as the shortest.
    low = {p: vertices[m].min(axis=0) for p, m in members.items()}
    high = {p: vertices[m].max(axis=0) for p, m in members.items()}
    order = list(members)
    queue: list[tuple[float, int, int, bool]] = []
    for rank, smaller in enumerate(order):
        for larger in order[:rank]:
            apart = np.maximum(
                0.0, np.maximum(low[larger] - high[smaller], low[smaller] - high[larger])
            )
            queue.append((_rounded(np.linalg.norm(apart)), smaller, larger, False))
    heapq.heapify(queue)
    group = {p: p for p in order}

    def root(p: int) -> int:
        while group[p] != p:
            p = group[p]
        return p

    measured: dict[tuple[int, int], Gap] = {}
    while queue:
        _, smaller, larger, exact = heapq.heappop(queue)
        if root(smaller) == root(larger):
            continue
        if exact:
            group[root(smaller)] = root(larger)
            yield measured[smaller, larger]
        else:
            measured[smaller, larger] = found = gap(smaller, larger)
            heapq.heappush(queue, (_rounded(found[2].min()), smaller, larger, True))

    rest = by_size[TREE_PARTS:]
    if len(rest):
        is_large = np.isin(part, by_size[:TREE_PARTS])
        large, small = np.flatnonzero(is_large), np.flatnonzero(~is_large)
        distance, closest = cKDTree(vertices[large]).query(vertices[small])
        by_part = np.argsort(part[small], kind="stable")
        bounds = np.flatnonzero(np.diff(part[small][by_part])) + 1
        for chosen in np.split(by_part, bounds):
            yield small[chosen], large[closest[chosen]], distance[chosen]


def _rounded(distance: np.floating) -> float:
    """A distance on a shape of radius 1 to a precision at which equal ones are equal."""
    return round(float(distance), DIGITS)
