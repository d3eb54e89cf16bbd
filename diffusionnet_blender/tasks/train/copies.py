"""Data augmentation: copies of a labelled mesh in other poses, proportions and triangulations.

A network that is trained on a single mesh fits that mesh alone. These copies make it generalise to
other triangulations, other poses, and other characters.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from ...surface.edges import edges_of_sides
from ...surface.proxy import make_proxy
from ...surface.surface import Surface, triangle_vectors
from ...surface.winding import vertex_normals

# Limits of the vertices of a copy: more make a step slower, and the model no better.
FEWEST, MOST = 1_000, 5_000


def plain_copy(
    surface: Surface, labels: np.ndarray, most: int = MOST
) -> tuple[Surface, np.ndarray]:
    """The surface itself, resampled to about `most` vertices if it has more.

    Parameters
    ----------
    surface : Surface
        As `repair` leaves it.
    labels : (V,) int
    most : int

    Returns
    -------
    Surface
    labels : (C,) int
    """
    return _resampled(surface, labels, most, surface.vertices)


def varied_copy(
    surface: Surface, labels: np.ndarray, rng: np.random.Generator
) -> tuple[Surface, np.ndarray]:
    """The surface bent, with other proportions, another triangulation, and some noise.

    Parameters
    ----------
    surface : Surface
        As `repair` leaves it.
    labels : (V,) int
    rng : Generator
        Of all random choices.

    Returns
    -------
    Surface
    labels : (C,) int
    """
    strength = rng.uniform()
    size = float(np.linalg.norm(np.ptp(surface.vertices, axis=0)))
    vertices = surface.vertices
    for _ in range(rng.integers(0, 3)):
        vertices = _bent(vertices, rng, strength, size)
    for _ in range(2):
        vertices = _inflated(vertices, rng, 0.35 * strength, size)
    vertices = _stretched(vertices, rng, 0.2 * strength)
    copy = Surface(vertices, surface.faces, surface.normals)

    total = len(vertices)
    low, high = np.log([min(FEWEST, total), min(MOST, total)])
    count = int(np.exp(rng.uniform(low, high)))
    # A rotated grid, finer in one place than elsewhere, gives other clusters of vertices.
    grid = vertices @ _random_rotation(rng)
    if rng.uniform() < 0.4:
        grid = _inflated(grid, rng, np.log(4.0), size)
    if 4 * total <= MOST and rng.uniform() < 0.4 and not surface.is_point_cloud:
        copy, labels = _subdivided(copy, labels)
    else:
        copy, labels = _resampled(copy, labels, count, grid)
    if rng.uniform() < 0.4:
        copy = _with_noise(copy, rng, rng.uniform(0.0, 0.1))
    return copy, labels


def _resampled(
    surface: Surface, labels: np.ndarray, count: int, grid: np.ndarray
) -> tuple[Surface, np.ndarray]:
    """Surface and labels (V,) at about `count` clusters of vertices, or unchanged if it has fewer.

    Clusters are cells of a regular grid in which the vertices have the positions `grid`, (V, 3).
    """
    total = len(surface.vertices)
    if total > 1.2 * count:
        proxy = make_proxy(Surface(grid, surface.faces, surface.normals), count)
        chosen, faces = proxy.vertex, proxy.surface.faces
        normals = None if surface.normals is None else surface.normals[chosen]
        used = np.ones(len(chosen), dtype=bool)
        if not surface.is_point_cloud:
            used = np.bincount(faces.ravel(), minlength=len(chosen)) > 0
        # A tiny part may be a single cluster, which has no triangles.
        if used.sum() >= count / 4:
            index = np.cumsum(used) - 1
            normals = None if normals is None else normals[used]
            kept = chosen[used]
            return Surface(surface.vertices[kept], index[faces], normals), labels[kept]
    return surface, labels


def _subdivided(surface: Surface, labels: np.ndarray) -> tuple[Surface, np.ndarray]:
    """Each triangle split into four; new vertices between two classes (V,) have no label."""
    faces = surface.faces
    edges, middle = edges_of_sides(faces)
    ab, bc, ca = len(surface.vertices) + middle.reshape(-1, 3).T
    a, b, c = faces.T
    split = [np.stack(f, axis=1) for f in ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))]
    ends = labels[edges]
    between = np.where(ends[:, 0] == ends[:, 1], ends[:, 0], -1)
    vertices = np.concatenate([surface.vertices, surface.vertices[edges].mean(axis=1)])
    return Surface(vertices, np.concatenate(split)), np.concatenate([labels, between])


def _bent(
    vertices: np.ndarray, rng: np.random.Generator, strength: float, size: float
) -> np.ndarray:
    """Vertices (V, 3) on one side of a random plane, rotated about a joint on it.

    The angle, of at most `strength` radians, is a smooth step across the plane. `size` is the
    diameter of the shape.
    """
    joint = vertices[rng.integers(len(vertices))]
    normal = _random_rotation(rng)[0]
    axis = np.cross(normal, _random_rotation(rng)[0])
    height = (vertices - joint) @ normal / (0.05 * size)
    angle = strength * rng.uniform(-1.0, 1.0) / (1.0 + np.exp(-np.clip(height, -30, 30)))
    return joint + _rotated(vertices - joint, axis / np.linalg.norm(axis), angle)


def _rotated(vectors: np.ndarray, axis: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Vectors (V, 3) rotated about an axis (3,) by angles (V,)."""
    return Rotation.from_rotvec(np.outer(angle, axis)).apply(vectors)


def _inflated(
    vertices: np.ndarray, rng: np.random.Generator, amount: float, size: float
) -> np.ndarray:
    """Vertices (V, 3), scaled by at most exp(amount) in a ball around a random one."""
    centre = vertices[rng.integers(len(vertices))]
    radius = rng.uniform(0.1, 0.35) * size
    offsets = vertices - centre
    weight = np.exp(-np.einsum("ij,ij->i", offsets, offsets) / radius**2)[:, None]
    return centre + offsets * np.exp(rng.uniform(-amount, amount) * weight)


def _stretched(vertices: np.ndarray, rng: np.random.Generator, amount: float) -> np.ndarray:
    """Vertices (V, 3), scaled by at most exp(amount) along a random direction."""
    axis = _random_rotation(rng)[0]
    return vertices + np.outer(vertices @ axis, axis) * np.expm1(rng.uniform(-amount, amount))


def _with_noise(surface: Surface, rng: np.random.Generator, amount: float) -> Surface:
    """Gaussian noise along the normals, of standard deviation `amount` x the typical edge."""
    if surface.is_point_cloud:
        return surface
    area = np.linalg.norm(triangle_vectors(surface.vertices, surface.faces), axis=1).mean()
    offset = rng.normal(0.0, amount * np.sqrt(area), (len(surface.vertices), 1))
    return Surface(
        surface.vertices + offset * vertex_normals(surface.vertices, surface.faces), surface.faces
    )


def _random_rotation(rng: np.random.Generator) -> np.ndarray:
    """Rotation matrix (3, 3), uniformly distributed."""
    q, r = np.linalg.qr(rng.standard_normal((3, 3)))
    q = q * np.sign(np.diag(r))
    return q if np.linalg.det(q) > 0 else q[[1, 0, 2]]
