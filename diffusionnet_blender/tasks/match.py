"""Match two surfaces."""

from __future__ import annotations

import numpy as np

from ..network.checkpoint import Model
from ..network.features import input_features
from ..network.forward import forward
from ..network.shape import shape_of
from ..surface.discretization import Discretization


def vertex_features(model: Model, discretization: Discretization, engine) -> np.ndarray:
    """Features of a network at vertices, rows of unit length, (V, outputs) float32.

    Parameters
    ----------
    model : Model
    discretization : Discretization
    engine : NumpyEngine or TorchEngine
    """
    weights = {name: engine.array(value) for name, value in model.weights.items()}
    inputs = engine.array(input_features(discretization, model.card.features))
    shape = shape_of(discretization, engine)
    with engine.inference():
        raw = engine.to_numpy(forward(model.card.architecture, weights, shape, inputs, engine))
    length = np.linalg.norm(raw, axis=1, keepdims=True)
    return (raw / np.maximum(length, np.finfo(np.float32).tiny)).astype(np.float32)
