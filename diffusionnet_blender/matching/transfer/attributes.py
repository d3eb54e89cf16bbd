"""Transfer of values at vertices, corners and faces."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from ..points import SurfacePoints


def transfer_values(
    points: SurfacePoints, source_faces: np.ndarray, values: np.ndarray
) -> np.ndarray:
    """Interpolate numbers, vectors or colours at the source's vertices.

    Parameters
    ----------
    points : SurfacePoints
        On the source: images of the target's vertices, corners, or face centres.
    source_faces : (F_s, 3) int
    values : (V_s, ...) float

    Returns
    -------
    (N, ...) of the kind of `values`
    """
    return points.interpolate(np.asarray(values), source_faces).astype(values.dtype)


def transfer_corner_values(points: SurfacePoints, values: np.ndarray) -> np.ndarray:
    """Interpolate numbers at the corners of the source's triangles, within one triangle each.

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
    """Transfer integers at the source's vertices: the one of the largest barycentric share.

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
    """Transfer integers at the source's triangles to the target's faces by majority of points.

    Parameters
    ----------
    points : SurfacePoints
        Several of each target face: its corners and its centre, say.
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
