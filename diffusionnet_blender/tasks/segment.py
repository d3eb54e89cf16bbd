"""Cut a surface into the parts that a model knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from ..errors import DeviceError, ModelError
from ..network.checkpoint import Model
from ..network.features import input_features
from ..network.forward import forward
from ..network.shape import shape_of
from ..surface.cache import OperatorCache, cache_key
from ..surface.discretization import Discretization, discretize
from ..surface.repair import RepairReport, repair
from ..surface.surface import Surface
from .engines import choose_engine
from .memory import require_memory

Progress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Parts of a surface, in the order of the vertices that were handed in.

    Attributes
    ----------
    vertex_probabilities : (V, C) float32
    class_names : tuple of str
    class_colours : (C, 3) float
        sRGB, 0 to 1.
    repairs : RepairReport
        What had to be mended on the way; the input is untouched.
    seconds : dict of str to float
        Of each stage; stages that the cache saved are missing.
    engine, device : str
        What the network ran on.
    model_name : str
    """

    vertex_probabilities: np.ndarray
    class_names: tuple[str, ...]
    class_colours: np.ndarray
    repairs: RepairReport
    seconds: dict[str, float]
    engine: str
    device: str
    model_name: str

    @property
    def vertex_labels(self) -> np.ndarray:
        """Most probable class of each vertex, (V,) int32."""
        return self.vertex_probabilities.argmax(axis=1).astype(np.int32)

    @property
    def confidence(self) -> np.ndarray:
        """Probability of that class, (V,) float32."""
        return self.vertex_probabilities.max(axis=1)


def segment(
    surface: Surface,
    model: Model,
    *,
    engine: str = "auto",
    device: str = "auto",
    cache: OperatorCache | None = None,
    progress: Progress = lambda stage, fraction: None,
) -> Segmentation:
    """Label every vertex of a mesh or a point cloud.

    Parameters
    ----------
    surface : Surface
    model : Model
        From `models.find_model`.
    engine : {"auto", "torch", "numpy"}
    device : str
        "auto", "cpu", "cuda", "mps", "xpu", ...
    cache : OperatorCache, optional
        Makes the next run on the same geometry skip all but the network.
    progress : callable
        Called with a stage and a fraction from 0 to 1; may raise `Cancelled` to stop.

    Returns
    -------
    Segmentation

    Raises
    ------
    SurfaceError
        If the geometry cannot be used.
    DeviceError
        If the engine or the device is not there, or memory does not suffice.
    ModelError
        If the model labels whole shapes.
    """
    if model.card.architecture.output_at == "shape":
        raise ModelError(
            f"Model {model.card.name!r} classifies whole shapes, it has no parts",
            "Choose a segmentation model.",
        )
    runner = choose_engine(engine, device)
    require_memory(len(surface.vertices), model.card.discretization.k)
    seconds: dict[str, float] = {}
    try:
        progress("repair", 0.0)
        clock = perf_counter()
        repaired = repair(surface)
        seconds["repair"] = perf_counter() - clock

        discretization = _discretization(repaired.surface, model, cache, progress, seconds)

        clock = perf_counter()
        features = input_features(discretization, model.card.features)
        seconds["features"] = perf_counter() - clock

        clock = perf_counter()
        probabilities = class_probabilities(
            model, discretization, features, runner, lambda done: progress("network", done)
        )
        seconds["network"] = perf_counter() - clock
    except MemoryError as error:
        raise DeviceError(
            f"Memory ran out on {len(surface.vertices):,} vertices",
            "Close other programs, or decimate a copy of the mesh first.",
        ) from error
    return Segmentation(
        vertex_probabilities=repaired.hand_back(probabilities),
        class_names=model.card.class_names,
        class_colours=np.array(model.card.class_colours),
        repairs=replace(repaired.report, bridged_parts=discretization.bridged_parts),
        seconds=seconds,
        engine=runner.name,
        device=runner.device,
        model_name=model.card.name,
    )


def _discretization(surface, model, cache, progress, seconds) -> Discretization:
    """From the cache where it is there, else computed and kept."""
    settings = model.card.discretization
    if cache is None:
        return discretize(surface, settings, progress, seconds)
    clock = perf_counter()
    key = cache_key(surface, settings)
    found = cache.load(key)
    if found is not None:
        seconds["cache"] = perf_counter() - clock
        return found
    computed = discretize(surface, settings, progress, seconds)
    cache.store(key, computed)
    return computed


def class_probabilities(
    model: Model,
    discretization: Discretization,
    features: np.ndarray,
    engine,
    progress: Callable[[float], None] = lambda fraction: None,
) -> np.ndarray:
    """Softmax of a network's outputs at vertices, (V, C) float32.

    A network that was trained with outputs at faces or edges is read before it averages them
    there, since vertices are what the surface's other users need.

    Parameters
    ----------
    model : Model
    discretization : Discretization
    features : (V, inputs) float
    engine : NumpyEngine or TorchEngine
    progress : callable
        Called with a fraction; may raise to stop.
    """
    architecture = replace(model.card.architecture, output_at="vertices")
    weights = {name: engine.array(value) for name, value in model.weights.items()}
    shape = shape_of(discretization, engine)
    with engine.inference():
        outputs = forward(
            architecture, weights, shape, engine.array(features), engine, progress=progress
        )
        return engine.to_numpy(engine.softmax(outputs)).astype(np.float32)
