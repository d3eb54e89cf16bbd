"""Figures that are exactly the same on both sides, as modelled with a mirror."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from diffusionnet_blender.surface.edges import unique_edges

from .meshes import EYES, Body, join_bodies
from .places import mirrored_places

# Vertices nearer to the plane than this share of the mean edge are put on it.
_SNAP = 0.2


def mirrored(body: Body, other_side: Callable[[np.ndarray], np.ndarray] = mirrored_places) -> Body:
    """The body reflected in the plane x = 0, its left now its right.

    `other_side` takes places of its template to those on the other side; by default a person's.
    """
    component = body.component.copy()
    component[body.component == EYES[0]] = EYES[1]
    component[body.component == EYES[1]] = EYES[0]
    return Body(
        body.vertices * [-1.0, 1.0, 1.0],
        body.faces[:, ::-1],
        body.anatomy.mirrored_label[body.fine],
        component,
        None if body.place is None else other_side(body.place),
        body.anatomy,
    )


def symmetric(body: Body, rng: np.random.Generator) -> Body:
    """One half of a body and its mirror image, joined in the plane x = 0.

    Parameters
    ----------
    body : about as symmetric as a pose the same left and right makes it: what is at x > 0 is its
        left. Which half is kept is left to chance.

    Returns
    -------
    Body
        A vertex at (x, y, z) for each at (-x, y, z), and the same triangles between them.
    """
    half = _left_half(body if rng.uniform() < 0.5 else mirrored(body))
    count = len(half.vertices)
    off = half.vertices[:, 0] > 0
    other = np.where(off, count + np.cumsum(off) - 1, np.arange(count))
    copy = mirrored(half)
    added = copy.remeshed(copy.vertices[off], copy.faces[:0], np.flatnonzero(off))
    faces = np.concatenate([half.faces, other[copy.faces]])
    return replace(join_bodies([half, added]), faces=faces)


def _left_half(body: Body) -> Body:
    """What is at x >= 0, triangles cut where they cross."""
    points = body.vertices.copy()
    edges, _ = unique_edges(body.faces)
    edge = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1).mean()
    points[np.abs(points[:, 0]) < _SNAP * edge, 0] = 0.0
    x = points[:, 0]
    sign = np.sign(x[body.faces]).astype(int)
    inside = (sign >= 0).all(axis=1) & (sign > 0).any(axis=1)
    crossing = (sign > 0).any(axis=1) & (sign < 0).any(axis=1)
    two_in = crossing & ((sign < 0).sum(axis=1) == 1)
    # A corner that is alone on its side of the plane comes first.
    lone = np.where(two_in, (sign < 0).argmax(axis=1), (sign > 0).argmax(axis=1))
    turned = np.take_along_axis(body.faces, (lone[:, None] + np.arange(3)) % 3, axis=1)
    n, a, b = turned[two_in].T
    p, c, d = turned[crossing & ~two_in].T
    ends = np.concatenate(
        [np.stack(pair, axis=1) for pair in ((a, n), (b, n), (p, c), (p, d))]
    ).astype(np.int64)
    places, made, place = _cuts(points, ends)
    an, bn, pc, pd = np.split(place, np.cumsum([len(n), len(n), len(p)]))
    faces = np.concatenate(
        [
            body.faces[inside],
            np.stack([a, b, bn], axis=1),
            np.stack([a, bn, an], axis=1),
            np.stack([p, pc, pd], axis=1),
        ]
    )
    source = np.concatenate([np.arange(len(points)), made])
    whole = body.remeshed(np.concatenate([points, places]), faces, source)
    return whole.with_faces(whole.faces)


def _cuts(points: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where edges cross the plane: new places (N, 3), the end at x > 0 of each, and for each edge
    the number of its vertex, that of an end which lies on the plane included."""
    unique, back = np.unique(ends, axis=0, return_inverse=True)
    back = back.ravel()
    first, second = points[unique[:, 0]], points[unique[:, 1]]
    gap = first[:, 0] - second[:, 0]
    share = first[:, 0] / np.where(gap == 0, 1.0, gap)
    places = first + share[:, None] * (second - first)
    places[:, 0] = 0.0
    number = len(points) + np.arange(len(unique))
    for end in (0, 1):
        number = np.where(points[unique[:, end], 0] == 0, unique[:, end], number)
    return places, unique[:, 0], number[back]
