"""Copies of a labelled mesh as others would have modelled, posed and meshed it.

What a network learns from one mesh holds for that mesh. These copies are what makes it hold for
other meshings of the character, other poses, and other characters.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from ...surface.edges import edges_of_sides
from ...surface.proxy import make_proxy
from ...surface.surface import Surface, triangle_vectors
from ...surface.winding import vertex_normals

# Vertices of a copy: what a step costs grows with them, what it teaches does not.
FEWEST, MOST = 1_000, 5_000


def plain_copy(surface: Surface, labels: np.ndarray) -> tuple[Surface, np.ndarray]:
    """The surface itself, or a coarser one of `MOST` vertices in its place.

    Parameters
    ----------
    surface : Surface
        As `repair` leaves it.
    labels : (V,) int

    Returns
    -------
    Surface
    labels : (C,) int
    """
    return _resampled(surface, labels, MOST, surface.vertices)


def varied_copy(
    surface: Surface, labels: np.ndarray, rng: np.random.Generator
) -> tuple[Surface, np.ndarray]:
    """Bent, in other proportions, of another triangulation, and a little rough.

    Parameters
    ----------
    surface : Surface
        As `repair` leaves it.
    labels : (V,) int
    rng : Generator
        The only source of chance.

    Returns
    -------
    Surface
    labels : (C,) int
    """
    strength = rng.uniform()
    size = np.linalg.norm(np.ptp(surface.vertices, axis=0))
    vertices = surface.vertices
    for _ in range(rng.integers(0, 3)):
        vertices = _bent(vertices, rng, strength, size)
    for _ in range(2):
        vertices = _swollen(vertices, rng, 0.35 * strength, size)
    vertices = _stretched(vertices, rng, 0.2 * strength)
    moved = Surface(vertices, surface.faces, surface.normals)

    total = len(vertices)
    low, high = np.log([min(FEWEST, total), min(MOST, total)])
    count = int(np.exp(rng.uniform(low, high)))
    # A grid that lies askew, and finer in one place than elsewhere, gathers other vertices.
    grid = vertices @ _random_rotation(rng)
    if rng.uniform() < 0.4:
        grid = _swollen(grid, rng, np.log(4.0), size)
    if 4 * total <= MOST and rng.uniform() < 0.4 and not surface.is_point_cloud:
        moved, labels = _subdivided(moved, labels)
    else:
        moved, labels = _resampled(moved, labels, count, grid)
    if rng.uniform() < 0.4:
        moved = _rough(moved, rng, rng.uniform(0.0, 0.1))
    return moved, labels


def _resampled(surface, labels, count, grid) -> tuple[Surface, np.ndarray]:
    """Coarser by clusters on a grid through other positions, where there are vertices enough."""
    total = len(surface.vertices)
    if total > 1.2 * count:
        proxy = make_proxy(Surface(grid, surface.faces, surface.normals), count)
        chosen, faces = proxy.vertex, proxy.surface.faces
        normals = None if surface.normals is None else surface.normals[chosen]
        used = np.ones(len(chosen), dtype=bool)
        if not surface.is_point_cloud:
            used = np.bincount(faces.ravel(), minlength=len(chosen)) > 0
        # A tiny part may fall into one cluster, of which no triangle is left.
        if used.sum() >= count / 4:
            place = np.cumsum(used) - 1
            normals = None if normals is None else normals[used]
            kept = chosen[used]
            return Surface(surface.vertices[kept], place[faces], normals), labels[kept]
    return surface, labels


def _subdivided(surface: Surface, labels) -> tuple[Surface, np.ndarray]:
    """Each triangle cut into four; a vertex between two classes has no label."""
    faces = surface.faces
    edges, middle = edges_of_sides(faces)
    ab, bc, ca = len(surface.vertices) + middle.reshape(-1, 3).T
    a, b, c = faces.T
    cut = [np.stack(f, axis=1) for f in ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))]
    ends = labels[edges]
    between = np.where(ends[:, 0] == ends[:, 1], ends[:, 0], -1)
    vertices = np.concatenate([surface.vertices, surface.vertices[edges].mean(axis=1)])
    return Surface(vertices, np.concatenate(cut)), np.concatenate([labels, between])


def _bent(vertices, rng, strength, size):
    """What lies beyond a plane through a random vertex turned about that vertex."""
    joint = vertices[rng.integers(len(vertices))]
    across = _random_rotation(rng)[0]
    axis = np.cross(across, _random_rotation(rng)[0])
    beyond = (vertices - joint) @ across / (0.05 * size)
    angle = strength * rng.uniform(-1.0, 1.0) / (1.0 + np.exp(-np.clip(beyond, -30, 30)))
    return joint + _turned(vertices - joint, axis / np.linalg.norm(axis), angle)


def _turned(vectors, axis, angle):
    """Vectors (V, 3) rotated about an axis (3,) by angles (V,)."""
    return Rotation.from_rotvec(np.outer(angle, axis)).apply(vectors)


def _swollen(vertices, rng, amount, size):
    """A ball around a random vertex grown or shrunk, by at most exp(amount)."""
    centre = vertices[rng.integers(len(vertices))]
    radius = rng.uniform(0.1, 0.35) * size
    away = vertices - centre
    near = np.exp(-np.einsum("ij,ij->i", away, away) / radius**2)[:, None]
    return centre + away * np.exp(rng.uniform(-amount, amount) * near)


def _stretched(vertices, rng, amount):
    """Longer or shorter along a random direction, by at most exp(amount)."""
    axis = _random_rotation(rng)[0]
    return vertices + np.outer(vertices @ axis, axis) * np.expm1(rng.uniform(-amount, amount))


def _rough(surface: Surface, rng, amount) -> Surface:
    """Vertices moved along their normals: normally distributed, `amount` x the typical edge."""
    if surface.is_point_cloud:
        return surface
    area = np.linalg.norm(triangle_vectors(surface.vertices, surface.faces), axis=1).mean()
    moved = rng.normal(0.0, amount * np.sqrt(area), (len(surface.vertices), 1))
    return Surface(
        surface.vertices + moved * vertex_normals(surface.vertices, surface.faces), surface.faces
    )


def _random_rotation(rng) -> np.ndarray:
    q, r = np.linalg.qr(rng.standard_normal((3, 3)))
    q = q * np.sign(np.diag(r))
    return q if np.linalg.det(q) > 0 else q[[1, 0, 2]]
