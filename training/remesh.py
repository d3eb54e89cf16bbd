"""The same body as other people mesh it, labels carried along."""

from __future__ import annotations

import fast_simplification
import numpy as np
from scipy.spatial import cKDTree

from training.bodies import Body, sample_body

KINDS = ("decimated", "uneven", "dense_patch", "noisy", "original")


def sample_training_body(seed: int) -> Body:
    """A random body, meshed at random: what the networks learn from and are measured on.

    Parameters
    ----------
    seed : int
        0 to 999,999 for training, from 1,000,000 for measuring. The same seed gives the same
        body.

    Returns
    -------
    Body
        Mostly 1,000 to 5,000 vertices.
    """
    rng = np.random.default_rng([seed, 1])
    body = sample_body(seed, stylised=0.3)
    if rng.random() < 0.5:
        body = without_loose_parts(body)
    kind = rng.choice(KINDS, p=(0.45, 0.2, 0.15, 0.15, 0.05))
    return shuffled(remesh(body, kind, rng), rng)


def remesh(body: Body, kind: str, rng: np.random.Generator) -> Body:
    """A body with another mesh.

    Parameters
    ----------
    body : Body
    kind : {"decimated", "uneven", "dense_patch", "noisy", "original"}
        Quadric decimation to 1,000 to 5,000 vertices; with one region far coarser than the rest;
        with one region subdivided; with noise along the normals; or left alone.
    rng : numpy Generator
    """
    if kind == "original":
        return body
    count = int(np.exp(rng.uniform(np.log(1000), np.log(5000))))
    if kind == "uneven":
        # A region that is blown up keeps its triangles when the whole is decimated.
        swollen = _swollen(body, rng, factor=rng.uniform(2.0, 4.0))
        return _decimated(body, count, guide=swollen)
    coarse = _decimated(body, count)
    if kind == "dense_patch":
        return subdivided(coarse, _near_random_vertex(coarse, rng))
    if kind == "noisy":
        edges = coarse.vertices[coarse.faces[:, 0]] - coarse.vertices[coarse.faces[:, 1]]
        step = rng.uniform(0.02, 0.12) * np.median(np.linalg.norm(edges, axis=1))
        noise = step * rng.standard_normal(coarse.vertices.shape)
        return Body(coarse.vertices + noise, coarse.faces, coarse.labels, coarse.component)
    return coarse


def without_loose_parts(body: Body) -> Body:
    """The skin alone."""
    return _subset(body, body.faces[(body.component[body.faces] == 0).all(axis=1)])


def shuffled(body: Body, rng: np.random.Generator) -> Body:
    """Vertices and faces in random order."""
    order = rng.permutation(len(body.vertices))
    place = np.argsort(order)
    return Body(
        body.vertices[order],
        place[body.faces][rng.permutation(len(body.faces))],
        body.labels[order],
        body.component[order],
    )


def _decimated(body: Body, count: int, guide: np.ndarray | None = None) -> Body:
    """Quadric decimation; where `guide` is given, lengths are measured on those positions."""
    points = body.vertices if guide is None else guide
    vertices, faces = fast_simplification.simplify(
        points.astype(np.float32), body.faces.astype(np.int32), target_count=2 * count
    )
    nearest = cKDTree(points).query(vertices)[1]
    placed = vertices.astype(np.float64) if guide is None else body.vertices[nearest]
    decimated = Body(placed, faces.astype(np.int64), body.labels[nearest], body.component[nearest])
    return _subset(decimated, decimated.faces)


def _swollen(body: Body, rng: np.random.Generator, factor: float) -> np.ndarray:
    near = _near_random_vertex(body, rng)
    centre = body.vertices[near].mean(axis=0)
    points = body.vertices.copy()
    points[near] = centre + factor * (points[near] - centre)
    return points


def _near_random_vertex(body: Body, rng: np.random.Generator) -> np.ndarray:
    """Vertices within a random distance of a random one, (V,) bool."""
    centre = body.vertices[rng.integers(len(body.vertices))]
    radius = rng.uniform(0.1, 0.35) * np.ptp(body.vertices, axis=0).max()
    return np.linalg.norm(body.vertices - centre, axis=1) < radius


def subdivided(body: Body, chosen: np.ndarray) -> Body:
    """Triangles of chosen vertices (V,) bool cut in four, their neighbours left as they are."""
    cut = chosen[body.faces].all(axis=1)
    faces = body.faces[cut]
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    unique, index = np.unique(edges, axis=0, return_inverse=True)
    ab, bc, ca = index.reshape(3, -1) + len(body.vertices)
    a, b, c = faces.T
    pieces = [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]
    return Body(
        np.concatenate([body.vertices, body.vertices[unique].mean(axis=1)]),
        np.concatenate([body.faces[~cut], *(np.stack(piece, axis=1) for piece in pieces)]),
        np.concatenate([body.labels, body.labels[unique[:, 0]]]),
        np.concatenate([body.component, body.component[unique[:, 0]]]),
    )


def _subset(body: Body, faces: np.ndarray) -> Body:
    """Only these faces and their vertices."""
    used = np.unique(faces)
    return Body(
        body.vertices[used],
        np.searchsorted(used, faces),
        body.labels[used],
        body.component[used],
    )
