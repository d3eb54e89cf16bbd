"""Match two surfaces: where each vertex of the target is on the source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from ..errors import DeviceError, DiffusionNetError
from ..matching.by_features import map_by_features
from ..matching.candidates import maps_by_signs, merit
from ..matching.closest import ClosestPoints
from ..matching.confidence import confidence, cycle_distance, feature_margin
from ..matching.functional_map import functional_map, map_of_points
from ..matching.lift import lift_map
from ..matching.orientation import Judgement, judge
from ..matching.parts import Parts, place_parts, split_parts
from ..matching.pins import bend_to_pins, check_pins, pin_functions
from ..matching.points import SurfacePoints, points_at_vertices
from ..matching.pointwise import embeddings, nearest_rows, precise_map
from ..matching.proxy import decimate
from ..matching.registration import SETTLING, SLIDING, congruent_map, register
from ..matching.sampling import farthest_points
from ..matching.spectral import SpectralMesh, spectral_mesh
from ..matching.zoomout import zoomout
from ..network.checkpoint import Model
from ..network.features import input_features
from ..network.forward import forward, mirrored_weights
from ..network.shape import shape_of
from ..surface.discretization import Discretization, discretize, truncated
from ..surface.repair import RepairReport, repair
from ..surface.settings import DEFAULT_SETTINGS
from ..surface.signatures import wave_kernel_signature
from ..surface.surface import Surface
from .engines import choose_engine
from .fit_pair import can_fit, fitted_map

Progress = Callable[[str, float], None]

# Meshes are matched with no more vertices than this; dense ones by a proxy of as many.
PROXY_VERTICES = 4500
# Eigenpairs: those that a map is refined to, and a first map has.
MAP_SIZE = 160
FIRST_MAP_SIZE = 30
# Candidates are refined to this size before one is chosen.
CHOICE_SIZE = 60
# A map is beyond doubt, and others are not looked at, where it keeps so much of the orientation
# and the features of the places that it pairs are so much alike (mean cosine).
CLEARLY_KEPT = 0.85
CLEARLY_ALIKE = 0.85
# A map of which less than this is sure is refined anew from where it ended, so many times.
CLEARLY_SURE = 0.95
FRESH_STARTS = 2
# An eigenfunction needs about this many vertices of a coarse mesh to be one of its shape and not
# of its triangles.
VERTICES_PER_PAIR = 10
# Energies of the wave kernel signature where no model knows the shapes, of so many eigenpairs.
ENERGIES = 64
SIGNATURE_PAIRS = 100
# What the largest part of a shape must have for a map to mean anything.
FEWEST_VERTICES = 40
PLACES = 600


@dataclass(frozen=True, eq=False)
class Correspondence:
    """Where each vertex of the target is on the source, in the order they were handed in.

    Attributes
    ----------
    target_to_source : SurfacePoints
        Triangles of the source as handed in; one for each vertex of the target.
    confidence : (V_t,) float64
        From 0 to 1.
    judgement : Judgement
        Of the map as a whole.
    features : str
        Name of the model whose features found the map, or "signatures" where no model was given.
    fit : {"", "kept", "no better", "no torch"}
        What came of fitting a network to this pair: the map is that of the network, or was the
        better one without, or torch was not there. Empty: it was not asked for.
    repairs : (RepairReport, RepairReport)
        What had to be mended on source and target on the way; they themselves are untouched.
    seconds : dict of str to float
        Of each stage.
    """

    target_to_source: SurfacePoints
    confidence: np.ndarray
    judgement: Judgement
    features: str
    fit: str
    repairs: tuple[RepairReport, RepairReport]
    seconds: dict[str, float]


@dataclass(frozen=True, eq=False)
class _Side:
    """One of the two shapes on its way: as handed in, mended, its proxy, and what that has.

    Pins are vertices of the proxy (`pins`) and of the mended surface (`pinned`).
    """

    given: Surface
    surface: Surface
    parts: Parts
    clean_vertex: np.ndarray
    report: RepairReport
    proxy: Surface
    matrices: Discretization
    mesh: SpectralMesh
    features: np.ndarray
    pins: np.ndarray
    pinned: np.ndarray


def match(
    source: Surface,
    target: Surface,
    model: Model | None = None,
    *,
    pins: tuple[np.ndarray, np.ndarray] = ((), ()),
    fit: bool = False,
    engine: str = "auto",
    device: str = "auto",
    progress: Progress = lambda stage, fraction: None,
) -> Correspondence:
    """Find the target's vertices on the source.

    Parameters
    ----------
    source, target : Surface
        Meshes, in any position, size, pose and topology.
    model : Model, optional
        Whose features tell the places of these shapes apart. Without one, shapes are matched by
        their distances alone (wave kernel signatures), which suits two of a kind.
    pins : pair of (P,) int
        Vertices of the source and of the target that the map must pair.
    fit : bool
        Fit a network to this pair as well (`fit_pair.fitted_map`), if torch is there, and keep the
        map that it gives where it is judged better.
    engine, device : str
        Of the network.
    progress : callable
        Called with a stage and a fraction; may raise `Cancelled` to stop.

    Returns
    -------
    Correspondence

    Raises
    ------
    SurfaceError
        If the geometry cannot be used.
    DiffusionNetError
        If a shape is no mesh or too small, or pins make no sense.
    """
    pins = tuple(np.asarray(one, dtype=np.int64).reshape(-1) for one in pins)
    for name, surface in (("source", source), ("target", target)):
        if surface.is_point_cloud:
            raise DiffusionNetError(
                f"The {name} has no faces", "Choose a mesh; a point cloud cannot be matched."
            )
    check_pins(*pins, (len(source.vertices), len(target.vertices)))
    runner = None if model is None else choose_engine(engine, device)
    clock = _Clock(progress)
    try:
        sides = [
            _prepare(surface, own, model, runner, clock, name)
            for name, surface, own in zip(("source", "target"), (source, target), pins, strict=True)
        ]
        return _match(*sides, model, _Fitting(fit, engine, device), clock)
    except MemoryError as error:
        raise DeviceError(
            f"Memory ran out on {len(source.vertices):,} and {len(target.vertices):,} vertices",
            "Close other programs, or decimate copies of the meshes first.",
        ) from error


@dataclass(frozen=True)
class _Fitting:
    """Whether to fit a network, and with which engine and device."""

    wanted: bool
    engine: str
    device: str


class _Clock:
    """Tells of each stage, and how long it took."""

    def __init__(self, progress: Progress):
        self.progress, self.seconds, self._since = progress, {}, perf_counter()

    def start(self, stage: str) -> Callable[[float], None]:
        self.progress(stage, 0.0)
        self._since = perf_counter()
        return lambda fraction: self.progress(stage, fraction)

    def stop(self, stage: str) -> None:
        took = perf_counter() - self._since
        self.seconds[stage] = self.seconds.get(stage, 0.0) + took


def _prepare(given, pins, model, runner, clock, name) -> _Side:
    clock.start("repair")
    repaired = repair(given)
    if len(repaired.surface.vertices) < FEWEST_VERTICES:
        raise DiffusionNetError(
            f"The {name} has only {len(repaired.surface.vertices)} vertices",
            f"A map needs at least {FEWEST_VERTICES}; subdivide it.",
        )
    clock.stop("repair")
    clock.start("proxy")
    parts = split_parts(repaired.surface)
    proxy = decimate(parts.main, PROXY_VERTICES)
    clock.stop("proxy")
    tell = clock.start("eigenbasis")
    settings = DEFAULT_SETTINGS if model is None else model.card.discretization
    found = discretize(
        proxy,
        replace(settings, k=max(MAP_SIZE, settings.k)),
        lambda stage, fraction: tell(fraction if stage == "eigenbasis" else 0.0),
    )
    clock.stop("eigenbasis")
    clock.start("features")
    mesh = spectral_mesh(found)
    if model is None:
        features = _signatures(mesh)
    else:
        features = vertex_features(model, truncated(found, settings.k), runner)
    clock.stop("features")
    pins = repaired.clean_vertex[pins]
    on_proxy = pins
    if proxy is not repaired.surface:
        on_proxy = nearest_rows(proxy.vertices, repaired.surface.vertices[pins])
    return _Side(
        given=given,
        surface=repaired.surface,
        parts=parts,
        clean_vertex=repaired.clean_vertex,
        report=repaired.report,
        proxy=proxy,
        matrices=found,
        mesh=mesh,
        features=features,
        pins=on_proxy,
        pinned=pins,
    )


def _match(source: _Side, target: _Side, model, fitting: _Fitting, clock) -> Correspondence:
    pins = (source.pins, target.pins) if len(source.pins) else None
    direct = _by_features(source, target, model, clock)
    rough, back = direct or _by_functional_maps(source, target, model, pins, clock)
    course = SETTLING if direct else SLIDING
    points = _laid_down(source, target, (rough, back), pins, course, clock)
    maps, fit = (points, back), ""
    if direct is None:
        maps = _refined_anew(source, target, maps, pins, clock)
    if fitting.wanted:
        fit = "no torch"
        if can_fit(fitting.engine):
            maps, fit = _fitted(source, target, maps, pins, model, fitting, clock)
    points, back = maps
    judged = judge(source.mesh, target.mesh, points, source.features, target.features)

    clock.start("confidence")
    margin = None
    if model is not None:
        places = farthest_points(source.mesh.vertices, PLACES)
        margin = feature_margin(source.mesh, points, source.features, target.features, places)
    sure = confidence(cycle_distance(source.mesh, target.mesh, points, back), margin)
    sure[target.pins] = 1.0
    clock.stop("confidence")

    clock.start("lift")
    mains = source.parts.main, target.parts.main
    lifted = lift_map(points, source.proxy, target.proxy, *mains)
    if target.proxy is not mains[1]:
        on_proxy, _ = ClosestPoints(target.proxy.vertices, target.proxy.faces)(mains[1].vertices)
        sure = on_proxy.interpolate(sure, target.proxy.faces)
    lifted, sure = place_parts(lifted, sure, source.parts, target.parts)
    if len(target.pinned):
        exact = points_at_vertices(source.pinned, source.surface.faces)
        lifted.face[target.pinned] = exact.face
        lifted.barycentric[target.pinned] = exact.barycentric
        sure[target.pinned] = 1.0
    lifted, sure = lifted[target.clean_vertex], sure[target.clean_vertex]
    lifted = _on_given(lifted, source)
    clock.stop("lift")
    return Correspondence(
        target_to_source=lifted,
        confidence=sure,
        judgement=judged,
        features="signatures" if model is None else model.card.name,
        fit=fit,
        repairs=(source.report, target.report),
        seconds=clock.seconds,
    )


def _laid_down(source: _Side, target: _Side, rough, pins, course, clock) -> SurfacePoints:
    """A rough map of both directions through the pins and after registration."""
    points, back = rough
    tell = clock.start("registration")
    if pins is not None:
        points = bend_to_pins(source.mesh, target.mesh, points, *pins)
    sure = confidence(cycle_distance(source.mesh, target.mesh, points, back))
    same = None if pins is not None else congruent_map(source.mesh, target.mesh, points)
    if same is None:
        points = register(source.mesh, target.mesh, points, sure, pins, tell, course)
    clock.stop("registration")
    return points if same is None else same


def _share_sure(source: _Side, target: _Side, maps) -> float:
    """Share of the target's area that comes back to where it was."""
    sure = confidence(cycle_distance(source.mesh, target.mesh, *maps))
    return float(target.mesh.mass @ (sure > 0.5))


