"""The same body as other people mesh it, labels carried along."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import coo_matrix
from scipy.spatial import cKDTree

from diffusionnet_blender.surface.edges import edges_of_sides, sides, unique_edges
from diffusionnet_blender.surface.surface import triangle_areas

from .meshes import Body
from .voxels import outer_skin

KINDS = ("even", "uneven", "subdivided", "voxel", "isotropic", "flipped", "untouched")
LARGEST = 9_000
# Vertices of a body among which the label of a place is looked for.
NEIGHBOURS = 24


def remesh(
    body: Body, rng: np.random.Generator, kind: str, vertex_count: int | None = None
) -> Body:
    """Give a body another triangulation.

    Parameters
    ----------
    body : usually with more vertices than are asked for.
    rng : the only source of chance.
    kind : "even" (quadric decimation), "uneven" (one region much coarser or finer than the rest),
        "subdivided" (decimated to a few vertices, then one step of Loop or midpoint subdivision),
        "voxel" (the outer skin of all pieces in one, see `voxels.outer_skin`), "isotropic" (the
        same drawn back to the surface: triangles all alike), "flipped" (decimated, then some
        diagonals turned), or "untouched" up to `LARGEST` vertices.
    vertex_count : about how many vertices to end with; by default 1,000 to 5,000 at random, now and
        then up to 8,000.

    Returns
    -------
    Body
        Under decimation each vertex takes its label and component from the original vertex that
        stands for it in the collapses, so that parts that touch do not bleed into each other; a
        vertex that subdivision adds, that of one of the ends of its edge.

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
        coarse = decimate(body, vertex_count // 4)
        return subdivide(coarse, smooth=bool(rng.uniform() < 0.5), origin=body)
    if kind == "voxel":
        cells, close = int(rng.integers(70, 170)), int(rng.integers(1, 4))
        skin = outer_skin(body, cells, close, softness=rng.uniform(0.5, 1.2))
        return decimate(skin, vertex_count)
    if kind == "isotropic":
        # Area is about a tenth of the squared size; a cell gives a vertex.
        cells = int(np.clip(2.6 * np.sqrt(vertex_count), 60, 200))
        return decimate(outer_skin(body, cells, shrink_wrap=True), 2 * vertex_count)
    if kind == "flipped":
        return flip_diagonals(decimate(body, vertex_count), rng, 0.15)
    if kind == "untouched":
        return decimate(body, LARGEST)
    raise ValueError(f"unknown kind {kind!r}: one of {', '.join(KINDS)}")


def flip_diagonals(body: Body, rng: np.random.Generator, share: float) -> Body:
    """Turn the common edge of pairs of triangles where the other diagonal is about as good.

    Parameters
    ----------
    share : of all edges that are tried; a triangle is turned at most once.
    """
    faces = body.faces
    tail, head = sides(faces)
    tip = np.roll(faces, -2, axis=1).ravel()
    owner = np.repeat(np.arange(len(faces)), 3)
    count = len(body.vertices)
    key, back = tail * count + head, head * count + tail
    order = np.argsort(key)
    found = np.minimum(np.searchsorted(key[order], back), len(key) - 1)
    partner = order[found]
    pairs = np.flatnonzero((key[partner] == back) & (tail < head))
    _, uses = unique_edges(faces)
    if (uses > 2).any():
        return body
    a, b, c, d = tail[pairs], head[pairs], tip[pairs], tip[partner[pairs]]
    points = body.vertices
    shorter = np.linalg.norm(points[c] - points[d], axis=1) < 1.6 * np.linalg.norm(
        points[a] - points[b], axis=1
    )
    # Only where both new triangles face the way that the old ones did.
    old = np.cross(points[b] - points[a], points[c] - points[a])
    one = np.cross(points[c] - points[d], points[a] - points[d])
    two = np.cross(points[d] - points[c], points[b] - points[c])
    fine = ((old * one).sum(axis=1) > 0) & ((old * two).sum(axis=1) > 0) & shorter & (c != d)
    fresh = np.stack([np.minimum(c, d), np.maximum(c, d)], axis=1)
    taken = np.isin(fresh[:, 0] * count + fresh[:, 1], np.concatenate([key, back]))
    good = np.flatnonzero(fine & ~taken)
    good = good[rng.permutation(len(good))][: int(share * len(pairs))]
    used = np.zeros(len(faces), bool)
    made, turned = set(), faces.copy()
    for g in good:
        first, second = owner[pairs[g]], owner[partner[pairs[g]]]
        name = tuple(fresh[g])
        if used[first] or used[second] or name in made:
            continue
        made.add(name)
        used[first] = used[second] = True
        turned[first], turned[second] = (c[g], d[g], b[g]), (d[g], c[g], a[g])
    return replace(body, faces=turned)


def decimate(body: Body, vertex_count: int, towards: np.ndarray | None = None) -> Body:
    """Quadric decimation to about `vertex_count` vertices.

    Parameters
    ----------
    towards : (V, 3) positions to measure the error in, instead of the body's own. Where they are
        shrunk the result is coarse; its vertices are then a subset of the body's.
    """
    target = 2 * vertex_count
    if target >= len(body.faces):
        return body
    # Not there where meshes are only read, as in tests of other versions of Blender.
    import fast_simplification

    measured = body.vertices if towards is None else towards
    # Triangles without an area have no error quadric, and spoil those of all others.
    area = triangle_areas(measured, body.faces)
    solid = body.faces[area > 1e-8 * area.mean()]
    points, _, collapses = fast_simplification.simplify(
        measured, solid, target_count=target, return_collapses=True
    )
    points, faces, merged_into = fast_simplification.replay_simplification(
        measured, solid, collapses
    )
    source = _representatives(measured, points, merged_into)
    vertices = body.vertices[source]
    if towards is None:
        # Where the error is flat the best place may be far away; such a vertex stays at home.
        reach = 4.0 * np.sqrt(area.sum() / len(faces))
        moved = np.linalg.norm(points - vertices, axis=1) < reach
        vertices = np.where(moved[:, None], points, vertices)
    made = body.remeshed(vertices, faces.astype(np.int64), source)
    return made.with_faces(made.faces)


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


def subdivide(body: Body, smooth: bool, origin: Body | None = None) -> Body:
    """One to four: midpoint subdivision, or Loop's (1987) where `smooth`.

    A new vertex takes the label of one end of its edge. Where the ends differ, that is the label
    that is the nearer on the `origin`, the body before it was made coarse; without one, that of
    the end that comes first, by which borders move half an edge towards parts that come later.
    """
    count = len(body.vertices)
    corners = body.faces
    opposite = np.roll(corners, 1, axis=1).ravel()
    edges, edge_of_side = edges_of_sides(corners)
    old, new = body.vertices, body.vertices[edges].mean(axis=1)
    if smooth:
        uses = np.bincount(edge_of_side, minlength=len(edges))
        wings = np.zeros((len(edges), 3))
        np.add.at(wings, edge_of_side, body.vertices[opposite])
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
    end = edges[:, 0]
    if origin is not None:
        end = np.where(_second_is_nearer(body, edges, origin), edges[:, 1], end)
    middle = count + edge_of_side.reshape(-1, 3)
    a, b, c = corners.T
    ab, bc, ca = middle.T
    faces = np.concatenate(
        [np.stack(f, axis=1) for f in ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))]
    )
    source = np.concatenate([np.arange(count), end])
    return body.remeshed(np.concatenate([old, new]), faces, source)


def _second_is_nearer(body: Body, edges: np.ndarray, origin: Body) -> np.ndarray:
    """Whether the label of an edge's second end is nearer to its middle than that of the first,
    (E,) bool, by the nearest vertices of the origin that have one of the two."""
    first, second = body.fine[edges].T
    differ = np.flatnonzero(first != second)
    middles = body.vertices[edges[differ]].mean(axis=1)
    _, near = cKDTree(origin.vertices).query(middles, k=min(NEIGHBOURS, len(origin.vertices)))
    is_second = origin.fine[near] == second[differ, None]
    known = is_second | (origin.fine[near] == first[differ, None])
    nearest = known.argmax(axis=1)
    found = np.zeros(len(edges), bool)
    found[differ] = is_second[np.arange(len(differ)), nearest]
    return found


def keep_skin(body: Body) -> Body:
    """The body without eyes and tongue."""
    inside = (body.component > 0) & (body.component <= 3)
    return body.with_faces(body.faces[~inside[body.faces[:, 0]]])
