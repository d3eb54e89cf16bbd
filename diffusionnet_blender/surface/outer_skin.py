"""Outer skin of a mesh of many parts: one closed proxy, and interpolation from it to the mesh.

Artists model nested and crossing shells: clothes over a body, armour, hair, machines of separate
pieces. Heat does not pass from one shell to the next as it would on a body, so that the Laplacian
of the mesh describes its shells more than the figure they make. One skin around all of them is the
figure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from .stray import without_stray
from .surface import Surface
from .triangles import compact
from .voxels import outer_skin
from .winding import vertex_normals

# With fewer, limbs near the body grow together; more take longer and let the outside in through
# narrower holes. Measured on clothed figures and mannequins, see training/README.md.
CELLS = 80
# Low poly and boxy meshes have skins of up to a hundred vertices for each of their own: so many for
# each are enough, but as many as a figure has in any case. Cells grow until the skin has no more.
VERTICES_EACH = 4
FEWEST, MOST = 10_000, 40_000
# Cells, and as many vertices in any case, where places are read from a skin, and not parts alone.
FINE = 120, 20_000
# A cell is inside where triangles are met in five of the six directions: an open neck or missing
# soles leave one.
ENCLOSING = 5
# Values are interpolated from so many vertices of the skin; outside of it only within so many
# cells.
NEAREST = 4
REACH = 2.0
# A sheet has 1.0, spindly machines 1.2, most figures 1.6 to 2.2.
LEAST_FULLNESS = 1.1


@dataclass(frozen=True, eq=False)
class SkinProxy:
    """The outer skin of a surface.

    Attributes
    ----------
    surface : Surface
        C vertices.
    vertex : (C,) int64
        The nearest vertex of the surface to each of them.
    weights : (V, C) csr_matrix
        Interpolation from the skin to the vertices of the surface; rows sum to 1, or to 0 where the
        skin is too far away.
    """

    surface: Surface
    vertex: np.ndarray
    weights: sparse.csr_matrix


def make_skin(surface: Surface, cells: int = CELLS, fewest: int = FEWEST) -> SkinProxy | None:
    """Wrap a mesh in one skin.

    Parameters
    ----------
    surface : Surface
        A mesh as it comes: any number of pieces, open or closed, wound either way.
    cells : int
        Along the longest side.
    fewest : int
        As many vertices as the skin may have in any case.

    Returns
    -------
    SkinProxy or None
        None where there is no inside to speak of (a sheet, scattered small pieces). The skin may
        need repair.
    """
    faces, kept = compact(len(surface.vertices), without_stray(surface.vertices, surface.faces))
    vertices = surface.vertices[kept]
    most = max(most_vertices(len(surface.vertices)), fewest)
    while True:
        skin = outer_skin(vertices, faces, cells, shrink_wrap=True, enclosing=ENCLOSING)
        if skin.fullness < LEAST_FULLNESS:
            return None
        if len(skin.vertices) <= most:
            break
        cells = min(int(cells * np.sqrt(most / len(skin.vertices))), cells - 1)
    return SkinProxy(
        Surface(skin.vertices, skin.faces),
        kept[skin.source],
        _interpolation(surface.vertices, skin.vertices, skin.faces, cells),
    )


def most_vertices(count: int) -> int:
    """Most vertices of the skin of a mesh of so many."""
    return min(max(VERTICES_EACH * count, FEWEST), MOST)


def _interpolation(
    vertices: np.ndarray, skin: np.ndarray, faces: np.ndarray, cells: int
) -> sparse.csr_matrix:
    """Inverse-distance weights (V, C) of the nearest vertices of a skin (C, 3) at those (V, 3)."""
    cell = np.ptp(skin, axis=0).max() / cells
    # Vertices that no face uses may lie anywhere, even at infinity.
    distance, nearest = cKDTree(skin).query(np.nan_to_num(vertices), k=NEAREST)
    weights = 1.0 / (distance + 0.1 * cell)
    weights /= weights.sum(axis=1, keepdims=True)
    outward = vertices - skin[nearest[:, 0]]
    height = np.einsum("ij,ij->i", outward, vertex_normals(skin, faces)[nearest[:, 0]])
    weights[(distance[:, 0] > REACH * cell) & (height > 0)] = 0.0
    row = np.repeat(np.arange(len(vertices)), NEAREST)
    return sparse.csr_matrix(
        (weights.ravel().astype(np.float32), (row, nearest.ravel())),
        shape=(len(vertices), len(skin)),
    )
