"""Initial maps of two shapes in both directions, their registration and their refinement.

All functions take the two sides, `pins` (vertices of source and target, each (P,), or None) and the
clock of the stages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...matching.by_features import map_by_features
from ...matching.candidates import map_score, maps_by_signs
from ...matching.confidence import confidence, cycle_distance
from ...matching.functional_map import functional_map, map_of_points
from ...matching.judgement import Judgement
from ...matching.limbs.digits import digit_coordinates
from ...matching.orientation import judge
from ...matching.pins import bend_to_pins, pin_functions
from ...matching.points import Maps, SurfacePoints, points_at_vertices
from ...matching.pointwise import embeddings, nearest_rows, precise_map
from ...matching.registration import SLIDING, Schedule, congruent_map, register
from ...matching.sampling import farthest_points
from ...matching.spectral import SpectralMesh
from ...matching.zoomout import zoomout
from ...network.checkpoint import Model
from ..clock import Clock
from .fit_pair import fitted_map
from .request import Fit
from .side import MAP_SIZE, Side

# Eigenpairs of an initial functional map.
FIRST_MAP_SIZE = 30
# Candidates are refined to this size before one is chosen.
CHOICE_SIZE = 60
# A map is accepted without alternatives from so much area of kept orientation on, and from so large
# a mean cosine of the paired features on.
ACCEPTED_ORIENTATION = 0.85
ACCEPTED_AGREEMENT = 0.85
# A map with a smaller share of cycle-consistent area is refined again from its registration, so
# many times.
CONSISTENT_AREA = 0.95
RESTARTS = 2
# An eigenfunction needs about this many vertices of a coarse mesh to depend on its shape and not on
# its triangles.
VERTICES_PER_PAIR = 10

Pins = tuple[np.ndarray, np.ndarray] | None


@dataclass(frozen=True)
class Fitting:
    """Fit of a network to the pair: whether it is wanted, its engine and its device."""

    wanted: bool
    engine: str
    device: str


def registered(
    source: Side,
    target: Side,
    initial: Maps,
    pins: Pins,
    schedule: Schedule,
    clock: Clock,
    posed: tuple[SpectralMesh, SpectralMesh] | None = None,
    settled: Callable[[np.ndarray], SurfacePoints] | None = None,
) -> SurfacePoints:
    """Target to source by registration of an initial map, through the pins.

    `posed` are the two in one pose, which the registration starts from; by default as they are.
    `settled` as `register` takes it.
    """
    points, source_to_target = initial
    report = clock.start("registration")
    if pins is not None:
        points = bend_to_pins(source.mesh, target.mesh, points, *pins)
    weight = confidence(cycle_distance(source.mesh, target.mesh, points, source_to_target))
    congruent = None if pins is not None else congruent_map(source.mesh, target.mesh, points)
    if congruent is None:
        meshes = posed or (source.mesh, target.mesh)
        points = register(*meshes, points, weight, pins, report, schedule, settled)
    clock.stop("registration")
    return points if congruent is None else congruent


def _consistent_area(source: Side, target: Side, maps: Maps) -> float:
    """Share of the target's area that the two maps, one after the other, take back to itself."""
    closed = confidence(cycle_distance(source.mesh, target.mesh, *maps)) > 0.5
    return float(target.mesh.mass @ closed)


def refined_again(source: Side, target: Side, maps: Maps, pins: Pins, clock: Clock) -> Maps:
    """A map of low cycle consistency after refinement from its registration, if that is better.

    Registration slides limbs to where they fit; a refinement from there converges to another map
    than the first.
    """
    for _ in range(RESTARTS):
        if _consistent_area(source, target, maps) >= CONSISTENT_AREA:
            break
        other = refined_from(source, target, maps, pins, clock)
        if _score(source, target, other) <= _score(source, target, maps):
            break
        maps = other
    return maps


def refined_from(source: Side, target: Side, maps: Maps, pins: Pins, clock: Clock) -> Maps:
    """Maps in both directions by the functional map of given ones, refined and registered."""
    report = clock.start("map")
    start = map_of_points(source.mesh, target.mesh, maps[0], FIRST_MAP_SIZE)
    initial = _refined(source, target, start, pins, _samples(source, target), report)
    clock.stop("map")
    return registered(source, target, initial, pins, SLIDING, clock), initial[1]


def fitted(
    source: Side,
    target: Side,
    maps: Maps,
    pins: Pins,
    model: Model | None,
    fitting: Fitting,
    clock: Clock,
) -> tuple[Maps, Fit]:
    """The better of given maps and the maps by a network fitted to the pair.

    Returns
    -------
    maps : (SurfacePoints, SurfacePoints)
    outcome : {"kept", "no better"}
        Whether they are those by the network.
    """
    report = clock.start("fit")
    meshes, matrices = (source.mesh, target.mesh), (source.matrices, target.matrices)
    by_network, _ = fitted_map(
        meshes, matrices, maps, model, fitting.device, lambda fraction: report(0.8 * fraction)
    )
    start = map_of_points(*meshes, by_network, FIRST_MAP_SIZE)
    refining = pins, _samples(source, target), lambda fraction: report(0.8 + 0.2 * fraction)
    initial = _refined(source, target, start, *refining)
    clock.stop("fit")
    other = registered(source, target, initial, pins, SLIDING, clock), initial[1]
    if _score(source, target, other) > _score(source, target, maps):
        return other, "kept"
    return maps, "no better"


