"""Inference: a trained network evaluated on the prepared matrices of a surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter

import numpy as np

from ..network.architecture import OutputAt
from ..network.checkpoint import Model
from ..network.forward import forward, mirrored_weights
from ..network.shape import shape_of
from ..surface.cache import OperatorCache, cache_key
from ..surface.discretization import Discretization
from ..surface.prepare import PreparedSurface, prepare
from ..surface.settings import DiscretizationSettings
from ..surface.surface import Surface
from .memory import require_memory
from .progress import Progress
from .sides import mirrored_classes


def prepare_cached(
    surface: Surface,
    settings: DiscretizationSettings,
    exact: bool,
    cache: OperatorCache | None,
    progress: Progress,
    seconds: dict[str, float],
) -> PreparedSurface:
    """As `surface.prepare.prepare`: from the cache where it is there, else computed and kept.

    Raises
    ------
    SurfaceError
        If the geometry cannot be used.
    DeviceError
        If memory does not suffice.
    """
    if cache is not None:
        clock = perf_counter()
        key = cache_key(surface, settings, exact)
        found = cache.load(key)
        if found is not None:
            seconds["cache"] = perf_counter() - clock
            return found
    require_memory(len(surface.vertices), settings.k, exact)
    prepared = prepare(surface, settings, exact, progress, seconds)
    if cache is not None:
        cache.store(key, prepared)
    return prepared


def class_probabilities(
    model: Model,
    discretization: Discretization,
    features: np.ndarray,
    engine,
    progress: Callable[[float], None] = lambda fraction: None,
    output_at: OutputAt = "vertices",
) -> np.ndarray:
    """Calibrated probabilities of the classes at vertices, (V, C) float32; or of the shape, (C,).

    A network that was trained with outputs at faces or edges is read before it averages them
    there, since vertices are what the surface's other users need. One that tells left from right
    by the sense of rotation alone sees the surface in a mirror, too, and the mean of both counts:
    where it takes sides by chance, the two do not agree by chance.

    Parameters
    ----------
    model : Model
    discretization : Discretization
    features : (V, inputs) float
    engine : NumpyEngine or TorchEngine
    progress : callable
        Called with a fraction; may raise to stop.
    output_at : {"vertices", "shape"}
    """
    architecture = replace(model.card.architecture, output_at=output_at)
    shape = shape_of(discretization, engine)
    features = engine.array(features)
    views = [(model.weights, slice(None))]
    other_side = mirrored_classes_of(model)
    if other_side is not None:
        views.append((mirrored_weights(model.weights), other_side))
    with engine.inference():
        outputs = 0.0
        for done, (weights, order) in enumerate(views):
            seen = forward(
                architecture,
                {name: engine.array(value) for name, value in weights.items()},
                shape,
                features,
                engine,
                progress=lambda part, done=done: progress((done + part) / len(views)),
            )
            outputs = outputs + seen[..., order]
        outputs = outputs / (len(views) * model.card.temperature)
        return engine.to_numpy(engine.softmax(outputs)).astype(np.float32)


def mirrored_classes_of(model: Model) -> list[int] | None:
    """For each class that on the other side, where a model knows a mirrored surface as well."""
    card = model.card
    if card.architecture.gradient != "complex" or not card.mirror_invariant:
        return None
    return mirrored_classes(card.class_names)
