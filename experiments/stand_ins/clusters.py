"""Vertices evenly over a surface, or more of them in some places: the surface in clusters."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from diffusionnet_blender.matching.geodesic import surface_graph
from diffusionnet_blender.surface.surface import Surface, triangle_areas
from diffusionnet_blender.surface.triangles import compact
from training.meshes import Body
from training.remesh import subdivide

# Vertices of the surface that is clustered for each cluster, and rounds of moving their centres.
FINENESS, ROUNDS = 16, 8
# How much finer it is at given places, and in which part of the height.
FINER, REACH = 3.0, 0.12


def plain_body(surface: Surface) -> Body:
    """A mesh with its vertices' numbers as labels, for what is done to bodies."""
    number = np.arange(len(surface.vertices))
    return Body(surface.vertices, surface.faces, number, np.zeros(len(number), np.int32))


def refined(surface: Surface, count: int) -> Surface:
    """The same surface with at least so many vertices."""
    body = plain_body(surface)
    while len(body.vertices) < count:
        body = subdivide(body, smooth=False)
    return Surface(body.vertices, body.faces)


def clustered(
    surface: Surface, count: int, rng: np.random.Generator, finer_at: np.ndarray | None = None
) -> Surface:
    """About evenly spread vertices, each the centre of the region that is nearest to it.

    Centres are moved into the middle of their regions (Lloyd; along the surface, so that limbs that
    touch stay apart); three regions that meet in a triangle of the fine surface give one.

    Parameters
    ----------
    surface : Surface
    count : int
        Of vertices.
    rng : numpy.random.Generator
    finer_at : (P, 3) float, optional
        Places about which regions are smaller.
    """
    fine = refined(surface, FINENESS * count)
    graph = surface_graph(fine.vertices, fine.faces)
    area = np.repeat(triangle_areas(fine.vertices, fine.faces), 3)
    weight = np.bincount(fine.faces.ravel(), area, minlength=len(fine.vertices))
    if finer_at is not None:
        away = np.linalg.norm(fine.vertices[:, None] - finer_at, axis=2).min(axis=1)
        reach = REACH * np.ptp(fine.vertices, axis=0).max()
        scale = 1 + (FINER - 1) * np.exp(-((away / reach) ** 2))
        ends = graph.tocoo()
        ends.data *= (scale[ends.row] + scale[ends.col]) / 2
        graph, weight = ends.tocsr(), weight * scale**2
    centres = rng.choice(len(weight), count, replace=False, p=weight / weight.sum())
    for _ in range(ROUNDS):
        centres = _middles(fine.vertices, weight, _regions(graph, centres))
    region = _regions(graph, centres)
    corners = region[fine.faces]
    a, b, c = corners.T
    faces = corners[(a != b) & (b != c) & (c != a) & (corners >= 0).all(axis=1)]
    _, first = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)
    faces, kept = compact(count, faces[np.sort(first)])
    return Surface(fine.vertices[centres][kept], faces)


def _regions(graph: sparse.csr_matrix, centres: np.ndarray) -> np.ndarray:
    """The nearest centre of each vertex, (V,) index into them, -1 on parts without any."""
    nearest = csgraph.dijkstra(graph, indices=centres, min_only=True, return_predecessors=True)[2]
    index = np.full(graph.shape[0], -1)
    index[centres] = np.arange(len(centres))
    return np.where(nearest >= 0, index[nearest], -1)


def _middles(vertices: np.ndarray, weight: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Of each region the vertex nearest to the weighted mean of its vertices."""
    known = np.flatnonzero(region >= 0)
    region, weight = region[known], weight[known]
    weighted = weight[:, None] * vertices[known]
    total = np.stack([np.bincount(region, column) for column in weighted.T], axis=1)
    mean = total / np.maximum(np.bincount(region, weight), np.finfo(float).tiny)[:, None]
    off = np.linalg.norm(vertices[known] - mean[region], axis=1)
    order = np.lexsort((off, region))
    return known[order][np.unique(region[order], return_index=True)[1]]
