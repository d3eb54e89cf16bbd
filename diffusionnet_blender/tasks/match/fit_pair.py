"""Refinement of a map by a network that is fitted to the pair, where torch is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from ...matching.by_features import map_by_features
from ...matching.confidence import confidence, cycle_distance
from ...matching.points import Maps, SurfacePoints
from ...matching.proxy import decimate
from ...matching.spectral import SpectralMesh
from ...network.checkpoint import Model
from ...surface.discretization import Discretization, discretize, truncated
from ...surface.surface import Surface
from ..models import DEFAULT_MATCH_MODEL, find_model

if TYPE_CHECKING:
    from ...network.pair_fit import Teacher

# The network is fitted on coarse meshes of so many vertices and evaluated on the proxies: its
# features do not depend on the meshing.
COARSE_VERTICES = 1200
# Rounds, each with the map by the features of the round before as its target.
ROUNDS = 4


def can_fit(engine: str) -> bool:
    """Whether networks can be fitted: torch is installed, and the engine is not NumPy."""
    return engine != "numpy" and importlib.util.find_spec("torch") is not None


def fitted_map(
    meshes: tuple[SpectralMesh, SpectralMesh],
    matrices: tuple[Discretization, Discretization],
    initial: Maps,
    start: Model | None,
    device: str,
    progress: Callable[[float], None] = lambda fraction: None,
) -> Maps:
    """The map by the features of a network, fitted to this one pair without supervision.

    Parameters
    ----------
    meshes : (SpectralMesh, SpectralMesh)
        Source and target.
    matrices : (Discretization, Discretization)
        Of the same meshes, with at least the eigenpairs of the network's settings.
    initial : (SurfacePoints, SurfacePoints)
        Target to source, source to target.
    start : Model, optional
        Of the initial weights; by default `body_match`, for all kinds of shapes.
    device : str
        Of torch.
    progress : callable
        Called with a fraction; may raise to stop.

    Returns
    -------
    target_to_source, source_to_target : SurfacePoints

    Raises
    ------
    ModelError
        If there is no model of initial weights.
    """
    from ...network.pair_fit import SETTINGS, PairFit
    from ...network.torch_engine import TorchEngine

    start = start or find_model(DEFAULT_MATCH_MODEL)
    settings = start.card.discretization

    small = [decimate(Surface(m.vertices, m.faces), COARSE_VERTICES) for m in meshes]
    fit = PairFit(
        start,
        (discretize(small[0], settings), discretize(small[1], settings)),
        (small[0].vertices, small[1].vertices),
        TorchEngine(device),
        SETTINGS,
    )
    nearest = [
        cKDTree(mesh.vertices).query(surface.vertices)[1]
        for mesh, surface in zip(meshes, small, strict=True)
    ]
    bases = [truncated(found, settings.k) for found in matrices]

    def by_fit() -> Maps:
        return map_by_features(*meshes, fit.features_of(bases[0]), fit.features_of(bases[1]))

    maps = initial
    for step in range(SETTINGS.steps):
        progress(step / SETTINGS.steps)
        if step % (SETTINGS.steps // ROUNDS) == 0:
            if step:
                maps = by_fit()
            fit.follow(_teachers(meshes, maps, nearest))
        fit.learn()
    return by_fit()


def _teachers(
    meshes: tuple[SpectralMesh, SpectralMesh], maps: Maps, nearest: list[np.ndarray]
) -> tuple[Teacher, Teacher]:
    """Maps from the vertices of the coarse source and of the coarse target to the other shape.

    `nearest` is the vertex of the fine mesh at each of the coarse one, (V_coarse,).
    """
    from ...network.pair_fit import Teacher

    def teacher(
        one: SpectralMesh, other: SpectralMesh, chosen: np.ndarray, *both: SurfacePoints
    ) -> Teacher:
        positions = both[0].interpolate(other.vertices, other.faces)
        weight = confidence(cycle_distance(other, one, *both))
        return Teacher(positions[chosen], weight[chosen])

    source, target = meshes
    target_to_source, source_to_target = maps
    return (
        teacher(source, target, nearest[0], source_to_target, target_to_source),
        teacher(target, source, nearest[1], target_to_source, source_to_target),
    )
