"""Inference: a trained network evaluated on the prepared matrices of a surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter

import numpy as np

from ..errors import ModelError
from ..network.architecture import OutputAt
from ..network.checkpoint import Model
from ..network.engine import Engine
from ..network.forward import forward, mirrored_weights
from ..network.shape import Shape, shape_of
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
    shape = shape_of(discretization, engine)
    other_side = mirrored_classes_of(model)
    passes = 1 if other_side is None else 2

    def outputs_of(done: int) -> np.ndarray:
        def report(fraction: float) -> None:
            progress((done + fraction) / passes)

        return network_outputs(model, shape, features, engine, report, done == 1, output_at)

    card = model.card
    outputs = outputs_of(0)[..., : card.architecture.outputs - card.votes]
    if other_side is not None:
        outputs = (outputs + outputs_of(1)[..., other_side]) / 2
    return softmax(outputs / card.temperature)


def network_outputs(
    model: Model,
    shape: Shape,
    features: np.ndarray,
    engine: Engine,
    progress: Callable[[float], None] = lambda fraction: None,
    mirrored: bool = False,
    output_at: OutputAt = "vertices",
) -> np.ndarray:
    """Outputs (V, outputs) float32 of one pass of a network, before any softmax; or (outputs,).

    Parameters
    ----------
    model : Model
    shape : Shape
        Of the engine.
    features : (V, inputs) float
    engine : Engine
    progress : callable
        Called with a fraction; may raise to stop.
    mirrored : bool
        On the mirror image of the shape.
    output_at : {"vertices", "shape"}

    Raises
    ------
    ModelError
        If values are not finite.
    """
    weights = mirrored_weights(model.weights) if mirrored else model.weights
    with engine.inference():
        outputs = forward(
            replace(model.card.architecture, output_at=output_at),
            {name: engine.array(value) for name, value in weights.items()},
            shape,
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
