"""Shapes with known properties, for the tests."""

import numpy as np


def icosphere(subdivisions: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Unit sphere of 10 * 4^n + 2 vertices, wound outward."""
    golden = (1 + 5**0.5) / 2
    vertices = np.array(
        [
            [-1, golden, 0], [1, golden, 0], [-1, -golden, 0], [1, -golden, 0],
            [0, -1, golden], [0, 1, golden], [0, -1, -golden], [0, 1, -golden],
            [golden, 0, -1], [golden, 0, 1], [-golden, 0, -1], [-golden, 0, 1],
        ]
    )  # fmt: skip
    faces = np.array(
        [
            [0, 11, 5], [0, 5, 1], [0, 1, 7], [0, 7, 10], [0, 10, 11], [1, 5, 9], [5, 11, 4],
            [11, 10, 2], [10, 7, 6], [7, 1, 8], [3, 9, 4], [3, 4, 2], [3, 2, 6], [3, 6, 8],
            [3, 8, 9], [4, 9, 5], [2, 4, 11], [6, 2, 10], [8, 6, 7], [9, 8, 1],
        ]
    )  # fmt: skip
    for _ in range(subdivisions):
        vertices, faces = subdivide(vertices, faces)
    return vertices / np.linalg.norm(vertices, axis=1, keepdims=True), faces


def subdivide(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each triangle cut into four at the midpoints of its edges."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    unique, index = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True)
    middle = vertices[unique].mean(axis=1)
    ab, bc, ca = index.reshape(3, -1) + len(vertices)
    a, b, c = faces.T
    cut = [[a, ab, ca], [b, bc, ab], [c, ca, bc], [ab, bc, ca]]
    return np.concatenate([vertices, middle]), np.concatenate([np.stack(f, axis=1) for f in cut])


def grid(columns: int = 12, rows: int = 9) -> tuple[np.ndarray, np.ndarray]:
    """Flat sheet in the x-y plane, facing +z, with unit squares."""
    x, y = np.meshgrid(np.arange(columns + 1.0), np.arange(rows + 1.0), indexing="ij")
    vertices = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
    index = np.arange(x.size).reshape(x.shape)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    halves = [[a, b, c], [a, c, d]]
    return vertices, np.concatenate([np.stack([i.ravel() for i in h], axis=1) for h in halves])


def lumpy_body(subdivisions: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """A sphere pulled into an asymmetric shape: no two eigenvalues coincide."""
    vertices, faces = icosphere(subdivisions)
    x, y, z = vertices.T
    radius = 1 + 0.3 * x * y + 0.4 * z**2 + 0.2 * np.sin(3 * x + 1) + 0.15 * y * z
    return vertices * radius[:, None] * [1.0, 0.7, 1.4], faces


def joined(*shapes: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Several meshes as the loose parts of one."""
    offsets = np.cumsum([0] + [len(vertices) for vertices, _ in shapes])
    return (
        np.concatenate([vertices for vertices, _ in shapes]),
        np.concatenate([f + o for (_, f), o in zip(shapes, offsets[:-1], strict=True)]),
    )


def random_rotation(seed: int = 0) -> np.ndarray:
    """A proper rotation matrix."""
    q, r = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))
    q = q * np.sign(np.diag(r))
    return q if np.linalg.det(q) > 0 else -q


def signed_volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    """Volume enclosed by triangles whose normals point outward; negative where they point inward.

    Measured about the vertices' mean, so that a translation does not change the sign of an
    almost closed surface.
    """
    centred = vertices - vertices.mean(axis=0)
    a, b, c = (centred[faces[:, i]] for i in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)
