"""Segmentation, stage by stage: matrices, network, sides, borders, polygons."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

import numpy as np

from ...errors import SurfaceError
from ...network.checkpoint import Model
from ...network.features import input_features
from ...surface.cache import cache_key
from ...surface.discretization import Discretization, normalise
from ...surface.prepare import PreparedSurface, prepare_skin
from ...surface.surface import Surface
from ..engines import choose_engine
from ..inference import class_probabilities, prepare_cached
from ..labels import Polygons, polygon_classes
from ..memory import memory_shortage_told
from ..models import loaded
from ..progress import Progress
from ..sides import mirrored_classes
from .clean import cleaned
from .limbs import with_sides_agreed
from .request import Segmentation, SegmentRequest

# A part with more than this share of the area is not an eye or a button.
SIZEABLE_PART = 0.02
TINY = np.finfo(np.float32).tiny


def segmentation(request: SegmentRequest, progress: Progress) -> Segmentation:
    """Label every vertex and polygon, see `job.run`."""
    surface, template, cache = request.surface, request.template, request.cache
    model = loaded(request.model, request.model_folders, "segment")
    if template is not None:
        _require_match(surface, template)
    runner = choose_engine(request.engine, request.device)
    seconds: dict[str, float] = {}
    with memory_shortage_told(len(surface.vertices)):
        rest = surface if template is None else template
        prepared = prepare_cached(
            rest, model.card.discretization, request.exact, cache, progress, seconds
        )

        skin = None
        if model.card.outer_skin and _is_heap(prepared):
            skin = _prepared_skin(rest, model, cache, progress, seconds)

        views = [prepared] if skin is None else [prepared, skin]
        found = []
        for view in views:
            clock = perf_counter()
            discretization = view.discretization
            if template is not None and model.card.sees_pose:
                discretization = _posed(view, surface, model)
            features = input_features(discretization, model.card.features)
            seconds["features"] = seconds.get("features", 0.0) + perf_counter() - clock

            clock = perf_counter()
            at_vertices = class_probabilities(
                model,
                discretization,
                features,
                runner,
                lambda done: progress("network", (len(found) + done) / len(views)),
            )
            found.append(view.to_user_vertices(at_vertices))
            seconds["network"] = seconds.get("network", 0.0) + perf_counter() - clock
        probabilities = found[0] if skin is None else _agreed(*found)
        limbs, other_side = _limbs(model)
        if limbs or request.clean:
            at_vertices = probabilities[prepared.user_vertex]
            if limbs:
                clock = perf_counter()
                at_vertices = with_sides_agreed(
                    prepared.discretization, at_vertices, limbs, other_side
                )
                seconds["sides"] = perf_counter() - clock
            if request.clean:
                clock = perf_counter()
                at_vertices = cleaned(prepared.discretization, at_vertices)
                seconds["clean"] = perf_counter() - clock
            probabilities = prepared.to_user_vertices(at_vertices)
    polygons = request.polygons or Polygons.triangles(surface)
    labels, areas = polygon_classes(probabilities, surface, polygons)
    return Segmentation(
        class_names=model.card.class_names,
        class_colours=np.array(model.card.class_colours),
        vertex_probabilities=probabilities,
        polygon_labels=labels,
        polygon_areas=areas,
        topology=polygons.topology,
        model_name=model.card.name,
        repairs=prepared.repairs,
        seconds=seconds,
        engine=runner.name,
        device=runner.device,
        proxy_size=prepared.proxy_size,
        skin_size=None if skin is None else skin.proxy_size,
    )


def _is_heap(prepared: PreparedSurface) -> bool:
    """Whether a mesh consists of so many parts that one skin around them tells more."""
    shape = prepared.discretization
    if not len(shape.faces):
        return False
    share = np.bincount(shape.part, shape.mass) / shape.mass.sum()
    return np.count_nonzero(share > SIZEABLE_PART) > 1


def _prepared_skin(surface, model, cache, progress, seconds) -> PreparedSurface | None:
    """The outer skin, from the cache where it is there; None where there is none."""
    settings = model.card.discretization
    clock = perf_counter()
    key = None if cache is None else cache_key(surface, settings, outer_skin=True)
    found = None if cache is None else cache.load(key)
    if found is not None:
        seconds["cache"] = seconds.get("cache", 0.0) + perf_counter() - clock
        return found
    found = prepare_skin(surface, settings, progress)
    seconds["outer skin"] = perf_counter() - clock
    if cache is not None and found is not None:
        cache.store(key, found)
    return found


def _agreed(own: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """Geometric mean of two views' probabilities (V, C), of the first where the second is empty."""
    reached = skin.any(axis=1)
    agreed = own.copy()
    both = np.sqrt(own[reached] * skin[reached])
    agreed[reached] = both / np.maximum(both.sum(axis=1, keepdims=True), TINY)
    return agreed


def _require_match(surface: Surface, template: Surface) -> None:
    """Raise SurfaceError unless a template has the vertices and faces of a surface.

    The diagonals of quads may differ: they depend on the pose.
    """
    found = [
        (len(shape.vertices), len(shape.faces), np.unique(shape.faces))
        for shape in (surface, template)
    ]
    (vertices, faces, used), (rest_vertices, rest_faces, rest_used) = found
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
    """Matrices of the rest shape, positions of the posed one."""
    discretization = prepared.discretization
    posed = Surface(surface.vertices[prepared.user_vertex], discretization.faces)
    vertices = normalise(posed, model.card.discretization.centre)
    return replace(discretization, vertices=vertices.astype(np.float32))


def _limbs(model: Model) -> tuple[list[list[int]], list[int] | None]:
    """Classes of arms and legs of one side, and of each class that on the other side."""
    names = model.card.class_names
    other_side = mirrored_classes(names)
    if other_side is None:
        return [], None
    return [[names.index(name) for name in limb] for limb in model.card.limbs], other_side
