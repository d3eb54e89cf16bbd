"""Match two surfaces: where each vertex of the target is on the source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import DeviceError, DiffusionNetError
from ...matching.closest import ClosestPoints
from ...matching.confidence import confidence, cycle_distance, feature_margin
from ...matching.judgement import Judgement
from ...matching.lift import lift_map
from ...matching.orientation import judge
from ...matching.parts import place_parts
from ...matching.pins import check_pins
from ...matching.points import SurfacePoints, points_at_vertices
from ...matching.registration import SETTLING, SLIDING
from ...matching.sampling import farthest_points
from ...network.checkpoint import Model
from ...surface.repair_report import RepairReport
from ...surface.surface import Surface
from ..clock import Clock, Progress
from ..engines import choose_engine
from .fit_pair import can_fit
from .maps import Fitting, by_features, by_functional_maps, fitted, refined_again, registered
from .side import Side, prepare_side

# Places of the source among which the features of a vertex must tell its own.
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
    clock = Clock(progress)
    try:
        sides = [
            prepare_side(surface, own, model, runner, clock, name)
            for name, surface, own in zip(("source", "target"), (source, target), pins, strict=True)
        ]
        return _match(*sides, model, Fitting(fit, engine, device), clock)
    except MemoryError as error:
        raise DeviceError(
            f"Memory ran out on {len(source.vertices):,} and {len(target.vertices):,} vertices",
            "Close other programs, or decimate copies of the meshes first.",
        ) from error


def _match(source: Side, target: Side, model, fitting: Fitting, clock) -> Correspondence:
    pins = (source.pins, target.pins) if len(source.pins) else None
    direct = by_features(source, target, model, clock)
    rough, back = direct or by_functional_maps(source, target, model, pins, clock)
    course = SETTLING if direct else SLIDING
    points = registered(source, target, (rough, back), pins, course, clock)
    maps, fit = (points, back), ""
    if direct is None:
        maps = refined_again(source, target, maps, pins, clock)
    if fitting.wanted:
        fit = "no torch"
        if can_fit(fitting.engine):
            maps, fit = fitted(source, target, maps, pins, model, fitting, clock)
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


def _on_given(points: SurfacePoints, side: Side) -> SurfacePoints:
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