def _refined_anew(source: _Side, target: _Side, maps, pins, clock) -> tuple:
    """A map in doubt after it was refined from where registration left it, if that is better.

    Registration slides limbs to where they fit; a refinement that starts there ends elsewhere than
    the first.
    """
    for _ in range(FRESH_STARTS):
        if _share_sure(source, target, maps) >= CLEARLY_SURE:
            break
        tell = clock.start("map")
        start = map_of_points(source.mesh, target.mesh, maps[0], FIRST_MAP_SIZE)
        rough = _refined(source, target, start, pins, _samples(source, target), tell)
        clock.stop("map")
        other = _laid_down(source, target, rough, pins, SLIDING, clock), rough[1]
        if _worth(source, target, other) <= _worth(source, target, maps):
            break
        maps = other
    return maps


def _fitted(source: _Side, target: _Side, maps, pins, model, fitting: _Fitting, clock) -> tuple:
    """The better of a map and of what a network makes of it, and which of the two it is."""
    tell = clock.start("fit")
    meshes, matrices = (source.mesh, target.mesh), (source.matrices, target.matrices)
    learned, _ = fitted_map(
        meshes, matrices, maps, model, fitting.device, lambda fraction: tell(0.8 * fraction)
    )
    start = map_of_points(*meshes, learned, FIRST_MAP_SIZE)
    refining = pins, _samples(source, target), lambda fraction: tell(0.8 + 0.2 * fraction)
    rough, back = _refined(source, target, start, *refining)
    clock.stop("fit")
    points = _laid_down(source, target, (rough, back), pins, SLIDING, clock)
    if _worth(source, target, (points, back)) > _worth(source, target, maps):
        return (points, back), "kept"
    return maps, "no better"