def _score(source: Side, target: Side, maps: Maps) -> float:
    """Score of maps in both directions: that of the map, and its cycle-consistent area."""
    quality = judge(source.mesh, target.mesh, maps[0], source.features, target.features)
    spectral = map_of_points(source.mesh, target.mesh, maps[0], CHOICE_SIZE)
    return map_score(spectral, quality) + _consistent_area(source, target, maps)


def by_features(
    source: Side,
    target: Side,
    model: Model | None,
    clock: Clock,
    agreement: float = ACCEPTED_AGREEMENT,
) -> Maps | None:
    """Maps in both directions by the nearest features of a model; None below the limits.

    One accepted direction is enough: a part of a body maps to the whole body without gaps, and not
    the other way round.
    """
    if model is None:
        return None
    report = clock.start("map")
    meshes = source.mesh, target.mesh
    features = source.features, target.features
    # Other maps may follow in the same stage: a fraction of it would fall back.
    digits = None
    if source.person is not None and target.person is not None:
        digits = digit_coordinates(source.person, target.person, *features)
    maps = map_by_features(*meshes, *features, lambda fraction: report(0.0), digits)
    qualities = (
        judge(*meshes, maps[0], *features),
        judge(*meshes[::-1], maps[1], *features[::-1]),
    )
    clock.stop("map")
    return maps if any(_is_accepted(one, model, agreement) for one in qualities) else None


def by_functional_maps(
    source: Side, target: Side, model: Model | None, pins: Pins, clock: Clock
) -> Maps:
    """Maps in both directions by the best of several functional maps, refined."""
    report = clock.start("candidates")
    samples = _samples(source, target)
    refining = min(CHOICE_SIZE, _map_size(source, target)), pins, samples
    chosen, quality = _choose(source, target, _initial_maps(source, target, model), *refining)
    if len(source.pins) < 3 and not _is_accepted(quality, model):
        others = _maps_by_distance(source, target, report)
        chosen, _ = _choose(source, target, [chosen, *others], *refining)
    clock.stop("candidates")
    report = clock.start("map")
    maps = _refined(source, target, chosen, pins, samples, report)
    clock.stop("map")
    return maps


def _samples(source: Side, target: Side) -> tuple[np.ndarray, np.ndarray]:
    """Vertices of both sides that are matched in each round of a refinement."""
    return farthest_points(source.mesh.vertices, 1500), farthest_points(target.mesh.vertices, 1500)


def _map_size(source: Side, target: Side) -> int:
    """Size of a refined map."""
    fewest = min(len(side.mesh.vertices) for side in (source, target))
    return max(min(MAP_SIZE, fewest // VERTICES_PER_PAIR), FIRST_MAP_SIZE)


def _refined(
    source: Side,
    target: Side,
    start: np.ndarray,
    pins: Pins,
    samples: tuple[np.ndarray, np.ndarray],
    report: Callable[[float], None],
) -> Maps:
    """Maps in both directions of a functional map (k, k), refined to its full size."""
    refined = zoomout(
        source.mesh,
        target.mesh,
        start,
        _map_size(source, target),
        pins=pins,
        samples=samples,
        progress=lambda fraction: report(0.8 * fraction),
    )
    on_source, on_target = embeddings(source.mesh.eigenvectors, target.mesh.eigenvectors, refined)
    target_to_source = precise_map(on_source, source.mesh.faces, on_target)
    return target_to_source, precise_map(on_target, target.mesh.faces, on_source)


def _choose(
    source: Side,
    target: Side,
    candidates: list[np.ndarray],
    size: int,
    pins: Pins,
    samples: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, Judgement]:
    """The candidate (k, k) of the highest score, refined to (size, size), and its quality."""
    scored = []
    for start in candidates:
        refined = zoomout(
            source.mesh,
            target.mesh,
            start,
            size,
            pins=pins,
            samples=samples,
            between_vertices=False,
        )
        embedded = embeddings(source.mesh.eigenvectors, target.mesh.eigenvectors, refined)
        points = points_at_vertices(nearest_rows(*embedded), source.mesh.faces)
        quality = judge(source.mesh, target.mesh, points, source.features, target.features)
        scored.append((map_score(refined, quality), refined, quality))
    _, refined, quality = max(scored, key=lambda entry: entry[0])
    return refined, quality


def _is_accepted(
    quality: Judgement, model: Model | None, agreement: float = ACCEPTED_AGREEMENT
) -> bool:
    """Whether a map by a model's features is within the limits for one without alternatives."""
    return (
        model is not None
        and quality.orientation_kept > ACCEPTED_ORIENTATION
        and quality.feature_agreement > agreement
    )


def _initial_maps(source: Side, target: Side, model: Model | None) -> list[np.ndarray]:
    """Initial functional maps (k, k): by pins, by nearest learned features, or by descriptors."""
    features = source.features, target.features
    size = FIRST_MAP_SIZE
    if len(source.pins) >= 3:
        # Pins alone decide on front and left.
        pinned = (
            pin_functions(source.mesh, source.pins),
            pin_functions(target.mesh, target.pins),
        )
        return [functional_map(source.mesh, target.mesh, *pinned, size)]
    if model is None:
        return [functional_map(source.mesh, target.mesh, *features, size)]
    partners = points_at_vertices(nearest_rows(*features), source.mesh.faces)
    return [map_of_points(source.mesh, target.mesh, partners, size)]


def _maps_by_distance(
    source: Side, target: Side, report: Callable[[float], None]
) -> list[np.ndarray]:
    """Functional maps (k, k) of all near isometries, symmetries included."""
    features = source.features, target.features
    return [
        *maps_by_signs(source.mesh, target.mesh, *features, report),
        functional_map(source.mesh, target.mesh, *features, FIRST_MAP_SIZE),
    ]
