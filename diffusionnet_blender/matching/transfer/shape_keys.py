"""Transfer of shape keys: deformation transfer, and rotated offsets for small ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse

from ...surface.edges import side_lengths, sides
from ...surface.factorisation import Factorisation
from ...surface.surface import triangle_vectors
from ...surface.winding import vertex_normals
from ..points import SurfacePoints, points_at_vertices
from ..rotations import nearest_rotations
from .corners import MapInside

# Weight of every vertex's position by offsets alone, relative to the weight of the triangles around
# it: it fixes the translation of loose parts, and is too small to be seen elsewhere.
PLACING = 1e-4
# Limits of the local scale of target to source, relative to that of the whole.
LOCAL_SCALES = (0.1, 10.0)


def deformation_transfer(
    target_to_source: SurfacePoints,
    source: tuple[np.ndarray, np.ndarray],
    target: tuple[np.ndarray, np.ndarray],
    source_keys: np.ndarray,
    progress: Callable[[float], None] = lambda fraction: None,
) -> np.ndarray:
    """Every key of the source as a key of the target (Sumner and Popovic 2004).

    Each target triangle takes the deformation gradient of the source at its image; the vertices
    that fit these best solve one linear system, factorised once for all keys.

    Parameters
    ----------
    target_to_source : SurfacePoints
    source, target : (vertices, faces)
        At rest.
    source_keys : (K, V_s, 3) float
        Positions of the source's vertices in each key.
    progress : callable
        Called with a fraction from 0 to 1 between steps; may raise to stop.

    Returns
    -------
    (K, V_t, 3) float64
        Positions of the target's vertices in each key.
    """
    vertices, faces = np.asarray(target[0], float), target[1]
    face = _face_images(target_to_source, *source, vertices, faces)
    rotation, _ = vertex_rotations(target_to_source, source, (vertices, faces))
    rotation = nearest_rotations(rotation[faces].sum(axis=1))
    guess = rotated_offsets(target_to_source, source, target, source_keys)
    gradient, area = _face_gradients(vertices, faces)
    weight = sparse.diags(np.repeat(area, 3))
    stiffness = gradient.T @ weight @ gradient
    used = stiffness.diagonal() > 0
    placing = np.where(used, PLACING * stiffness.diagonal(), 1.0)
    factor = Factorisation(stiffness + sparse.diags(placing), lambda: progress(0.0), definite=True)
    made = np.empty((len(source_keys), len(vertices), 3))
    for index, key in enumerate(source_keys):
        progress(index / len(source_keys))
        deformed = _gradients_of(source[0], key, source[1])[face]
        # In the frame of the target, which may stand in another direction.
        local = np.einsum("fji,fjk,fkl->fil", rotation, deformed, rotation)
        # Rows of the transposed gradient of positions: three for each triangle.
        goal = np.swapaxes(local, 1, 2).reshape(-1, 3)
        right = gradient.T @ (weight @ goal) + placing[:, None] * guess[index]
        made[index] = factor.solve(right)
    return made


def keys_along(
    mesh: tuple[np.ndarray, np.ndarray],
    moved: np.ndarray,
    keys: np.ndarray,
    progress: Callable[[float], None] = lambda fraction: None,
) -> np.ndarray:
    """Keys of a mesh whose rest shape was deformed, (K, V, 3), by deformation transfer.

    Parameters
    ----------
    mesh : (vertices, faces)
        As it was.
    moved : (V, 3) float
        Its vertices now.
    keys : (K, V, 3) float
        Positions in each key, as they were.
    progress : callable
        Called with a fraction from 0 to 1; may raise to stop.
    """
    vertices, faces = mesh
    own = points_at_vertices(np.arange(len(vertices)), faces)
    return deformation_transfer(own, mesh, (moved, faces), keys, progress)


def rotated_offsets(
    target_to_source: SurfacePoints,
    source: tuple[np.ndarray, np.ndarray],
    target: tuple[np.ndarray, np.ndarray],
    source_keys: np.ndarray,
    progress: Callable[[float], None] = lambda fraction: None,
) -> np.ndarray:
    """Every key by the offsets of its vertices, rotated and scaled from source to target.

    Good for small keys, a brow or the corner of a mouth; a large one shears.

    Parameters
    ----------
    target_to_source, source, target, source_keys, progress :
        As in `deformation_transfer`.

    Returns
    -------
    (K, V_t, 3) float64
    """
    vertices, faces = np.asarray(target[0], float), target[1]
    rotation, scale = vertex_rotations(target_to_source, source, (vertices, faces))
    made = np.empty((len(source_keys), len(vertices), 3))
    for index, key in enumerate(source_keys):
        progress(index / len(source_keys))
        offset = target_to_source.interpolate(key - source[0], source[1])
        made[index] = vertices + scale[:, None] * np.einsum("vji,vj->vi", rotation, offset)
    return made


def vertex_rotations(
    target_to_source: SurfacePoints,
    source: tuple[np.ndarray, np.ndarray],
    target: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Rotation (V, 3, 3) from target to source around each vertex, and scale (V,) to the target.

    Fitted to the edges around a vertex and to its normal, so that it is defined where they lie
    in a plane.

    Parameters
    ----------
    target_to_source, source, target :
        As in `deformation_transfer`.
    """
    vertices, faces = target
    image = target_to_source.interpolate(np.asarray(source[0], float), source[1])
    tail, head = sides(faces)
    edges, images = vertices[head] - vertices[tail], image[head] - image[tail]
    product = (images[:, :, None] * edges[:, None]).reshape(-1, 9)
    count = len(vertices)
    rows = sparse.csr_matrix(
        (np.ones(2 * len(tail)), (np.concatenate([tail, head]), np.tile(np.arange(len(tail)), 2))),
        shape=(count, len(tail)),
    )
    fitted = (rows @ product).reshape(-1, 3, 3)
    squares = rows @ np.square(edges).sum(axis=1)
    source_squares = rows @ np.square(images).sum(axis=1)
    normal = vertex_normals(vertices, faces)
    source_normal = target_to_source.interpolate(vertex_normals(*source), source[1])
    strength = np.sqrt(squares * source_squares)[:, None, None]
    fitted = fitted + strength * source_normal[:, :, None] * normal[:, None]
    scale = np.sqrt(squares / np.maximum(source_squares, np.finfo(float).tiny))
    whole = global_scale(image, vertices, faces)
    return nearest_rotations(fitted), whole * np.clip(scale / whole, *LOCAL_SCALES)


