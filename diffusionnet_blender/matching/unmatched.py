"""Regions of a target of which the source has no counterpart."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from ..surface.edges import sides
from ..surface.factorisation import Factorisation
from ..surface.laplacian import laplacian_and_mass
from ..surface.loose_parts import label_parts
from ..surface.surface import Surface
from .judgement import is_uncertain

# Confidence of vertices without a counterpart. In the core of a region that of all around is below
# it, too, after diffusion over this time on a surface of unit area: single vertices are no region.
NO_CONFIDENCE = 0.1
TIME = 3e-4
# Share of the area of the smallest core, about that of an ear.
SMALLEST = 2e-3


def unmatched(
    surface: Surface, confidence: np.ndarray, known: np.ndarray | None = None
) -> np.ndarray:
    """Vertices (V,) without a counterpart: connected regions in which a map has no confidence.

    A map that is uncertain as a whole tells nothing of its regions.

    Parameters
    ----------
    surface : Surface
        Target, manifold, as `surface.repair` leaves it.
    confidence : (V,) float
    known : (V,) bool, optional
        Vertices that are known to have none.
    """
    if known is None:
        known = np.zeros(len(confidence), dtype=bool)
    others = confidence[~known]
    if is_uncertain(others) or np.mean(others < NO_CONFIDENCE) < SMALLEST:
        return known
    laplacian, mass = laplacian_and_mass(surface.vertices, surface.faces)
    area = mass.sum()
    step = Factorisation(sparse.diags(mass) + TIME * area * laplacian, definite=True)
    core = step.solve(mass * confidence) < NO_CONFIDENCE
    low = core | (confidence < NO_CONFIDENCE)
    edges = np.stack(sides(surface.faces), axis=1)
    region = label_parts(len(low), edges[low[edges].all(axis=1)])
    share = np.bincount(region, mass * core) / area
    return known | low & (share > SMALLEST)[region]
