"""Correspondence, stage by stage: proxies and features, a map, registration, confidence."""

from __future__ import annotations

import numpy as np

from ...errors import DiffusionNetError
from ...matching.closest import ClosestPoints
from ...matching.confidence import confidence, cycle_distance, feature_margin
from ...matching.lift import lift_map
from ...matching.orientation import judge
from ...matching.parts import place_parts
from ...matching.pins import check_pins
from ...matching.points import SurfacePoints, points_at_vertices
from ...matching.registration import SETTLING, SLIDING
from ...matching.sampling import farthest_points
from ..clock import Clock
from ..engines import choose_engine
from ..memory import memory_shortage_told
from ..models import loaded
from ..progress import Progress
from .fit_pair import can_fit
from .maps import Fitting, by_features, by_functional_maps, fitted, refined_again, registered
from .request import Correspondence, MatchRequest
from .side import Side, prepare_side

# Places of the source among which the features of a vertex must tell its own.
PLACES = 600


def correspondence(request: MatchRequest, progress: Progress) -> Correspondence:
    """Find the vertices of the target on the source, see `job.run`."""
    source, target = request.source, request.target
    pins = np.asarray(request.pins, dtype=np.int64).reshape(-1, 2).T
    for name, surface in (("source", source), ("target", target)):
        if surface.is_point_cloud:
            raise DiffusionNetError(
                f"The {name} has no faces", "Choose a mesh; a point cloud cannot be matched."
            )
    check_pins(*pins, (len(source.vertices), len(target.vertices)))
    model = runner = None
    if request.model is not None:
        model = loaded(request.model, request.model_folders, "match")
        runner = choose_engine(request.engine, request.device)
    clock = Clock(progress)
    with memory_shortage_told(len(source.vertices), len(target.vertices)):
        sides = [
            prepare_side(surface, own, model, runner, clock, name)
            for name, surface, own in zip(("source", "target"), (source, target), pins, strict=True)
        ]
        return _match(*sides, model, Fitting(request.fit, request.engine, request.device), clock)


def _match(source: Side, target: Side, model, fitting: Fitting, clock) -> Correspondence:
    pins = (source.pins, target.pins) if len(source.pins) else None
    direct = by_features(source, target, model, clock)
    rough, back = direct or by_functional_maps(source, target, model, pins, clock)
    course = SETTLING if direct else SLIDING
    points = registered(source, target, (rough, back), pins, course, clock)
    maps, fit = (points, back), ""
    if direct is None:
        maps = refined_again(source, target, maps, pins, clock)
    if fitting.wanted:
        fit = "no torch"
        if can_fit(fitting.engine):
            maps, fit = fitted(source, target, maps, pins, model, fitting, clock)
    points, back = maps
    judged = judge(source.mesh, target.mesh, points, source.features, target.features)

    clock.start("confidence")
    margin = None
    if model is not None:
        places = farthest_points(source.mesh.vertices, PLACES)
        margin = feature_margin(source.mesh, points, source.features, target.features, places)
    sure = confidence(cycle_distance(source.mesh, target.mesh, points, back), margin)
    sure[target.pins] = 1.0
    clock.stop("confidence")

    clock.start("lift")
    mains = source.parts.main, target.parts.main
    lifted = lift_map(points, source.proxy, target.proxy, *mains)
    if target.proxy is not mains[1]:
        on_proxy, _ = ClosestPoints(target.proxy.vertices, target.proxy.faces)(mains[1].vertices)
        sure = on_proxy.interpolate(sure, target.proxy.faces)
    lifted, sure = place_parts(lifted, sure, source.parts, target.parts)
    if len(target.pinned):
        exact = points_at_vertices(source.pinned, source.surface.faces)
        lifted.face[target.pinned] = exact.face
        lifted.barycentric[target.pinned] = exact.barycentric
        sure[target.pinned] = 1.0
    lifted, sure = lifted[target.clean_vertex], sure[target.clean_vertex]
    lifted = _on_given(lifted, source)
    clock.stop("lift")
    return Correspondence(
        target_to_source=lifted,
        confidence=sure,
        judgement=judged,
        model_name="" if model is None else model.card.name,
        fit=fit,
        repairs=(source.report, target.report),
        seconds=clock.seconds,
    )


def _on_given(points: SurfacePoints, side: Side) -> SurfacePoints:
    """Points on a mended surface as points on the triangles that were handed in."""
    faces, given = side.surface.faces, side.clean_vertex[side.given.faces]
    if np.array_equal(faces, given):
        return points
    if len(faces) == len(given) and np.array_equal(np.sort(faces), np.sort(given)):
        # The same triangles, turned over perhaps.
        shares = np.empty_like(points.barycentric)
        rank, wanted = (np.argsort(corners[points.face]) for corners in (faces, given))
        row = np.arange(len(points))[:, None]
        shares[row, wanted] = points.barycentric[row, rank]
        return SurfacePoints(points.face, shares)
    position = points.interpolate(side.surface.vertices, side.surface.faces)
    return ClosestPoints(side.given.vertices, side.given.faces)(position)[0]
