"""Regularised labels: smooth borders between the parts, and no small islands."""

from __future__ import annotations

import numpy as np

from ...network.implicit import ImplicitDiffusion
from ...surface.discretization import Discretization
from ..edit_labels import remove_islands, vertex_neighbourhood

# Diffusion time of the probabilities, on a surface of radius 1: a length of some 3 % of its size.
DIFFUSION_TIME = 4.0**-5
# Islands have less than this share of the area of their part's largest component.
ISLAND = 0.1


def cleaned(discretization: Discretization, probabilities: np.ndarray) -> np.ndarray:
    """Class probabilities after a short diffusion and the removal of small islands.

    Diffusion over the surface (paper eq. 2) straightens borders of low confidence and keeps those
    of high confidence. Then small islands get the class of the parts around them, as under *Smooth
    Borders*. Loose parts of the mesh keep their class.

    Parameters
    ----------
    discretization : Discretization
    probabilities : (V, C) float

    Returns
    -------
    (V, C) float32
        On removed islands the probabilities of the old and the new class are exchanged.

    Raises
    ------
    SurfaceError
        If the Laplacian is too ill-conditioned.
    """
    diffuse = ImplicitDiffusion(discretization.laplacian, discretization.mass.astype(np.float64))
    smooth = diffuse(probabilities, np.full(probabilities.shape[1], DIFFUSION_TIME))
    smooth = np.maximum(smooth, 0.0).astype(np.float32)
    smooth /= smooth.sum(axis=1, keepdims=True)
    before = smooth.argmax(axis=1)
    near = vertex_neighbourhood(discretization.vertices, discretization.faces)
    after = remove_islands(before, near, discretization.mass.astype(np.float64), ISLAND)
    changed = np.flatnonzero(before != after)
    smooth[changed, before[changed]], smooth[changed, after[changed]] = (
        smooth[changed, after[changed]],
        smooth[changed, before[changed]],
    )
    return smooth
