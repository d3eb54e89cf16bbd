"""Consistent, outward winding of triangles, and consistent signs of normals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from .edges import paired_sides, sides
from .surface import blocks, corners, triangle_vectors

# An enclosed volume below this share of area^1.5 does not separate inside from outside
# (a flat sheet, a crumpled cloth). A sphere has 0.094, a thin arm 0.02.
MEANINGFUL_VOLUME = 1e-3


def orient_outward(
    vertices: np.ndarray,
    faces: np.ndarray,
    progress: Callable[[float], None] = lambda fraction: None,
) -> tuple[np.ndarray, int]:
    """Wind neighbouring triangles alike, and each connected piece so that it encloses volume.

    Pieces are connected across edges that exactly two triangles share. A piece that encloses no
    meaningful volume keeps the winding that most of its area had.

    Parameters
    ----------
    vertices : (V, 3) float
    faces : (F, 3) int
    progress : callable
        Called with a fraction from 0 to 1 between steps; may raise to stop.

    Returns
    -------
    faces : (F, 3) int
        The same triangles, some with two corners swapped.
    flipped : int
        How many were turned.
    """
    neighbours = _faces_across_edges(faces)
    progress(0.4)
    piece, flip = _agree_across_edges(len(faces), *neighbours)
    progress(0.7)
    sign = np.where(flip, -1.0, 1.0)
    vector = triangle_vectors(vertices, faces)
    area_of_face = 0.5 * np.sqrt(np.einsum("ij,ij->i", vector, vector))
    area = np.bincount(piece, area_of_face)
    kept_area = np.bincount(piece, sign * area_of_face)
    centre = _mean_by_label(_centroids(vertices, faces), piece)
    volume_of_face = np.empty(len(faces))
    for block in blocks(len(faces)):
        corner = vertices[faces[block, 0]] - centre[piece[block]]
        volume_of_face[block] = np.einsum("ij,ij->i", corner, vector[block]) / 6.0
    volume = np.bincount(piece, sign * volume_of_face)

    meaningful = np.abs(volume) > MEANINGFUL_VOLUME * area**1.5
    inside_out = np.where(meaningful, volume < 0, kept_area < 0)
    flip = flip ^ inside_out[piece]
    oriented = faces.copy()
    oriented[flip, 1], oriented[flip, 2] = faces[flip, 2], faces[flip, 1]
    return oriented, int(np.count_nonzero(flip))


def orient_normals(
    points: np.ndarray, normals: np.ndarray, neighbours: np.ndarray, mass: np.ndarray
) -> np.ndarray:
    """Turn the normals of a point cloud to agree with their neighbours and to point outward.

    Signs are propagated along the spanning tree of the neighbour graph that crosses the flattest
    places (Hoppe et al. 1992); each connected piece then points away from its inside.

    Parameters
    ----------
    points, normals : (V, 3) float
    neighbours : (V, m) int
        Nearest neighbours of each point, itself left out.
    mass : (V,) float
        Area around each point.

    Returns
    -------
    (V, 3) float64
    """
    count, width = neighbours.shape
    first = np.repeat(np.arange(count), width)
    second = neighbours.ravel()
    agreement = np.einsum("ij,ij->i", normals[first], normals[second])
    # The tree must see every edge, so that costs stay above zero.
    cost = 1.0 - np.minimum(np.abs(agreement), 1.0) + 1e-6
    piece, flip = propagate_signs(count, first, second, agreement < 0, cost)
    turned = np.where(flip[:, None], -normals, normals)
    outward = points - _mean_by_label(points, piece, mass)[piece]
    flux = np.bincount(piece, mass * np.einsum("ij,ij->i", outward, turned))
    return np.where((flux < 0)[piece][:, None], -turned, turned)


def propagate_signs(
    count: int, first: np.ndarray, second: np.ndarray, opposed: np.ndarray, cost: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give each node of a graph a sign so that the cheapest spanning forest is satisfied.

    Parameters
    ----------
    count : int
        Number of nodes.
    first, second : (E,) int
        The edges.
    opposed : (E,) bool
        Whether the two ends of an edge must differ.
    cost : (E,) float
        Above zero; the forest minimises its sum.

    Returns
    -------
    piece : (count,) int
        Connected component of each node.
    flip : (count,) bool
        The sign; False at one node of each component.
    """
    low, high = np.minimum(first, second), np.maximum(first, second)
    order = np.lexsort((cost, high, low))
    low, high, opposed, cost = low[order], high[order], opposed[order], cost[order]
    fresh = np.ones(len(low), dtype=bool)
    fresh[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    low, high, opposed, cost = low[fresh], high[fresh], opposed[fresh], cost[fresh]

    graph = sparse.csr_matrix((cost, (low, high)), shape=(count, count))
    _, piece = csgraph.connected_components(graph, directed=False)
    tree = csgraph.minimum_spanning_tree(graph)
    # One more node that holds a node of each component gives a single tree to walk.
    roots = np.unique(piece, return_index=True)[1]
    tree = tree.tocoo()
    rows = np.concatenate([tree.row, np.full(len(roots), count)])
    columns = np.concatenate([tree.col, roots])
    walk = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(count + 1, count + 1))
    _, parent = csgraph.breadth_first_order(walk, count, directed=False)
    parent[count] = count

    flip = np.zeros(count + 1, dtype=bool)
    keys = low.astype(np.int64) * (count + 1) + high
    node = np.arange(count)
    inner = parent[:count] != count
    child, above = node[inner], parent[:count][inner]
    edge = np.minimum(child, above).astype(np.int64) * (count + 1) + np.maximum(child, above)
    flip[child] = opposed[np.searchsorted(keys, edge)]
    # Pointer doubling: each round sums the signs of twice as long a path to the root.
    while np.any(parent != count):
        flip ^= flip[parent]
        parent = parent[parent]
    return piece, flip[:count]


