"""Values at vertices, corners and faces moved along the map."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from ..points import SurfacePoints


def transfer_values(
    points: SurfacePoints, source_faces: np.ndarray, values: np.ndarray
) -> np.ndarray:
    """Numbers, vectors or colours at the source's vertices, read along the map.

    Parameters
    ----------
    points : SurfacePoints
        On the source: of the target's vertices, of its corners, or of the middles of its faces.
    source_faces : (F_s, 3) int
    values : (V_s, ...) float

    Returns
    -------
    (N, ...) of the kind of `values`
    """
    return points.interpolate(np.asarray(values), source_faces).astype(values.dtype)


def transfer_corner_values(points: SurfacePoints, values: np.ndarray) -> np.ndarray:
    """Numbers at the corners of the source's triangles, read within one triangle each.

    Parameters
    ----------
    points : SurfacePoints
    values : (F_s, 3, ...) float
    """
    corners = values[points.face]
    return np.einsum("nc,nc...->n...", points.barycentric, corners).astype(values.dtype)


def transfer_labels(
    points: SurfacePoints, source_faces: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Integers at the source's vertices: the one with the largest share of the triangle.

    Parameters
    ----------
    points : SurfacePoints
    source_faces : (F_s, 3) int
    labels : (V_s,) int

    Returns
    -------
    (N,) of the kind of `labels`
    """
    corners = labels[source_faces[points.face]]
    same = corners[:, :, None] == corners[:, None, :]
    votes = np.einsum("nij,nj->ni", same, points.barycentric)
    return corners[np.arange(len(corners)), votes.argmax(axis=1)]


def face_labels_by_majority(
    points: SurfacePoints, face_of_point: np.ndarray, labels: np.ndarray, face_count: int
) -> np.ndarray:
    """Integers at the source's triangles, carried to the target's faces by most of their points.

    Parameters
    ----------
    points : SurfacePoints
        Several of each target face: its corners and its middle, say.
    face_of_point : (N,) int
        Face of the target that each point belongs to.
    labels : (F_s,) int
        Material slots, part labels, smooth or flat.
    face_count : int

    Returns
    -------
    (face_count,) of the kind of `labels`
    """
    kinds, kind = np.unique(labels[points.face], return_inverse=True)
    votes = sparse.coo_matrix(
        (np.ones(len(face_of_point)), (face_of_point, kind.ravel())),
        shape=(face_count, len(kinds)),
    ).tocsr()
    return kinds[np.asarray(votes.argmax(axis=1)).ravel()]
