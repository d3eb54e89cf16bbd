"""The map that learned features give where they know both shapes."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import linalg as sparse_linalg

from ..surface.laplacian import laplacian_and_mass
from .points import Maps
from .pointwise import precise_map
from .spectral import SpectralMesh

# Time of the diffusion that evens features out, for a surface of unit area: the noise of single
# vertices goes, and what tells places apart stays.
SMOOTHING_TIME = 1e-4
# Directions in which the features of a pair differ most; all others together change a match by
# less than a hundredth of its error, and cost several times as much.
COMPONENTS = 48


def map_by_features(
    source: SpectralMesh,
    target: SpectralMesh,
    source_features: np.ndarray,
    target_features: np.ndarray,
) -> Maps:
    """For each vertex of either shape the point of the other whose features are most alike.

    Points lie within triangles: features vary smoothly, and are interpolated there. No functional
    map smooths what is found, since one of two bodies that are no isometry bends it more than the
    features err (docs/transfer.md).

    Parameters
    ----------
    source, target : SpectralMesh
    source_features, target_features : (V_s, d), (V_t, d) float
        Rows of unit length.

    Returns
    -------
    target_to_source, source_to_target : SurfacePoints
    """
    there, here = (
        _evened_out(mesh, features)
        for mesh, features in ((source, source_features), (target, target_features))
    )
    both = np.concatenate([there, here])
    _, directions = np.linalg.eigh(both.T @ both)
    there, here = (features @ directions[:, -COMPONENTS:] for features in (there, here))
    return precise_map(there, source.faces, here), precise_map(here, target.faces, there)


def _evened_out(mesh: SpectralMesh, features: np.ndarray) -> np.ndarray:
    """Features after a short diffusion, one implicit step; rows of unit length."""
    laplacian, _ = laplacian_and_mass(mesh.vertices, mesh.faces)
    factor = sparse_linalg.splu(
        (sparse.diags(mesh.mass) + SMOOTHING_TIME * laplacian).tocsc(),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    smooth = factor.solve(mesh.mass[:, None] * features.astype(float))
    length = np.linalg.norm(smooth, axis=1, keepdims=True)
    return smooth / np.maximum(length, np.finfo(float).tiny)