def global_scale(image: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> float:
    """Size of a target by that of its image on the source.

    Parameters
    ----------
    image : (V, 3) float
        Image of each vertex of the target on the source.
    vertices, faces : (V, 3) float, (F, 3) int
        Of the target.

    Returns
    -------
    float
        Median over the edges, above 0: a torn map and a part that only one of the two has count
        for little.
    """
    own = side_lengths(vertices[faces])
    mapped = side_lengths(image[faces])
    usable = (own > 0) & (mapped > 0)
    return float(np.median(own[usable] / mapped[usable])) if usable.any() else 1.0


def _face_images(
    target_to_source: SurfacePoints,
    source_vertices: np.ndarray,
    source_faces: np.ndarray,
    vertices: np.ndarray,
    faces: np.ndarray,
) -> np.ndarray:
    """Triangle of the source at the image of each target triangle's centre, (F_t,)."""
    inside = MapInside(target_to_source, source_vertices, source_faces, vertices, faces)
    centres = SurfacePoints(np.arange(len(faces)), np.full((len(faces), 3), 1 / 3))
    return inside(centres).face


def _gradients_of(rest: np.ndarray, key: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Deformation gradient of each triangle, (F, 3, 3); along the normal it keeps the scale."""

    def frame(vertices: np.ndarray) -> np.ndarray:
        a, b, c = (vertices[faces[:, i]] for i in range(3))
        normal = triangle_vectors(vertices, faces)
        length = np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), np.finfo(float).tiny)
        # Sumner and Popovic's fourth vertex: as long as the root of the area.
        return np.stack([b - a, c - a, normal / np.sqrt(length)], axis=2)

    before, after = frame(np.asarray(rest, float)), frame(np.asarray(key, float))
    determinant = np.linalg.det(before)
    scale = np.abs(before).max(axis=(1, 2)) ** 3
    flat = np.abs(determinant) <= 1e-12 * scale
    before[flat], after[flat] = np.eye(3), np.eye(3)
    return after @ np.linalg.inv(before)


def _face_gradients(
    vertices: np.ndarray, faces: np.ndarray
) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Gradient of functions at vertices, sparse (3 F, V), and areas (F,) of the triangles."""
    normal = triangle_vectors(vertices, faces)
    double = np.linalg.norm(normal, axis=1)
    unit = normal / np.maximum(double, np.finfo(float).tiny)[:, None]
    rows, columns, entries = [], [], []
    for corner in range(3):
        opposite = vertices[faces[:, (corner + 2) % 3]] - vertices[faces[:, (corner + 1) % 3]]
        value = np.cross(unit, opposite) / np.maximum(double, np.finfo(float).tiny)[:, None]
        rows.append(np.arange(3 * len(faces)))
        columns.append(np.repeat(faces[:, corner], 3))
        entries.append(np.where(double[:, None] > 0, value, 0.0).ravel())
    gradient = sparse.csr_matrix(
        (np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns))),
        shape=(3 * len(faces), len(vertices)),
    )
    return gradient, 0.5 * double
