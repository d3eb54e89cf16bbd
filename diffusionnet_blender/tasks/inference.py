"""Inference: a trained network evaluated on the prepared matrices of a surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from ..errors import ModelError
from ..network.architecture import OutputAt
from ..network.checkpoint import Model
from ..network.engine import Engine
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
    outer_skin: bool = False,
) -> PreparedSurface:
    """As `surface.prepare.prepare`, with a cache: loaded if it has the surface, else stored in it.

    With `outer_skin`, memory must suffice for the skin of a mesh of many parts as well.

    Raises
    ------
    SurfaceError
        If the geometry cannot be used.
    DeviceError
        If memory does not suffice.
    """
    key = ""
    if cache is not None:
        started = perf_counter()
        key = cache_key(surface, settings, exact)
        cached = cache.load(key)
        if cached is not None:
            seconds["cache"] = perf_counter() - started
            return cached
    require_memory(len(surface.vertices), settings.k, exact, outer_skin)
    prepared = prepare(surface, settings, exact, progress, seconds)
    if cache is not None:
        cache.store(key, prepared)
    return prepared


def class_probabilities(
    model: Model,
    discretization: Discretization,
    features: np.ndarray,
    engine: Engine,
    progress: Callable[[float], None] = lambda fraction: None,
    output_at: OutputAt = "vertices",
) -> np.ndarray:
    """Calibrated probabilities of the classes at vertices, (V, C) float32; or of the shape, (C,).

    Outputs of a network that was trained at faces or edges are taken at the vertices, before its
    averaging. A network whose only cue for left and right is the sense of rotation (paper 3.4) is
    evaluated on the mirrored surface as well, and the logits are averaged with sides exchanged:
    errors of side are independent in the two passes.

    Parameters
    ----------
    model : Model
    discretization : Discretization
    features : (V, inputs) float
    engine : Engine
    progress : callable
        Called with a fraction; may raise to stop.
    output_at : {"vertices", "shape"}

    Raises
    ------
    ModelError
        If the network gives values that are not finite.
    """
    architecture = replace(model.card.architecture, output_at=output_at)
    shape = shape_of(discretization, engine)
    inputs = engine.array(features)
    # Weights of each pass, and the order of the classes in its output.
    classes = slice(0, architecture.outputs - model.card.votes)
    views: list[tuple[dict[str, np.ndarray], slice | list[int]]] = [(model.weights, classes)]
    other_side = mirrored_classes_of(model)
    if other_side is not None:
        views.append((mirrored_weights(model.weights), other_side))

    def report(done: int, fraction: float) -> None:
        progress((done + fraction) / len(views))

    with engine.inference():
        logits: Any = 0.0
        for done, (weights, order) in enumerate(views):
            outputs = forward(
                architecture,
                {name: engine.array(value) for name, value in weights.items()},
                shape,
                inputs,
                engine,
                progress=partial(report, done),
            )
            logits = logits + outputs[..., order]
        logits = logits / (len(views) * model.card.temperature)
        probabilities = engine.to_numpy(engine.softmax(logits)).astype(np.float32)
    require_finite_outputs(model, probabilities)
    return probabilities


def network_outputs(
    model: Model,
    discretization: Discretization,
    features: np.ndarray,
    engine: Engine,
    progress: Callable[[float], None] = lambda fraction: None,
) -> np.ndarray:
    """Outputs (V, outputs) float32 of a network at vertices, before any softmax.

    As for `class_probabilities`, of one pass.
    """
    with engine.inference():
        outputs = forward(
            model.card.architecture,
            {name: engine.array(value) for name, value in model.weights.items()},
            shape_of(discretization, engine),
            engine.array(features),
            engine,
            progress=progress,
        )
        found = engine.to_numpy(outputs).astype(np.float32)
    require_finite_outputs(model, found)
    return found


def softmax(outputs: np.ndarray) -> np.ndarray:
    """Probabilities along the last axis."""
    raised = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def require_finite_outputs(model: Model, outputs: np.ndarray) -> None:
    """Raise ModelError if outputs of a model are not finite: no class would be meant by them."""
    if not np.isfinite(outputs).all():
        raise ModelError(
            f"The model {model.card.name!r} is of no use: its weights give no finite values",
            "Choose another model, or import or train this one again.",
        )


def mirrored_classes_of(model: Model) -> list[int] | None:
    """Mirror image of each class; None for a model that does not use the mirrored surface."""
    card = model.card
    if card.architecture.gradient != "complex" or not card.mirror_invariant:
        return None
    return mirrored_classes(card.class_names)
