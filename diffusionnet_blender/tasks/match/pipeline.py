"""Correspondence in stages: proxies, features, initial map, registration, confidence, lift."""

from __future__ import annotations

import numpy as np

from ...errors import DiffusionNetError
from ...matching.closest import ClosestPoints
from ...matching.confidence import confidence, cycle_distance, feature_margin
from ...matching.lift import lift_map
from ...matching.orientation import judge
from ...matching.parts import place_parts
from ...matching.pins import check_pins
from ...matching.points import points_at_vertices
from ...matching.registration import SETTLING, SLIDING
from ...matching.sampling import farthest_points
from ...network.checkpoint import Model
from ...surface.repair import repair
from ..clock import Clock
from ..engines import choose_engine
from ..memory import memory_errors_explained
from ..models import loaded
from ..progress import Progress
from .fit_pair import can_fit
from .in_place import found_in_place, on_input
from .maps import Fitting, by_features, by_functional_maps, fitted, refined_again, registered
from .request import Correspondence, Fit, MatchRequest
from .side import Side, prepare_side

# Samples of the source among which the features of a vertex must be closest to those of its image.
SAMPLES = 600


def correspondence(request: MatchRequest, progress: Progress) -> Correspondence:
    """Map the vertices of a target to a source, see `job.run`."""
    source, target = request.source, request.target
    source_pins, target_pins = np.asarray(request.pins, dtype=np.int64).reshape(-1, 2).T
    for name, surface in (("source", source), ("target", target)):
        if surface.is_point_cloud:
            raise DiffusionNetError(
                f"The {name} has no faces", "Choose a mesh; a point cloud cannot be matched."
            )
    check_pins(source_pins, target_pins, (len(source.vertices), len(target.vertices)))
    model = engine = None
    if request.model is not None:
        model = loaded(request.model, request.model_folders, "match")
        engine = choose_engine(request.engine, request.device)
    clock = Clock(progress)
    with memory_errors_explained(len(source.vertices), len(target.vertices)):
        clock.start("repair")
        repaired = repair(source), repair(target)
        clock.stop("repair")
        in_place = found_in_place(request, repaired, clock)
        if in_place is not None:
            return in_place
        return _matched(
            prepare_side(source, repaired[0], source_pins, model, engine, clock, "source"),
            prepare_side(target, repaired[1], target_pins, model, engine, clock, "target"),
            model,
            Fitting(request.fit, request.engine, request.device),
            clock,
        )


def _matched(
    source: Side, target: Side, model: Model | None, fitting: Fitting, clock: Clock
) -> Correspondence:
    pins = (source.pins, target.pins) if len(source.pins) else None
    by_nearest = by_features(source, target, model, clock)
    initial = by_nearest or by_functional_maps(source, target, model, pins, clock)
    schedule = SETTLING if by_nearest else SLIDING
    maps = registered(source, target, initial, pins, schedule, clock), initial[1]
    if by_nearest is None:
        maps = refined_again(source, target, maps, pins, clock)
    fit: Fit = ""
    if fitting.wanted:
        fit = "no torch"
        if can_fit(fitting.engine):
            maps, fit = fitted(source, target, maps, pins, model, fitting, clock)
    points, source_to_target = maps
    judgement = judge(source.mesh, target.mesh, points, source.features, target.features)

    clock.start("confidence")
    margin = None
    if model is not None:
        samples = farthest_points(source.mesh.vertices, SAMPLES)
        margin = feature_margin(source.mesh, points, source.features, target.features, samples)
    cycle = cycle_distance(source.mesh, target.mesh, points, source_to_target)
    weight = confidence(cycle, margin)
    weight[target.pins] = 1.0
    clock.stop("confidence")

    clock.start("lift")
    mains = source.parts.main, target.parts.main
    lifted = lift_map(points, source.proxy, target.proxy, *mains)
    if target.proxy is not mains[1]:
        on_proxy, _ = ClosestPoints(target.proxy.vertices, target.proxy.faces)(mains[1].vertices)
        weight = on_proxy.interpolate(weight, target.proxy.faces)
    lifted, weight = place_parts(lifted, weight, source.parts, target.parts)
    if len(target.pinned):
        exact = points_at_vertices(source.pinned, source.surface.faces)
        lifted.face[target.pinned] = exact.face
        lifted.barycentric[target.pinned] = exact.barycentric
        weight[target.pinned] = 1.0
    lifted, weight = lifted[target.clean_vertex], weight[target.clean_vertex]
    lifted = on_input(lifted, source.surface, source.original, source.clean_vertex)
    clock.stop("lift")
    return Correspondence(
        target_to_source=lifted,
        confidence=weight,
        judgement=judgement,
        model_name="" if model is None else model.card.name,
        fit=fit,
        repairs=(source.report, target.report),
        seconds=clock.seconds,
    )
