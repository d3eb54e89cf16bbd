"""Coarse proxy of a dense surface by vertex clustering, and interpolation from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from .edges import directed_edges
from .frames import nearest_neighbours
from .grid import cell_keys
from .surface import Surface

# Surfaces of more vertices are dense: on one core their exact matrices take more than about
# three seconds, and a proxy gives nearly all vertices the same labels (docs/speed.md).
DENSE_SIZE = 60_000
# Vertices of a proxy, about. Values are interpolated over the edges of the dense surface; on a
# cloud over those to so many neighbours.
PROXY_SIZE = 20_000
NEIGHBOURS = 8


@dataclass(frozen=True, eq=False)
class Proxy:
    """A coarse surface whose vertices are some of those of a dense one.

    Attributes
    ----------
    surface : Surface
        C vertices.
    vertex : (C,) int64
        Each of them among the dense ones.
    weights : (V, C) csr_matrix
        Interpolation from the proxy to the dense vertices; rows sum to 1.
    """

    surface: Surface
    vertex: np.ndarray
    weights: sparse.csr_matrix


def make_proxy(
    surface: Surface,
    count: int = PROXY_SIZE,
    progress: Callable[[float], None] = lambda fraction: None,
) -> Proxy:
    """Cluster the vertices of a dense surface; each cluster is a vertex of the proxy.

    A cluster is a connected set of vertices inside one cell of a grid, so that the two sides of a
    thin part, or fingers that touch, stay apart.

    Parameters
    ----------
    surface : Surface
        As `repair.repair` leaves it.
    count : int
        Vertices wanted, about.
    progress : callable
        Called with a fraction; may raise to stop.

    Returns
    -------
    Proxy
        Its surface may need repair.
    """
    vertices = surface.vertices
    total = len(vertices)
    if surface.is_point_cloud:
        neighbours = nearest_neighbours(vertices, NEIGHBOURS)
        tail = np.repeat(np.arange(total, dtype=np.int32), neighbours.shape[1])
        head = neighbours.ravel().astype(np.int32)
    else:
        tail, head = directed_edges(surface.faces).T.astype(np.int32)
    progress(0.2)
    size = np.sqrt(_grid_area(vertices) / count)
    for _ in range(4):
        cluster = _clusters(vertices, tail, head, size)
        found = cluster.max() + 1
        if 0.8 * count <= found <= 1.25 * count:
            break
        # The count of clusters goes with the inverse square of their size.
        size *= np.sqrt(found / count)
    progress(0.5)
    chosen = _central_vertices(vertices, cluster)
    if surface.is_point_cloud:
        normals = None if surface.normals is None else surface.normals[chosen]
        coarse = Surface(vertices[chosen], normals=normals)
    else:
        faces = cluster[surface.faces]
        apart = (faces != np.roll(faces, 1, axis=1)).all(axis=1)
        coarse = Surface(vertices[chosen], faces[apart])
    progress(0.7)
    weights = _interpolation(cluster, tail, head)
    progress(1.0)
    return Proxy(coarse, chosen, weights)


def _grid_area(vertices: np.ndarray) -> float:
    """Area of a surface by the cells of a grid that it meets, a few thousand of them."""
    extent = np.ptp(vertices, axis=0)
    cell = extent.max() / 64
    keys = cell_keys(vertices - vertices.min(axis=0), cell)
    return len(np.unique(keys)) * cell**2 * 0.66


def _clusters(vertices: np.ndarray, tail: np.ndarray, head: np.ndarray, size: float) -> np.ndarray:
    """Number of the cluster of each vertex, (V,) int32, by edges (E,), (E,) within cells."""
    key = cell_keys(vertices - vertices.min(axis=0), size)
    inside = key[tail] == key[head]
    graph = sparse.coo_matrix(
        (np.ones(np.count_nonzero(inside), np.int8), (tail[inside], head[inside])),
        shape=(len(vertices), len(vertices)),
    )
    return csgraph.connected_components(graph, directed=False)[1]


def _central_vertices(vertices: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """The vertex of each cluster that is nearest to the middle of it, (C,) int."""
    size = np.bincount(cluster)
    middle = np.stack([np.bincount(cluster, x) for x in vertices.T], axis=1) / size[:, None]
    distance = np.square(vertices - middle[cluster]).sum(axis=1)
    by_distance = np.lexsort((distance, cluster))
    return by_distance[np.cumsum(size) - size]


def _interpolation(cluster: np.ndarray, tail: np.ndarray, head: np.ndarray) -> sparse.csr_matrix:
    """Smoothed indicator functions of the clusters, (V, C)."""
    total = len(cluster)
    own = sparse.csr_matrix(
        (np.ones(total, np.float32), cluster, np.arange(total + 1)),
        shape=(total, cluster.max() + 1),
    )
    degree = np.bincount(tail, minlength=total) + 1.0
    itself = np.arange(total)
    share = (1.0 / degree).astype(np.float32)
    average = sparse.csr_matrix(
        (
            np.concatenate([share[tail], share]),
            (np.concatenate([tail, itself]), np.concatenate([head, itself])),
        ),
        shape=(total, total),
    )
    # As many steps as a cluster is wide, so that its values meet those of its neighbours.
    steps = int(np.ceil(np.sqrt(total / own.shape[1])))
    for _ in range(steps):
        own = average @ own
    return own
