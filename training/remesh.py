"""The same body as other people mesh it, labels carried along."""

from __future__ import annotations

from dataclasses import replace

import fast_simplification
import numpy as np
from scipy.sparse import coo_matrix
from scipy.spatial import cKDTree

from .bodies import Body, sample_body

KINDS = ("even", "uneven", "subdivided")


def remesh(
    body: Body, rng: np.random.Generator, kind: str, vertex_count: int | None = None
) -> Body:
    """Give a body another triangulation.

    Parameters
    ----------
    body : usually with more vertices than are asked for.
    rng : the only source of chance.
    kind : "even" (quadric decimation), "uneven" (one region much coarser or finer than the rest),
        or "subdivided" (decimated to a few vertices, then one step of Loop or midpoint
        subdivision).
    vertex_count : about how many vertices to end with; by default 1,000 to 5,000 at random, now and
        then up to 8,000.

    Returns
    -------
    Body
        Each vertex takes its label and component from the original vertex that stands for it in
        the collapses of the decimation, so that parts that touch do not bleed into each other.

    Raises
    ------
    ValueError
        The kind is none of `KINDS`.
    """
    if vertex_count is None:
        largest = 8000 if rng.uniform() < 0.1 else 5000
        vertex_count = int(np.exp(rng.uniform(np.log(1000), np.log(largest))))
    if kind == "even":
        return decimate(body, vertex_count)
    if kind == "uneven":
        return _decimate_unevenly(body, rng, vertex_count)
    if kind == "subdivided":
        return subdivide(decimate(body, vertex_count // 4), smooth=bool(rng.uniform() < 0.5))
    raise ValueError(f"unknown kind {kind!r}: one of {', '.join(KINDS)}")


def decimate(body: Body, vertex_count: int, towards: np.ndarray | None = None) -> Body:
    """Quadric decimation to about `vertex_count` vertices.

    Parameters
    ----------
    towards : (V, 3) positions to measure the error in, instead of the body's own. Where they are
        shrunk the result is coarse; its vertices are then a subset of the body's.
    """
    measured = body.vertices if towards is None else towards
    target = 2 * vertex_count
    if target >= len(body.faces):
        return body
    points, _, collapses = fast_simplification.simplify(
        measured, body.faces, target_count=target, return_collapses=True
    )
    points, faces, merged_into = fast_simplification.replay_simplification(
        measured, body.faces, collapses
    )
    source = _representatives(measured, points, merged_into)
    vertices = body.vertices[source] if towards is not None else points.astype(np.float64)
    return _compact(
        Body(vertices, faces.astype(np.int64), body.labels[source], body.component[source])
    )


def _representatives(old: np.ndarray, new: np.ndarray, merged_into: np.ndarray) -> np.ndarray:
    """Of the old vertices that were merged into each new one, the nearest: (V_new,)."""
    distance = np.linalg.norm(old - new[merged_into], axis=1)
    order = np.lexsort((distance, merged_into))
    merged, first = np.unique(merged_into[order], return_index=True)
    source = np.empty(len(new), np.int64)
    source[merged] = order[first]
    missing = np.setdiff1d(np.arange(len(new)), merged)
    if len(missing):
        source[missing] = cKDTree(old).query(new[missing])[1]
    return source


def _decimate_unevenly(body: Body, rng: np.random.Generator, vertex_count: int) -> Body:
    """Decimate with a ball around a random vertex shrunk or blown up, which costs it triangles
    or gives it more."""
    centre = body.vertices[rng.integers(len(body.vertices))]
    size = np.linalg.norm(np.ptp(body.vertices, axis=0))
    radius = rng.uniform(0.15, 0.4) * size
    factor = np.exp(rng.choice([-1.0, 1.0]) * rng.uniform(np.log(2.0), np.log(5.0)))
    away = body.vertices - centre
    squared = (away**2).sum(axis=1, keepdims=True)
    pull = 1.0 + (factor - 1.0) * np.exp(-squared / radius**2)
    return decimate(body, vertex_count, towards=centre + away * pull)


def subdivide(body: Body, smooth: bool) -> Body:
    """One to four: midpoint subdivision, or Loop's (1987) where `smooth`.

    A new vertex takes the label of the end of its edge that comes first.
    """
    count = len(body.vertices)
    corners = body.faces
    halves = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    opposite = np.concatenate([corners[:, 2], corners[:, 0], corners[:, 1]])
    edges, edge_of_half = np.unique(np.sort(halves, axis=1), axis=0, return_inverse=True)
    edge_of_half = edge_of_half.ravel()
    old, new = body.vertices, body.vertices[edges].mean(axis=1)
    if smooth:
        uses = np.bincount(edge_of_half, minlength=len(edges))
        wings = np.zeros((len(edges), 3))
        np.add.at(wings, edge_of_half, body.vertices[opposite])
        inner = uses == 2
        new = np.where(inner[:, None], 0.75 * new + wings / 8.0, new)
        both = np.concatenate([edges, edges[:, ::-1]])
        ring = coo_matrix((np.ones(len(both)), both.T), shape=(count, count)).tocsr()
        valence = np.asarray(ring.sum(axis=1)).ravel()
        beta = np.where(valence == 3, 3.0 / 16.0, 3.0 / (8.0 * np.maximum(valence, 1.0)))
        at_border = np.zeros(count, bool)
        at_border[edges[~inner]] = True
        keep = np.where(at_border, 1.0, 1.0 - valence * beta)[:, None]
        old = keep * old + (1.0 - keep) * (ring @ old) / np.maximum(valence, 1.0)[:, None]
    middle = count + edge_of_half.reshape(3, -1).T
    a, b, c = corners.T
    ab, bc, ca = middle.T
    faces = np.concatenate(
        [np.stack(f, axis=1) for f in ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))]
    )
    return Body(
        np.concatenate([old, new]),
        faces,
        np.concatenate([body.labels, body.labels[edges[:, 0]]]),
        np.concatenate([body.component, body.component[edges[:, 0]]]),
    )


