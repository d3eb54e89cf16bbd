"""A target that already lies on the source: the map by place, or the decision to match shapes."""

from __future__ import annotations

import numpy as np

from ...errors import DiffusionNetError
from ...matching.in_place import Placement, may_lie_on
from ...matching.judgement import Judgement
from ...matching.points import SurfacePoints
from ...matching.unmatched import unmatched
from ...surface.repair import RepairedSurface
from ...surface.stray import stray_vertices
from ...surface.surface import Surface
from ..clock import Clock
from .figure import Figure, with_pieces
from .request import Correspondence, MatchRequest


def found_in_place(
    request: MatchRequest,
    repaired: tuple[RepairedSurface, RepairedSurface],
    figures: tuple[Figure, Figure],
    clock: Clock,
) -> Correspondence | None:
    """The map by place; None where shapes are to be matched.

    Pins belong to a match of shapes: with them *Automatic* matches.

    Parameters
    ----------
    request : MatchRequest
    repaired : (RepairedSurface, RepairedSurface)
        Source and target.
    figures : (Figure, Figure)
        Of both.
    clock : Clock

    Raises
    ------
    DiffusionNetError
        If the method is in place and there are pins, or nothing of the target is on the source.
    """
    forced, has_pins = request.method == "IN_PLACE", len(request.pins) > 0
    if forced and has_pins:
        raise DiffusionNetError(
            "Pins have no effect in place", "Remove the pins, or choose another method."
        )
    if request.method == "MATCH" or has_pins:
        return None
    source, target = (each.surface for each in figures)
    clock.start("map")
    shapes = (source.vertices, source.faces), (target.vertices + request.offset, target.faces)
    placement = Placement(*shapes) if forced or may_lie_on(*shapes) else None
    if placement is None or not (forced or placement.lies_on_source):
        clock.stop("map")
        return None
    points, confidence = placement.map()
    clock.stop("map")
    if not confidence.any():
        raise DiffusionNetError(
            "The target is nowhere on the source", "Move it there, or choose another method."
        )
    chosen = repaired[1].clean_vertex
    points, confidence, alone = with_pieces(points, confidence, *figures, request.offset)
    alone = unmatched(repaired[1].surface, confidence, alone)
    points = on_input(points, repaired[0].surface, request.source, repaired[0].clean_vertex)
    return Correspondence(
        target_to_source=points[chosen],
        confidence=confidence[chosen],
        unmatched=alone[chosen],
        # Nothing is turned over, and no features are compared.
        judgement=Judgement(
            orientation_kept=1.0, feature_agreement=1.0, rigid_residual=placement.residual
        ),
        model_name="",
        way="in place",
        fit="",
        repairs=(repaired[0].report, repaired[1].report),
        seconds=clock.seconds,
        offset=np.asarray(request.offset, dtype=np.float64),
    )


def on_input(
    points: SurfacePoints, repaired: Surface, original: Surface, clean_vertex: np.ndarray
) -> SurfacePoints:
    """Points on a repaired surface as points on the triangles of the input.

    Parameters
    ----------
    points : SurfacePoints
    repaired, original : Surface
    clean_vertex : (V,) int
        Vertex of the repaired surface for each of the input.
    """
    faces, corners = repaired.faces, clean_vertex[original.faces]
    if np.array_equal(faces, corners):
        return points
    # Each triangle is one of the input's, perhaps with another orientation, so that the sum of a
    # random number for each corner tells which.
    code = np.random.default_rng(0).integers(0, 2**63, len(repaired.vertices), dtype=np.uint64)
    stray = stray_vertices(original.vertices)
    kept = np.flatnonzero(~np.isin(original.faces, stray).any(axis=1))
    of_input, first = np.unique(code[corners[kept]].sum(axis=1), return_index=True)
    face = kept[first[np.searchsorted(of_input, code[faces].sum(axis=1))]][points.face]
    barycentric = np.empty((len(points), 3))
    row = np.arange(len(points))[:, None]
    rank, wanted = np.argsort(faces[points.face]), np.argsort(corners[face])
    barycentric[row, wanted] = points.barycentric[row, rank]
    return SurfacePoints(face, barycentric)