def _faces_across_edges(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of triangles that alone share an edge, and whether they run along it the same way."""
    first, second = paired_sides(faces)
    tail, _ = sides(faces)
    return first // 3, second // 3, tail[first] == tail[second]


def _agree_across_edges(
    count: int, first: np.ndarray, second: np.ndarray, opposed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Connected piece of each triangle, and whether to turn it, from pairs of neighbours."""
    # Most neighbours agree: a component of those is one node of a small graph.
    alike = ~opposed
    patch_count, patch = _components(count, first[alike], second[alike])
    if not opposed.any():
        return patch, np.zeros(count, dtype=bool)
    first, second = patch[first[opposed]], patch[second[opposed]]
    # A strip with a twist disagrees with itself, and no turning mends that.
    apart = first != second
    first, second = first[apart], second[apart]
    cost = np.ones(len(first))
    piece, flip = propagate_signs(patch_count, first, second, np.ones(len(first), bool), cost)
    return piece[patch], flip[patch]


def _components(count: int, first: np.ndarray, second: np.ndarray) -> tuple[int, np.ndarray]:
    """Number of components of a graph with edges (E,), (E,), and that of each node, (count,)."""
    edges = (np.ones(len(first), dtype=np.int8), (first, second))
    return csgraph.connected_components(sparse.coo_matrix(edges, (count, count)), directed=False)


def _centroids(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Mean of the corners of each triangle, (F, 3)."""
    centroids = np.empty((len(faces), 3))
    for block in blocks(len(faces)):
        a, b, c = corners(vertices, faces[block])
        centroids[block] = (a + b + c) / 3.0
    return centroids


def _mean_by_label(
    points: np.ndarray, label: np.ndarray, weight: np.ndarray | None = None
) -> np.ndarray:
    """Weighted mean (L, 3) of the points (V, 3) of each label."""
    weight = np.ones(len(points)) if weight is None else weight
    total = np.maximum(np.bincount(label, weight), np.finfo(float).tiny)
    return np.stack([np.bincount(label, weight * points[:, i]) / total for i in range(3)], axis=1)


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals at vertices: the mean of the triangles around, weighted by their area.

    Parameters
    ----------
    vertices : (V, 3) float
    faces : (F, 3) int

    Returns
    -------
    (V, 3) float64
        A vertex around which normals cancel (a fin, a fold) takes that of one of its triangles;
        one without triangles points along z.
    """
    count = len(vertices)
    weighted = triangle_vectors(vertices, faces)
    normals = np.stack([_sum_at_corners(count, faces, w) for w in weighted.T], axis=1)
    length = np.linalg.norm(normals, axis=1)
    around = _sum_at_corners(count, faces, np.linalg.norm(weighted, axis=1))
    cancelled = length <= 1e-8 * around
    if cancelled.any():
        stand_in = np.tile([0.0, 0.0, 1.0], (len(vertices), 1))
        solid = np.linalg.norm(weighted, axis=1) > 0
        stand_in[faces[solid].ravel()] = np.repeat(weighted[solid], 3, axis=0)
        normals[cancelled] = stand_in[cancelled]
        length = np.linalg.norm(normals, axis=1)
    return normals / length[:, None]


def _sum_at_corners(count: int, faces: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Sum of the values of the triangles around each vertex, (count,) float64."""
    values = np.ascontiguousarray(values)
    total = np.bincount(faces[:, 0], values, minlength=count)
    for corner in (faces[:, 1], faces[:, 2]):
        total += np.bincount(corner, values, minlength=count)
    return total
