"""Segmentation in stages: matrices, network, consistent sides, regularised labels, polygons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from ...errors import DiffusionNetError, SurfaceError
from ...network.card import ModelCard
from ...network.checkpoint import Model
from ...network.engine import Engine
from ...network.features import FRAME, input_features
from ...surface.cache import OperatorCache, cache_key
from ...surface.discretization import Discretization, normalise
from ...surface.loose_parts import sizeable_parts
from ...surface.prepare import PreparedSurface, prepare_skin
from ...surface.repair_report import RepairReport
from ...surface.surface import Surface, vertex_areas
from ..doubts import doubts_of
from ..engines import choose_engine
from ..inference import class_probabilities, prepare_cached
from ..known import require_known
from ..labels import Polygons, polygon_classes
from ..memory import memory_errors_explained
from ..models import FROM_RIG, card_of, loaded
from ..progress import Progress
from ..sides import mirrored_classes, sides_of, with_known_sides
from .carried import (
    PROPS,
    PROPS_COLOUR,
    body_of,
    carried_by,
    with_carried,
    with_props,
)
from .clean import cleaned
from .extremities import extremities_of, with_extremities_agreed
from .framing import framed_probabilities
from .limbs import with_sides_agreed
from .request import Carried, Segmentation, SegmentRequest

# Below every probability, to divide by.
TINY = np.finfo(np.float32).tiny


@dataclass(frozen=True, eq=False)
class _Found:
    """Probabilities (V, C) at the vertices of a figure, and what they were computed on."""

    probabilities: np.ndarray
    repairs: RepairReport
    proxy_size: int | None
    skin_size: int | None
    side_confidence: float | None
    frame: np.ndarray | None = None


def segmentation(
    request: SegmentRequest, progress: Progress, prepared: PreparedSurface | None = None
) -> Segmentation:
    """Class probabilities of vertices and classes of polygons, see `job.run`.

    `prepared` is what the surface, or its template, was prepared to before, with the settings of
    the model; of no effect on a figure that carries things.
    """
    surface = request.surface
    card = card_of(request.model, request.model_folders, "segment")
    if request.template is not None:
        _require_match(surface, request.template)
    _require_known(request, card)
    started = perf_counter()
    seconds: dict[str, float] = {}
    carried = carried_by(surface, request.member, request.carried)
    if request.known is not None and request.known.any(axis=1).all():
        seconds["rig"] = perf_counter() - started
        found = _Found(request.known.astype(np.float32), RepairReport(), None, None, None)
        return _result(request, card, found, found.probabilities, carried, seconds)
    model = loaded(request.model, request.model_folders, "segment")
    runner = choose_engine(request.engine, request.device)
    with memory_errors_explained(len(surface.vertices)):
        body, kept = body_of(surface, carried) if carried else (surface, slice(None))
        prepared = None if carried else prepared
        template = request.template
        if carried and template is not None:
            template = body_of(template, carried)[0]
        found = _of_figure(
            replace(request, surface=body, template=template),
            model,
            runner,
            progress,
            seconds,
            prepared,
        )
    probabilities = np.zeros((len(surface.vertices), len(card.class_names)), dtype=np.float32)
    probabilities[kept] = found.probabilities
    sides = _known_sides(request, card)
    if sides is not None:
        probabilities[kept] = with_known_sides(found.probabilities, sides[kept], card.class_names)
        found = replace(found, side_confidence=None)
    probabilities = with_carried(surface, probabilities, carried)
    if request.known is not None:
        is_known = request.known.any(axis=1)
        probabilities = np.where(is_known[:, None], request.known, probabilities).astype(np.float32)
    return _result(
        request, card, found, probabilities, carried, seconds, runner.name, runner.device
    )


def _result(
    request: SegmentRequest,
    card: ModelCard,
    found: _Found,
    probabilities: np.ndarray,
    carried: list[Carried],
    seconds: dict[str, float],
    engine: str = "",
    device: str = "",
) -> Segmentation:
    """Probabilities (V, C) of all vertices with the classes of polygons."""
    surface = request.surface
    class_names, class_colours = card.class_names, card.class_colours
    if carried and request.props:
        probabilities = with_props(probabilities, carried)
        class_names, class_colours = (*class_names, PROPS), (*class_colours, PROPS_COLOUR)
    polygons = request.polygons or Polygons.triangles(surface)
    labels, areas = polygon_classes(probabilities, surface, polygons)
    return Segmentation(
        class_names=class_names,
        class_colours=np.array(class_colours),
        vertex_probabilities=probabilities,
        polygon_labels=labels,
        polygon_areas=areas,
        topology=polygons.topology,
        model_name=FROM_RIG if request.model == FROM_RIG else card.name,
        repairs=found.repairs,
        seconds=seconds,
        engine=engine,
        device=device,
        proxy_size=found.proxy_size,
        skin_size=found.skin_size,
        side_confidence=found.side_confidence,
        frame=found.frame,
        unsure_of=_unsure_of(request, probabilities, class_names, found.side_confidence),
    )


def _known_sides(request: SegmentRequest, card: ModelCard) -> np.ndarray | None:
    """Sides (V,) as given or else those of the known parts; None where no vertex has one."""
    sides = request.sides
    if sides is None and request.known is not None:
        sides = sides_of(request.known, card.class_names)
    return sides if sides is not None and sides.any() else None


def _unsure_of(
    request: SegmentRequest,
    probabilities: np.ndarray,
    class_names: Sequence[str],
    side_confidence: float | None,
) -> tuple[str, ...]:
    """Doubts of the final probabilities (V, C). What is known beforehand is in none."""
    surface = request.surface
    areas = np.ones(len(surface.vertices))
    if not surface.is_point_cloud:
        areas = vertex_areas(surface.vertices, surface.faces)
    if request.known is not None:
        is_known = request.known.any(axis=1)
        decided = np.eye(len(class_names))[probabilities.argmax(axis=1)]
        probabilities = np.where(is_known[:, None], decided, probabilities)
    return doubts_of(probabilities, areas, class_names, side_confidence)


def _require_known(request: SegmentRequest, card: ModelCard) -> None:
    """Raise DiffusionNetError unless known probabilities fit the surface and the model."""
    if request.known is None:
        if request.model == FROM_RIG:
            raise DiffusionNetError(
                "The parts of this surface are not known from any bone",
                "Give known=, the probabilities of the vertices, or choose a model.",
            )
        return
    require_known(request.known, len(request.surface.vertices), card)


def _of_figure(
    request: SegmentRequest,
    model: Model,
    runner: Engine,
    progress: Progress,
    seconds: dict[str, float],
    prepared: PreparedSurface | None,
) -> _Found:
    """Probabilities at the vertices of a surface, by the network and the rules for bodies."""
    surface, template, cache = request.surface, request.template, request.cache
    rest = surface if template is None else template
    if prepared is None:
        prepared = prepare_cached(
            rest, model.card.discretization, request.exact, cache, progress, seconds,
            outer_skin=model.card.outer_skin,
        )  # fmt: skip

    skin = None
    if model.card.outer_skin and _has_many_parts(prepared):
        skin = _prepared_skin(rest, model, cache, progress, seconds)

    views = [prepared] if skin is None else [prepared, skin]
    if FRAME in model.card.features:
        started = perf_counter()
        framed = framed_probabilities(
            model,
            [view.discretization for view in views],
            runner,
            lambda done: progress("network", done),
        )
        seconds["network"] = perf_counter() - started
        found = [
            view.to_user_vertices(values)
            for view, values in zip(views, framed.probabilities, strict=True)
        ]
        frame = framed.frame
        has_sides = mirrored_classes(model.card.class_names) is not None
        side_confidence = framed.sides if has_sides else None
    else:
        found, frame, side_confidence = [], None, None
    for view in views[len(found) :]:
        started = perf_counter()
        discretization = view.discretization
        if template is not None and model.card.sees_pose:
            discretization = _posed(view, surface, model)
        features = input_features(discretization, model.card.features)
        seconds["features"] = seconds.get("features", 0.0) + perf_counter() - started

        started = perf_counter()
        at_vertices = class_probabilities(
            model,
            discretization,
            features,
            runner,
            lambda done: progress("network", (len(found) + done) / len(views)),
        )
        found.append(view.to_user_vertices(at_vertices))
        seconds["network"] = seconds.get("network", 0.0) + perf_counter() - started
    probabilities = found[0] if skin is None else _agreed(*found)
    limbs = None if frame is not None else _limbs(model)
    extremities = extremities_of(model.card)
    if limbs is not None or extremities is not None or request.clean:
        at_vertices = probabilities[prepared.user_vertex]
        started = perf_counter()
        if extremities is not None:
            shape = prepared.discretization
            at_vertices = with_extremities_agreed(shape, at_vertices, extremities)
        if limbs is not None:
            at_vertices = with_sides_agreed(prepared.discretization, at_vertices, *limbs)
        seconds["sides"] = perf_counter() - started
        if request.clean:
            started = perf_counter()
            at_vertices = cleaned(prepared.discretization, at_vertices)
            seconds["clean"] = perf_counter() - started
        probabilities = prepared.to_user_vertices(at_vertices)
    return _Found(
        probabilities,
        prepared.repairs,
        prepared.proxy_size,
        None if skin is None else skin.proxy_size,
        side_confidence,
        frame,
    )


def _has_many_parts(prepared: PreparedSurface) -> bool:
    """Whether a mesh has several sizeable loose parts, so that its outer skin adds information."""
    shape = prepared.discretization
    return len(shape.faces) > 0 and sizeable_parts(shape.part, shape.mass) > 1


def _prepared_skin(
    surface: Surface,
    model: Model,
    cache: OperatorCache | None,
    progress: Progress,
    seconds: dict[str, float],
) -> PreparedSurface | None:
    """The outer skin, from the cache if it has it; None if the surface encloses no volume."""
    settings = model.card.discretization
    started = perf_counter()
    key = ""
    if cache is not None:
        key = cache_key(surface, settings, outer_skin=True)
        cached = cache.load(key)
        if cached is not None:
            seconds["cache"] = seconds.get("cache", 0.0) + perf_counter() - started
            return cached
    skin = prepare_skin(surface, settings, progress)
    seconds["outer skin"] = perf_counter() - started
    if cache is not None and skin is not None:
        cache.store(key, skin)
    return skin


def _agreed(own: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """Geometric mean of two probabilities (V, C); those of `own` where a row of `skin` is zero."""
    reached = skin.any(axis=1)
    agreed = own.copy()
    both = np.sqrt(own[reached] * skin[reached])
    agreed[reached] = both / np.maximum(both.sum(axis=1, keepdims=True), TINY)
    return agreed


def _require_match(surface: Surface, template: Surface) -> None:
    """Raise SurfaceError unless a template has the topology of a surface.

    The diagonals of quads may differ: they depend on the pose.
    """
    (vertices, faces, used), (rest_vertices, rest_faces, rest_used) = (
        (len(shape.vertices), len(shape.faces), np.unique(shape.faces))
        for shape in (surface, template)
    )
    fix = "Give the same mesh in its rest shape, or leave the rest shape out."
    if (vertices, faces) != (rest_vertices, rest_faces):
        raise SurfaceError(
            f"The rest shape has {rest_vertices:,} vertices and {rest_faces:,} triangles, "
            f"the posed one {vertices:,} and {faces:,}",
            fix,
        )
    if not np.array_equal(used, rest_used):
        raise SurfaceError("Faces of the rest shape connect other vertices", fix)


def _posed(prepared: PreparedSurface, surface: Surface, model: Model) -> Discretization:
    """Matrices of the rest shape with the positions of the posed one."""
    discretization = prepared.discretization
    posed = Surface(surface.vertices[prepared.user_vertex], discretization.faces)
    vertices = normalise(posed, model.card.discretization.centre)
    return replace(discretization, vertices=vertices.astype(np.float32))


def _limbs(model: Model) -> tuple[list[list[int]], list[int]] | None:
    """Classes of arms and legs of one side, and the mirror image of each class, if there are."""
    names = model.card.class_names
    other_side = mirrored_classes(names)
    if other_side is None or not model.card.limbs:
        return None
    return [[names.index(name) for name in limb] for limb in model.card.limbs], other_side