def _worth(source: _Side, target: _Side, maps) -> float:
    """How well a map keeps what it should, and how much of it comes back to where it was."""
    judged = judge(source.mesh, target.mesh, maps[0], source.features, target.features)
    refined = map_of_points(source.mesh, target.mesh, maps[0], CHOICE_SIZE)
    return merit(refined, judged) + _share_sure(source, target, maps)


def _by_features(source: _Side, target: _Side, model, clock) -> tuple | None:
    """Points of both directions by the features of a model; None where these leave doubts."""
    if model is None:
        return None
    clock.start("map")
    known = source.features, target.features
    found = map_by_features(source.mesh, target.mesh, *known)
    judged = judge(source.mesh, target.mesh, found[0], *known)
    clock.stop("map")
    return found if _is_beyond_doubt(judged, model) else None


def _by_functional_maps(source: _Side, target: _Side, model, pins, clock) -> tuple:
    """Points of both directions by the best of several functional maps, refined."""
    tell = clock.start("candidates")
    samples = _samples(source, target)
    refining = min(CHOICE_SIZE, _map_size(source, target)), pins, samples
    chosen, judged = _choose(source, target, _known_maps(source, target, model), *refining)
    if len(source.pins) < 3 and not _is_beyond_doubt(judged, model):
        others = _maps_by_distance(source, target, tell)
        chosen, _ = _choose(source, target, [chosen, *others], *refining)
    clock.stop("candidates")
    tell = clock.start("map")
    found = _refined(source, target, chosen, pins, samples, tell)
    clock.stop("map")
    return found


