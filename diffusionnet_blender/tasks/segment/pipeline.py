"""Cut a surface into the parts that a model knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from ...errors import ModelError, SurfaceError
from ...network.architecture import OutputAt
from ...network.checkpoint import Model
from ...network.features import input_features
from ...network.forward import forward, mirrored_weights
from ...network.shape import shape_of
from ...surface.cache import OperatorCache, cache_key
from ...surface.discretization import Discretization, Progress, normalise
from ...surface.prepare import PreparedSurface, prepare, prepare_skin
from ...surface.repair_report import RepairReport
from ...surface.settings import DiscretizationSettings
from ...surface.surface import Surface
from ..engines import choose_engine
from ..memory import memory_shortage_told, require_memory
from ..sides import mirrored_classes
from .clean import cleaned
from .limbs import with_sides_agreed

# A part with more than this share of the area is not an eye or a button.
SIZEABLE_PART = 0.02
TINY = np.finfo(np.float32).tiny


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
    skin_size : int or None
        Vertices of the outer skin that was looked at beside the surface; None where it was not.
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
    skin_size: int | None = None

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
        if self.skin_size:
            told.append("with the outer skin of all parts")
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
    clean: bool = False,
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
        without `card.sees_pose`, as the bundled ones are, so gives every pose the labels of the
        rest shape.
    exact : bool
        Compute on every vertex of a dense surface, and not on a proxy of it.
    clean : bool
        Take frays and islands out of the labels; see `clean.cleaned`.
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
            "Choose a segmentation model, or classify with this one.",
        )
    if template is not None:
        _require_match(surface, template)
    runner = choose_engine(engine, device)
    seconds: dict[str, float] = {}
    with memory_shortage_told(len(surface.vertices)):
        rest = surface if template is None else template
        prepared = prepare_cached(rest, model.card.discretization, exact, cache, progress, seconds)

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
        if limbs or clean:
            at_vertices = probabilities[prepared.user_vertex]
            if limbs:
                clock = perf_counter()
                at_vertices = with_sides_agreed(
                    prepared.discretization, at_vertices, limbs, other_side
                )
                seconds["sides"] = perf_counter() - clock
            if clean:
                clock = perf_counter()
                at_vertices = cleaned(prepared.discretization, at_vertices)
                seconds["clean"] = perf_counter() - clock
            probabilities = prepared.to_user_vertices(at_vertices)
    return Segmentation(
        vertex_probabilities=probabilities,
        class_names=model.card.class_names,
        class_colours=np.array(model.card.class_colours),
        repairs=prepared.repairs,
        seconds=seconds,
        engine=runner.name,
        device=runner.device,
        model_name=model.card.name,
        proxy_size=prepared.proxy_size,
        skin_size=None if skin is None else skin.proxy_size,
    )


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
    other_side = _mirrored_classes(model)
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


def _limbs(model: Model) -> tuple[list[list[int]], list[int] | None]:
    """Classes of arms and legs of one side, and of each class that on the other side."""
    names = model.card.class_names
    other_side = mirrored_classes(names)
    if other_side is None:
        return [], None
    return [[names.index(name) for name in limb] for limb in model.card.limbs], other_side


def _mirrored_classes(model: Model) -> list[int] | None:
    """For each class that on the other side, where a model knows a mirrored surface as well."""
    card = model.card
    if card.architecture.gradient != "complex" or not card.mirror_invariant:
        return None
    return mirrored_classes(card.class_names)
