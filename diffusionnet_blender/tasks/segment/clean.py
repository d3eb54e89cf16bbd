"""Labels without frays and islands, before anyone has to correct them by hand."""

from __future__ import annotations

import numpy as np

from ...network.implicit import ImplicitDiffusion
from ...surface.discretization import Discretization
from ..edit_labels import remove_islands, vertex_neighbourhood

# Probabilities are diffused for so long, on a surface of radius 1: over some 3 % of its size.
SPREAD_TIME = 4.0**-5
# An island goes below this share of its part's largest piece.
ISLAND = 0.1


def cleaned(discretization: Discretization, probabilities: np.ndarray) -> np.ndarray:
    """Probabilities whose most probable classes are neither frayed nor scattered.

    They are diffused over the surface for a short time (paper eq. 2), which straightens borders
    where the model is in doubt and leaves them where it is sure. Then small islands go to the parts
    around them, as under *Smooth Borders*. Loose parts stay what they are.

    Parameters
    ----------
    discretization : Discretization
    probabilities : (V, C) float

    Returns
    -------
    (V, C) float32
        Where an island went, its class and the new one have exchanged their probabilities.

    Raises
    ------
    SurfaceError
        If the Laplacian is too ill-conditioned.
    """
    diffuse = ImplicitDiffusion(discretization.laplacian, discretization.mass.astype(np.float64))
    spread = diffuse(probabilities, np.full(probabilities.shape[1], SPREAD_TIME))
    spread = np.maximum(spread, 0.0).astype(np.float32)
    spread /= spread.sum(axis=1, keepdims=True)
    before = spread.argmax(axis=1)
    near = vertex_neighbourhood(discretization.vertices, discretization.faces)
    after = remove_islands(before, near, discretization.mass.astype(np.float64), ISLAND)
    moved = np.flatnonzero(before != after)
    spread[moved, before[moved]], spread[moved, after[moved]] = (
        spread[moved, after[moved]],
        spread[moved, before[moved]],
    )
    return spread
