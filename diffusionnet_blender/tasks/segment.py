"""Cut a surface into the parts that a model knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from ..errors import DeviceError, ModelError, SurfaceError
from ..network.checkpoint import Model
from ..network.features import input_features
from ..network.forward import forward
from ..network.shape import shape_of
from ..surface.cache import OperatorCache, cache_key
from ..surface.discretization import Discretization, normalise
from ..surface.prepare import PreparedSurface, prepare
from ..surface.repair import RepairReport
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
    proxy_size : int or None
        Vertices of the proxy that stood for a dense surface; None where every vertex counted.
    """

    vertex_probabilities: np.ndarray
    class_names: tuple[str, ...]
    class_colours: np.ndarray
    repairs: RepairReport
    seconds: dict[str, float]
    engine: str
    device: str
    model_name: str
    proxy_size: int | None = None

    @property
    def vertex_labels(self) -> np.ndarray:
        """Most probable class of each vertex, (V,) int32."""
        return self.vertex_probabilities.argmax(axis=1).astype(np.int32)

    @property
    def remark(self) -> str:
        """What a user should know of how it was done, in one line; empty for nothing."""
        told = []
        if self.proxy_size:
            told.append(f"by a proxy of {self.proxy_size:,} vertices")
        if self.repairs.summary():
            told.append(f"mended on the way: {self.repairs.summary()}")
        return ", ".join(told)

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
    template: Surface | None = None,
    exact: bool = False,
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
    template : Surface, optional
        The same vertices and faces in their rest shape: the matrices are then those of the rest
        shape, which every pose of it shares, and the surface itself gives the positions. A model
        that is fed no positions (its card's features lack "xyz", as those of the bundled one do)
        so gives every pose the labels of the rest shape.
    exact : bool
        Compute on every vertex of a dense surface, and not on a proxy of it.
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
        If the geometry cannot be used, or that of the template does not match it.
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
    if template is not None:
        _require_match(surface, template)
    runner = choose_engine(engine, device)
    seconds: dict[str, float] = {}
    try:
        rest = surface if template is None else template
        prepared = _prepared(rest, model, exact, cache, progress, seconds)

        clock = perf_counter()
        discretization = prepared.discretization
        if template is not None:
            discretization = _posed(prepared, surface, model)
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
        vertex_probabilities=prepared.hand_back(probabilities),
        class_names=model.card.class_names,
        class_colours=np.array(model.card.class_colours),
        repairs=prepared.repairs,
        seconds=seconds,
        engine=runner.name,
        device=runner.device,
        model_name=model.card.name,
        proxy_size=prepared.proxy_size,
    )


def _prepared(surface, model, exact, cache, progress, seconds) -> PreparedSurface:
    """From the cache where it is there, else computed and kept."""
    settings = model.card.discretization
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
