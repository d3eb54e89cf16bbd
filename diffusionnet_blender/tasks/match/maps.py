"""Ways from the features of two shapes to a map of both directions, and from one to a better.

All of them take the two sides, `pins` (vertices of source and target, each (P,), or None) and the
clock that tells of their stages.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...matching.by_features import map_by_features
from ...matching.candidates import maps_by_signs, merit
from ...matching.confidence import confidence, cycle_distance
from ...matching.functional_map import functional_map, map_of_points
from ...matching.judgement import Judgement
from ...matching.orientation import judge
from ...matching.pins import bend_to_pins, pin_functions
from ...matching.points import Maps, SurfacePoints, points_at_vertices
from ...matching.pointwise import embeddings, nearest_rows, precise_map
from ...matching.registration import SLIDING, Course, congruent_map, register
from ...matching.sampling import farthest_points
from ...matching.zoomout import zoomout
from ...network.checkpoint import Model
from ..clock import Clock
from .fit_pair import fitted_map
from .side import MAP_SIZE, Side

# Eigenpairs of a first map.
FIRST_MAP_SIZE = 30
# Candidates are refined to this size before one is chosen.
CHOICE_SIZE = 60
# A map is beyond doubt, and others are not looked at, where it keeps so much of the orientation
# and the features of the places that it pairs are so much alike (mean cosine).
CLEARLY_KEPT = 0.85
CLEARLY_ALIKE = 0.85
# A map of which less than this is sure is refined anew from where it ended, so many times.
CLEARLY_SURE = 0.95
FRESH_STARTS = 2
# An eigenfunction needs about this many vertices of a coarse mesh to be one of its shape and not
# of its triangles.
VERTICES_PER_PAIR = 10


Pins = tuple[np.ndarray, np.ndarray] | None


@dataclass(frozen=True)
class Fitting:
    """Whether to fit a network, and with which engine and device."""

    wanted: bool
    engine: str
    device: str


def laid_down(
    source: Side, target: Side, rough: Maps, pins: Pins, course: Course, clock: Clock
) -> SurfacePoints:
    """Target to source, of a rough map of both directions: through the pins, and registered."""
    points, back = rough
    tell = clock.start("registration")
    if pins is not None:
        points = bend_to_pins(source.mesh, target.mesh, points, *pins)
    sure = confidence(cycle_distance(source.mesh, target.mesh, points, back))
    same = None if pins is not None else congruent_map(source.mesh, target.mesh, points)
    if same is None:
        points = register(source.mesh, target.mesh, points, sure, pins, tell, course)
    clock.stop("registration")
    return points if same is None else same


def _share_sure(source: Side, target: Side, maps: Maps) -> float:
    """Share of the target's area that comes back to where it was."""
    sure = confidence(cycle_distance(source.mesh, target.mesh, *maps))
    return float(target.mesh.mass @ (sure > 0.5))


def refined_anew(source: Side, target: Side, maps: Maps, pins: Pins, clock: Clock) -> Maps:
    """A map in doubt after it was refined from where registration left it, if that is better.

    Registration slides limbs to where they fit; a refinement that starts there ends elsewhere than
    the first.
    """
    for _ in range(FRESH_STARTS):
        if _share_sure(source, target, maps) >= CLEARLY_SURE:
            break
        tell = clock.start("map")
        start = map_of_points(source.mesh, target.mesh, maps[0], FIRST_MAP_SIZE)
        rough = _refined(source, target, start, pins, _samples(source, target), tell)
        clock.stop("map")
        other = laid_down(source, target, rough, pins, SLIDING, clock), rough[1]
        if _worth(source, target, other) <= _worth(source, target, maps):
            break
        maps = other
    return maps


def fitted(
    source: Side,
    target: Side,
    maps: Maps,
    pins: Pins,
    model: Model | None,
    fitting: Fitting,
    clock: Clock,
) -> tuple[Maps, str]:
    """The better of a map and of what a network makes of it, and which it is.

    Returns
    -------
    maps : (SurfacePoints, SurfacePoints)
    which : {"kept", "no better"}
        Whether it is that of the network.
    """
    tell = clock.start("fit")
    meshes, matrices = (source.mesh, target.mesh), (source.matrices, target.matrices)
    learned, _ = fitted_map(
        meshes, matrices, maps, model, fitting.device, lambda fraction: tell(0.8 * fraction)
    )
    start = map_of_points(*meshes, learned, FIRST_MAP_SIZE)
    refining = pins, _samples(source, target), lambda fraction: tell(0.8 + 0.2 * fraction)
    rough, back = _refined(source, target, start, *refining)
    clock.stop("fit")
    points = laid_down(source, target, (rough, back), pins, SLIDING, clock)
    if _worth(source, target, (points, back)) > _worth(source, target, maps):
        return (points, back), "kept"
    return maps, "no better"