def keep_skin(body: Body) -> Body:
    """The body without eyes, teeth and tongue."""
    kept = body.component[body.faces[:, 0]] == 0
    return _compact(replace(body, faces=body.faces[kept]))


def add_noise(body: Body, rng: np.random.Generator, amount: float) -> Body:
    """Move vertices along their normals: normally distributed, `amount` x the mean edge length."""
    corners = body.vertices[body.faces]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(body.vertices)
    for corner in range(3):
        np.add.at(normals, body.faces[:, corner], cross)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    edge = np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1).mean()
    moved = rng.normal(0.0, amount * edge, (len(normals), 1)) * normals
    return replace(body, vertices=body.vertices + moved)


def shuffle(body: Body, rng: np.random.Generator) -> Body:
    """The same body with vertices, triangles and first corners in random order."""
    order = rng.permutation(len(body.vertices))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    faces = place[body.faces][rng.permutation(len(body.faces))]
    first = rng.integers(0, 3, (len(faces), 1))
    faces = np.take_along_axis(faces, (first + np.arange(3)) % 3, axis=1)
    return Body(body.vertices[order], faces, body.labels[order], body.component[order])


def _compact(body: Body) -> Body:
    """Drop collapsed triangles and vertices that no triangle uses."""
    a, b, c = body.faces.T
    faces = body.faces[(a != b) & (b != c) & (c != a)]
    used = np.zeros(len(body.vertices), bool)
    used[faces] = True
    place = np.cumsum(used) - 1
    return Body(body.vertices[used], place[faces], body.labels[used], body.component[used])


def sample_training_body(seed: int) -> Body:
    """A body as it is trained on: identity, pose, sometimes cartoon proportions, new topology.

    Parameters
    ----------
    seed : 0..999_999 to train on, 1_000_000 and above to measure on. The same seed gives the same
        body.

    Returns
    -------
    Body
        1,000 to 5,000 vertices, one in ten up to 8,000, in random order. In half of them the skin
        alone, otherwise with eyes, teeth and tongue as loose parts.
    """
    rng = np.random.default_rng(seed)
    body = sample_body(rng, stylised=0.3)
    if rng.uniform() < 0.5:
        body = keep_skin(body)
    kind = str(rng.choice(KINDS, p=(0.5, 0.3, 0.2)))
    body = remesh(body, rng, kind)
    if rng.uniform() < 0.4:
        body = add_noise(body, rng, rng.uniform(0.0, 0.12))
    return shuffle(body, rng)