def _samples(source: _Side, target: _Side) -> tuple[np.ndarray, np.ndarray]:
    """Vertices that are matched on the way to a refined map."""
    return tuple(farthest_points(side.mesh.vertices, 1500) for side in (source, target))


def _map_size(source: _Side, target: _Side) -> int:
    """Size of a refined map."""
    fewest = min(len(side.mesh.vertices) for side in (source, target))
    return max(min(MAP_SIZE, fewest // VERTICES_PER_PAIR), FIRST_MAP_SIZE)


def _refined(source: _Side, target: _Side, start: np.ndarray, pins, samples, tell) -> tuple:
    """Points of both directions of a functional map, refined to its full size."""
    refined = zoomout(
        source.mesh,
        target.mesh,
        start,
        _map_size(source, target),
        pins=pins,
        samples=samples,
        progress=lambda fraction: tell(0.8 * fraction),
    )
    there, here = embeddings(source.mesh.eigenvectors, target.mesh.eigenvectors, refined)
    points = precise_map(there, source.mesh.faces, here)
    return points, precise_map(here, target.mesh.faces, there)


def _choose(source, target, candidates, size, pins, samples) -> tuple[np.ndarray, Judgement]:
    """Of several first maps the best, refined to a size at which they can be told apart."""
    found = []
    for start in candidates:
        refined = zoomout(
            source.mesh,
            target.mesh,
            start,
            size,
            pins=pins,
            samples=samples,
            between_vertices=False,
        )
        there, here = embeddings(source.mesh.eigenvectors, target.mesh.eigenvectors, refined)
        points = points_at_vertices(nearest_rows(there, here), source.mesh.faces)
        judged = judge(source.mesh, target.mesh, points, source.features, target.features)
        found.append((merit(refined, judged), refined, judged))
    _, refined, judged = max(found, key=lambda entry: entry[0])
    return refined, judged


def _is_beyond_doubt(judged: Judgement, model) -> bool:
    """Whether the features of a model know these shapes, and the map keeps to them."""
    return (
        model is not None
        and judged.orientation_kept > CLEARLY_KEPT
        and judged.feature_agreement > CLEARLY_ALIKE
    )


def _known_maps(source: _Side, target: _Side, model) -> list[np.ndarray]:
    """Functional maps to start from, of what is known about places."""
    known = source.features, target.features
    size = FIRST_MAP_SIZE
    if len(source.pins) >= 3:
        # Pins alone say where front and left are; descriptors fill in between.
        pinned = (
            pin_functions(source.mesh, source.pins),
            pin_functions(target.mesh, target.pins),
        )
        return [functional_map(source.mesh, target.mesh, *pinned, size)]
    if model is None:
        return [functional_map(source.mesh, target.mesh, *known, size)]
    partners = points_at_vertices(nearest_rows(*known), source.mesh.faces)
    return [map_of_points(source.mesh, target.mesh, partners, size)]


def _maps_by_distance(source: _Side, target: _Side, tell) -> list[np.ndarray]:
    """Functional maps that symmetry allows; features that know the sides judge them."""
    known = source.features, target.features
    return [
        *maps_by_signs(source.mesh, target.mesh, *known, tell),
        functional_map(source.mesh, target.mesh, *known, FIRST_MAP_SIZE),
    ]


def _on_given(points: SurfacePoints, side: _Side) -> SurfacePoints:
    """Points on a mended surface as points on the triangles that were handed in."""
    faces, given = side.surface.faces, side.clean_vertex[side.given.faces]
    if np.array_equal(faces, given):
        return points
    if len(faces) == len(given) and np.array_equal(np.sort(faces), np.sort(given)):
        # The same triangles, turned over perhaps.
        shares = np.empty_like(points.barycentric)
        rank, wanted = (np.argsort(corners[points.face]) for corners in (faces, given))
        row = np.arange(len(points))[:, None]
        shares[row, wanted] = points.barycentric[row, rank]
        return SurfacePoints(points.face, shares)
    position = points.interpolate(side.surface.vertices, side.surface.faces)
    return ClosestPoints(side.given.vertices, side.given.faces)(position)[0]


def _signatures(mesh: SpectralMesh) -> np.ndarray:
    """Wave kernel signatures, each energy relative to its mean over the surface."""
    pairs = slice(0, SIGNATURE_PAIRS)
    signature = wave_kernel_signature(
        mesh.eigenvalues[pairs], mesh.eigenvectors[:, pairs], ENERGIES
    )
    return signature / (mesh.mass @ signature)


def vertex_features(model: Model, discretization: Discretization, engine) -> np.ndarray:
    """Features of a network at vertices, rows of unit length, (V, 2 outputs) float32.

    Those of the surface, and those of its image in a mirror, which another pass of the network
    gives (`forward.mirrored_weights`): two opinions of each place.

    Parameters
    ----------
    model : Model
    discretization : Discretization
    engine : NumpyEngine or TorchEngine
    """
    inputs = engine.array(input_features(discretization, model.card.features))
    shape = shape_of(discretization, engine)
    found = []
    for weights in (model.weights, mirrored_weights(model.weights)):
        weights = {name: engine.array(value) for name, value in weights.items()}
        with engine.inference():
            raw = engine.to_numpy(forward(model.card.architecture, weights, shape, inputs, engine))
        length = np.linalg.norm(raw, axis=1, keepdims=True)
        found.append(raw / np.maximum(length, np.finfo(np.float32).tiny))
    return (np.concatenate(found, axis=1) / np.sqrt(2.0)).astype(np.float32)