def _worth(source: Side, target: Side, maps: Maps) -> float:
    """How well a map keeps what it should, and how much of it comes back to where it was."""
    judged = judge(source.mesh, target.mesh, maps[0], source.features, target.features)
    refined = map_of_points(source.mesh, target.mesh, maps[0], CHOICE_SIZE)
    return merit(refined, judged) + _share_sure(source, target, maps)


def by_features(source: Side, target: Side, model: Model | None, clock: Clock) -> Maps | None:
    """Points of both directions by the features of a model; None where these leave doubts.

    One direction without doubts is enough: of a whole body and a part of one, all of the part has
    partners on the whole.
    """
    if model is None:
        return None
    clock.start("map")
    there = source.mesh, target.mesh
    known = source.features, target.features
    found = map_by_features(*there, *known)
    judged = (
        judge(*there, found[0], *known),
        judge(*there[::-1], found[1], *known[::-1]),
    )
    clock.stop("map")
    return found if any(_is_beyond_doubt(one, model) for one in judged) else None


def by_functional_maps(
    source: Side, target: Side, model: Model | None, pins: Pins, clock: Clock
) -> Maps:
    """Points of both directions by the best of several functional maps, refined."""
    tell = clock.start("candidates")
    samples = _samples(source, target)
    refining = min(CHOICE_SIZE, _map_size(source, target)), pins, samples
    chosen, judged = _choose(source, target, _known_maps(source, target, model), *refining)
    if len(source.pins) < 3 and not _is_beyond_doubt(judged, model):
        others = _maps_by_distance(source, target, tell)
        chosen, _ = _choose(source, target, [chosen, *others], *refining)
    clock.stop("candidates")
    tell = clock.start("map")
    found = _refined(source, target, chosen, pins, samples, tell)
    clock.stop("map")
    return found


def _samples(source: Side, target: Side) -> tuple[np.ndarray, np.ndarray]:
    """Vertices that are matched on the way to a refined map."""
    return tuple(farthest_points(side.mesh.vertices, 1500) for side in (source, target))


def _map_size(source: Side, target: Side) -> int:
    """Size of a refined map."""
    fewest = min(len(side.mesh.vertices) for side in (source, target))
    return max(min(MAP_SIZE, fewest // VERTICES_PER_PAIR), FIRST_MAP_SIZE)


def _refined(source: Side, target: Side, start: np.ndarray, pins, samples, tell) -> Maps:
    """Points of both directions of a functional map, refined to its full size."""
    refined = zoomout(
        source.mesh,
        target.mesh,
        start,
        _map_size(source, target),
        pins=pins,
        samples=samples,
        progress=lambda fraction: tell(0.8 * fraction),
    )
    there, here = embeddings(source.mesh.eigenvectors, target.mesh.eigenvectors, refined)
    points = precise_map(there, source.mesh.faces, here)
    return points, precise_map(here, target.mesh.faces, there)


def _choose(source, target, candidates, size, pins, samples) -> tuple[np.ndarray, Judgement]:
    """Of several first maps the best, refined to a size at which they can be told apart."""
    found = []
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
        there, here = embeddings(source.mesh.eigenvectors, target.mesh.eigenvectors, refined)
        points = points_at_vertices(nearest_rows(there, here), source.mesh.faces)
        judged = judge(source.mesh, target.mesh, points, source.features, target.features)
        found.append((merit(refined, judged), refined, judged))
    _, refined, judged = max(found, key=lambda entry: entry[0])
    return refined, judged


def _is_beyond_doubt(judged: Judgement, model) -> bool:
    """Whether the features of a model know these shapes, and the map keeps to them."""
    return (
        model is not None
        and judged.orientation_kept > CLEARLY_KEPT
        and judged.feature_agreement > CLEARLY_ALIKE
    )


def _known_maps(source: Side, target: Side, model) -> list[np.ndarray]:
    """Functional maps to start from, of what is known about places."""
    known = source.features, target.features
    size = FIRST_MAP_SIZE
    if len(source.pins) >= 3:
        # Pins alone say where front and left are; descriptors fill in between.
        pinned = (
            pin_functions(source.mesh, source.pins),
            pin_functions(target.mesh, target.pins),
        )
        return [functional_map(source.mesh, target.mesh, *pinned, size)]
    if model is None:
        return [functional_map(source.mesh, target.mesh, *known, size)]
    partners = points_at_vertices(nearest_rows(*known), source.mesh.faces)
    return [map_of_points(source.mesh, target.mesh, partners, size)]


def _maps_by_distance(source: Side, target: Side, tell) -> list[np.ndarray]:
    """Functional maps that symmetry allows; features that know the sides judge them."""
    known = source.features, target.features
    return [
        *maps_by_signs(source.mesh, target.mesh, *known, tell),
        functional_map(source.mesh, target.mesh, *known, FIRST_MAP_SIZE),
    ]
