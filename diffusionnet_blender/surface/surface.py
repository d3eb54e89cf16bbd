"""Triangle meshes and point clouds, validated; areas and cross products of triangles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ..errors import SurfaceError

# Blender's coordinates are below 1e39; squares of areas of much larger ones are no numbers.
FARTHEST = 1e45


def _no_faces() -> np.ndarray:
    return np.zeros((0, 3), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Surface:
    """A triangle mesh, or a point cloud where there are no faces.

    Attributes
    ----------
    vertices : (V, 3) float64
        Positions, in any unit.
    faces : (F, 3) int64
        Vertex indices, anticlockwise seen from outside. An empty array, the default: a point cloud.
    normals : (V, 3) float64, optional
        Outward normals of a point cloud. A mesh has its own and ignores them.

    Raises
    ------
    SurfaceError
        If there are no vertices, fewer than three points, coordinates that are not finite
        or beyond `FARTHEST`, vertices that all coincide, or faces that name vertices that do not
        exist.
    """

    vertices: np.ndarray
    faces: np.ndarray = field(default_factory=_no_faces)
    normals: np.ndarray | None = None

    def __post_init__(self) -> None:
        vertices = np.ascontiguousarray(self.vertices, dtype=np.float64)
        faces = np.asarray(self.faces)
        if vertices.size == 0:
            raise SurfaceError(
                "The mesh has no vertices", "Choose an object that has geometry, or add some."
            )
        if vertices.ndim != 2 or vertices.shape[1] != 3:
            raise SurfaceError(
                f"Vertices must be an array of shape (V, 3), not {vertices.shape}",
                "Pass one row of x, y, z for each vertex.",
            )
        bad = np.count_nonzero(~np.isfinite(vertices).all(axis=1))
        if bad:
            raise SurfaceError(
                f"{bad} of {len(vertices)} vertices have coordinates that are not finite numbers",
                "Delete these vertices, or undo the modifier or import that made them.",
            )
        if faces.size and (faces.ndim != 2 or faces.shape[1] != 3):
            raise SurfaceError(
                f"Faces must be triangles, an array of shape (F, 3), not {faces.shape}",
                "Triangulate polygons first.",
            )
        faces = np.ascontiguousarray(faces.reshape(-1, 3), dtype=np.int64)
        if faces.size and (faces.min() < 0 or faces.max() >= len(vertices)):
            raise SurfaceError(
                f"Faces name vertices outside 0 to {len(vertices) - 1}",
                "The mesh is damaged: in Blender run Mesh > Clean Up, or export it again.",
            )
        if len(vertices) < 3:
            raise SurfaceError(
                f"The mesh has only {len(vertices)} vertices",
                "A surface needs at least three.",
            )
        farthest = np.abs(vertices).max()
        if farthest > FARTHEST:
            raise SurfaceError(
                f"The mesh has coordinates as large as {farthest:.0e}",
                "Check the object's scale and its shape keys; delete vertices that are far away.",
            )
        extent = np.ptp(vertices, axis=0).max()
        if extent <= max(1e-12 * farthest, 1.0 / FARTHEST):
            raise SurfaceError(
                "All vertices are at the same place",
                "Check the object's scale and its shape keys; the mesh has no size.",
            )
        object.__setattr__(self, "vertices", vertices)
        object.__setattr__(self, "faces", faces)
        if self.normals is not None:
            normals = np.ascontiguousarray(self.normals, dtype=np.float64)
            if normals.shape != vertices.shape:
                raise SurfaceError(
                    f"Normals have shape {normals.shape}, vertices {vertices.shape}",
                    "Pass one normal for each vertex.",
                )
            object.__setattr__(self, "normals", normals)

    @property
    def is_point_cloud(self) -> bool:
        """True where the shape has no faces."""
        return len(self.faces) == 0


def triangle_vectors(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Cross products of two edges of each triangle.

    Parameters
    ----------
    vertices : (V, 3) float
    faces : (F, 3) int

    Returns
    -------
    (F, 3) float64
        Along the normal by the right-hand rule, as long as twice the area.
    """
    vectors = np.empty((len(faces), 3))
    for block in blocks(len(faces)):
        a, b, c = corners(vertices, faces[block])
        vectors[block] = cross(b - a, c - a)
    return vectors


def triangle_areas(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Areas of triangles, (F,) float64, in the square of the unit of `vertices`."""
    vectors = triangle_vectors(vertices, faces)
    return 0.5 * np.sqrt(np.einsum("ij,ij->i", vectors, vectors))


def vertex_areas(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """A third of the area of the triangles around each vertex, (V,) float64."""
    areas = triangle_areas(vertices, faces) / 3.0
    return np.bincount(faces.ravel(), np.repeat(areas, 3), len(vertices))


def corners(vertices: np.ndarray, faces: np.ndarray) -> list[np.ndarray]:
    """Rows of the first, second and third corners of triangles: positions, or other values."""
    return [np.take(vertices, faces[:, i], axis=0) for i in range(3)]


def cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Cross products of rows, (N, 3): `np.cross` without its overhead."""
    product = np.empty_like(u)
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        product[:, i] = u[:, j] * v[:, k] - u[:, k] * v[:, j]
    return product


def blocks(count: int, size: int = 1 << 16) -> Iterator[slice]:
    """Cut `count` rows into slices whose temporary arrays stay in the processor's cache."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))
