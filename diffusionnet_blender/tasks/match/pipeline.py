"""Correspondence in stages: proxies, features, initial map, registration, confidence, lift."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ...errors import DiffusionNetError
from ...matching.lift import lift_map
from ...matching.orientation import judge
from ...matching.parts import place_parts
from ...matching.pins import check_pins, pairs_of_pins
from ...matching.points import SurfacePoints, points_at_vertices
from ...matching.pointwise import nearest_rows
from ...matching.unmatched import unmatched
from ...network.checkpoint import Model
from ...surface.repair import RepairedSurface, repair
from ...surface.surface import Surface
from ..clock import Clock
from ..engines import choose_engine
from ..memory import memory_errors_explained
from ..models import loaded
from ..progress import Progress
from .body import BodyParts, both_bodies, require_parts, with_parts_of
from .facing import facing_alike
from .figure import Figure, figure_of, lifted, with_pieces
from .fit_pair import can_fit
from .in_place import found_in_place, on_input
from .joints import joint_pairs, joints_of_skin
from .main_part import MainPart, main_part
from .maps import Fitting, fitted
from .request import Correspondence, Fit, MatchRequest
from .same_shape import refined_where_alike
from .sharper import sharper
from .side import Side, prepare_side
from .ways import confidence_of, first_maps

# A surface, the same repaired, and its pins; of source and target.
Input = tuple[Surface, RepairedSurface, np.ndarray]
Sides = tuple[Input, Input]


def correspondence(request: MatchRequest, progress: Progress) -> Correspondence:
    """Map the vertices of a target to a source, see `job.run`."""
    source, target = request.source, request.target
    for name, surface in (("source", source), ("target", target)):
        if surface.is_point_cloud:
            raise DiffusionNetError(
                f"The {name} has no faces", "Choose a mesh; a point cloud cannot be matched."
            )
    source_pins, target_pins = pairs_of_pins(request.pins)
    check_pins(source_pins, target_pins, (len(source.vertices), len(target.vertices)))
    require_parts(request)
    if np.shape(request.offset) != (3,) or not np.isfinite(request.offset).all():
        raise DiffusionNetError(
            "The offset is no place", "Give three numbers: origin of the target less the source's."
        )
    model = engine = None
    if request.model is not None:
        model = loaded(request.model, request.model_folders, "match")
        engine = choose_engine(request.engine, request.device)
        request = with_parts_of(request, model)
    clock = Clock(progress)
    with memory_errors_explained(len(source.vertices), len(target.vertices)):
        clock.start("repair")
        repaired = repair(source), repair(target)
        figures = (
            figure_of(repaired[0], request.source_members),
            figure_of(repaired[1], request.target_members),
        )
        clock.stop("repair")
        in_place = found_in_place(request, repaired, figures, clock)
        if in_place is not None:
            return in_place

        whole = request.source_members is None and request.target_members is None
        as_they_are = whole and not any(figure.is_layered for figure in figures)
        mains: tuple[MainPart | None, MainPart | None] = (None, None)
        if as_they_are:
            clock.start("proxy")
            mains = main_part(repaired[0].surface), main_part(repaired[1].surface)
            clock.stop("proxy")
        parts: tuple[BodyParts | None, BodyParts | None] = (None, None)
        if model is not None:
            parts = both_bodies(request, repaired, mains, model.card.discretization, clock)

        def matched(sides: Sides) -> Correspondence:
            one, other = sides
            return _matched(
                prepare_side(*one, mains[0], parts[0], model, engine, clock, "source"),
                prepare_side(*other, mains[1], parts[1], model, engine, clock, "target"),
                model,
                Fitting(request.fit, request.engine, request.device),
                as_they_are,
                clock,
            )

        pins = source_pins, target_pins
        if as_they_are:
            return matched(((source, repaired[0], pins[0]), (target, repaired[1], pins[1])))
        return _by_skins(request, repaired, figures, parts, pins, matched, clock)


def _by_skins(
    request: MatchRequest,
    repaired: tuple[RepairedSurface, RepairedSurface],
    figures: tuple[Figure, Figure],
    bodies: tuple[BodyParts | None, BodyParts | None],
    pins: tuple[np.ndarray, np.ndarray],
    matched: Callable[[Sides], Correspondence],
    clock: Clock,
) -> Correspondence:
    """The map between layered figures: that of their skins, on every layer."""
    clock.start("proxy")
    skins = [figure.skin for figure in figures]
    clock.stop("proxy")
    pinned = [each.clean_vertex[own] for each, own in zip(repaired, pins, strict=True)]
    on_skins = [
        nearest_rows(skin.vertices, figure.whole.vertices[own])
        for skin, figure, own in zip(skins, figures, pinned, strict=True)
    ]
    # Two pins may fall on one vertex of a skin.
    first = np.unique(on_skins[1], return_index=True)[1]
    one, other = ((s, repair(s), own[first]) for s, own in zip(skins, on_skins, strict=True))
    found = matched((one, other))
    report = clock.start("lift")
    points, weight = lifted(found.target_to_source, found.confidence, *figures)
    points, weight, alone = with_pieces(points, weight, *figures)
    source, target = repaired
    # Ears, lips and fingers are rounder on a skin than on what it covers.
    surfaces = source.surface, target.surface
    points = sharper(bodies, surfaces, points, pinned[1], lambda: report(0.5), by_skins=True)
    joints = [
        joints_of_skin(
            {name: pair[number] for name, pair in found.joints.items()},
            skins[number],
            each.surface,
            original,
            each.clean_vertex,
        )
        for number, (each, original) in enumerate(
            zip(repaired, (request.source, request.target), strict=True)
        )
    ]
    _pin(points, weight, source.surface, *pinned)
    alone = unmatched(target.surface, weight, alone)[target.clean_vertex]
    points, weight = points[target.clean_vertex], weight[target.clean_vertex]
    points = on_input(points, source.surface, request.source, source.clean_vertex)
    clock.stop("lift")
    return replace(
        found,
        target_to_source=points,
        confidence=weight,
        unmatched=alone,
        repairs=(source.report, target.report),
        seconds=clock.seconds,
        joints={name: (joints[0][name], joints[1][name]) for name in found.joints},
    )


def _pin(
    points: SurfacePoints,
    weight: np.ndarray,
    source: Surface,
    on_source: np.ndarray,
    on_target: np.ndarray,
) -> None:
    """Put pinned vertices of the target exactly where they belong, in place."""
    if len(on_target):
        exact = points_at_vertices(on_source, source.faces)
        points.face[on_target] = exact.face
        points.barycentric[on_target] = exact.barycentric
        weight[on_target] = 1.0


def _matched(
    source: Side,
    target: Side,
    model: Model | None,
    fitting: Fitting,
    as_they_are: bool,
    clock: Clock,
) -> Correspondence:
    """The map between two sides, which are the meshes as they are or skins of figures."""
    pins = (source.pins, target.pins) if len(source.pins) else None
    # The model whose features the sides have.
    learned = model
    maps, way, both = first_maps(source, target, model, pins, clock)
    if model is not None and model.card.four_legs and pins is None:
        engine = choose_engine(fitting.engine, fitting.device)
        target, maps = facing_alike(source, target, (maps, way), model, engine, clock)
        if way == "features":
            refined = refined_where_alike(source, target, maps, clock)
            (source, target), maps, way = refined.sides, refined.maps, refined.way
            if way != "features":
                learned = None
    fit: Fit = ""
    if fitting.wanted:
        fit = "no torch"
        if can_fit(fitting.engine):
            maps, fit = fitted(source, target, maps, pins, learned, fitting, clock)
    points, source_to_target = maps
    judgement = judge(source.mesh, target.mesh, points, source.features, target.features)

    clock.start("confidence")
    weight = confidence_of(source, target, both, maps, learned)
    weight[target.pins] = 1.0
    clock.stop("confidence")

    report = clock.start("lift")
    mains = source.parts.main, target.parts.main
    whole, weight = lift_map(points, weight, source.proxy, target.proxy, *mains)
    whole, weight = place_parts(whole, weight, source.parts, target.parts)
    if as_they_are:
        bodies, surfaces = (source.of_body, target.of_body), (source.surface, target.surface)
        whole = sharper(bodies, surfaces, whole, target.pinned, lambda: report(0.5), by_skins=False)
    _pin(whole, weight, source.surface, source.pinned, target.pinned)
    alone = unmatched(target.surface, weight)[target.clean_vertex]
    whole, weight = whole[target.clean_vertex], weight[target.clean_vertex]
    whole = on_input(whole, source.surface, source.original, source.clean_vertex)
    clock.stop("lift")
    return Correspondence(
        target_to_source=whole,
        confidence=weight,
        unmatched=alone,
        judgement=judgement,
        model_name="" if model is None else model.card.name,
        way=way,
        fit=fit,
        repairs=(source.report, target.report),
        seconds=clock.seconds,
        joints={} if both is None else joint_pairs(source, target),
    )
