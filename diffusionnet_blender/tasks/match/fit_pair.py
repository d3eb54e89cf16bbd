"""A map improved by a network that is fitted to the pair, where torch is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

from scipy.spatial import cKDTree

from ...matching.by_features import map_by_features
from ...matching.confidence import confidence, cycle_distance
from ...matching.points import Maps
from ...matching.proxy import decimate
from ...matching.spectral import SpectralMesh
from ...network.checkpoint import Model
from ...surface.discretization import Discretization, discretize, truncated
from ...surface.surface import Surface
from ..engines import choose_engine
from ..models import DEFAULT_MATCH_MODEL, find_model

# The network learns on so many vertices and speaks on all of the proxy: meshing is nothing to it.
COARSE_VERTICES = 1200
# How often the teacher is replaced by what its pupil has made of it.
ROUNDS = 4


def can_fit(engine: str) -> bool:
    """Whether networks can be fitted: torch is there, and was not ruled out."""
    return engine != "numpy" and importlib.util.find_spec("torch") is not None


def fitted_map(
    meshes: tuple[SpectralMesh, SpectralMesh],
    matrices: tuple[Discretization, Discretization],
    teacher: Maps,
    start: Model | None,
    device: str,
    progress: Callable[[float], None] = lambda fraction: None,
) -> Maps:
    """The map that a network gives that was fitted to this one pair without supervision.

    Parameters
    ----------
    meshes : (SpectralMesh, SpectralMesh)
        Source and target.
    matrices : (Discretization, Discretization)
        Of the same, with as many eigenpairs as the network wants, or more.
    teacher : (SurfacePoints, SurfacePoints)
        A rough map: target to source, source to target.
    start : Model, optional
        Whose weights to start from; by default those of `body_match`, whatever the shapes are.
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
        If there are no weights to start from.
    """
    from ...network.pair_fit import SETTINGS, PairFit

    start = start or find_model(DEFAULT_MATCH_MODEL)
    settings, engine = start.card.discretization, choose_engine("torch", device)

    small = [decimate(Surface(m.vertices, m.faces), COARSE_VERTICES) for m in meshes]
    fit = PairFit(
        start,
        tuple(discretize(surface, settings) for surface in small),
        tuple(surface.vertices for surface in small),
        engine,
        SETTINGS,
    )
    nearest = [
        cKDTree(mesh.vertices).query(surface.vertices)[1]
        for mesh, surface in zip(meshes, small, strict=True)
    ]
    matrices = [truncated(found, settings.k) for found in matrices]
    points = teacher
    for step in range(SETTINGS.steps):
        progress(step / SETTINGS.steps)
        if step % (SETTINGS.steps // ROUNDS) == 0:
            if step:
                points = map_by_features(*meshes, *map(fit.features_of, matrices))
            fit.follow(_teachers(meshes, points, nearest))
        fit.learn()
    return map_by_features(*meshes, *map(fit.features_of, matrices))


def _teachers(meshes, points: Maps, nearest):
    """Where the vertices of the coarse meshes belong on the other shape, (source's, target's)."""
    from ...network.pair_fit import Teacher

    source, target = meshes
    there, back = points
    trust = (
        confidence(cycle_distance(target, source, back, there)),
        confidence(cycle_distance(source, target, there, back)),
    )
    places = (
        back.interpolate(target.vertices, target.faces),
        there.interpolate(source.vertices, source.faces),
    )
    return tuple(
        Teacher(place[chosen], sure[chosen])
        for place, sure, chosen in zip(places, trust, nearest, strict=True)
    )
