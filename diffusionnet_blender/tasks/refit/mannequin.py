"""The target's body in the shape of the source's: what garments lie on before and after."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...errors import DiffusionNetError
from ...matching.closest import ClosestPoints
from ...matching.conform import conform
from ...surface.edges import boundary_edges
from ...surface.repair import RepairedSurface, repair
from ...surface.surface import Surface, vertex_areas
from ...surface.triangles import compact
from ..clock import Clock
from ..match.kinds import kind_of
from ..match.pipeline import correspondence
from ..match.request import Correspondence, Members
from ..progress import Progress
from .request import RefitRequest

# A body is cut away beneath its clothes if so much of their area is nearest to its open edges.
CUT_AWAY = 0.1


@dataclass(frozen=True, eq=False)
class Mannequin:
    """A body in two shapes.

    Attributes
    ----------
    faces : (F, 3) int64
        Facing outward.
    before, after : (V, 3) float64
        On the source, and as the target's body is.
    clean : RepairedSurface
        The target's body: `after` are its vertices.
    correspondence : Correspondence or None
        None where both bodies are one mesh.
    amid_layers : bool
        Whether `before` lies on clothes, as there is no body beneath them.
    """

    faces: np.ndarray
    before: np.ndarray
    after: np.ndarray
    clean: RepairedSurface
    correspondence: Correspondence | None
    amid_layers: bool = False


def mannequin_of(request: RefitRequest, clock: Clock, progress: Progress) -> Mannequin:
    """Bend the target's body onto the source's.

    Of two bodies that are one mesh, each vertex is where it is on the other. Where the source's
    body was cut away beneath its clothes, they are taken for it.

    Raises
    ------
    DiffusionNetError
        If the match is uncertain, unless that is accepted.
    """
    source, target = request.match.source, request.match.target
    if np.array_equal(source.faces, target.faces) and len(request.match.pins) == 0:
        clean = repair(target)
        before = source.vertices[clean.user_vertex]
        return Mannequin(clean.surface.faces, before, clean.surface.vertices, clean, None)
    match = request.match
    is_cut = cut_away(source, request.garments)
    if is_cut:
        source, member = _dressed(request)
        known = None
        if match.source_known is not None:
            known = np.zeros((len(member), match.source_known.shape[1]))
            known[: len(match.source_known)] = match.source_known
        match = replace(
            match,
            source=source,
            source_members=Members(member, ("",) * (int(member.max()) + 1)),
            source_known=known,
        )
    found = correspondence(match, progress)
    if found.uncertain and not request.accept_uncertain:
        raise DiffusionNetError(
            f"{found.doubt}nothing was fitted", "Set pins, or switch Accept Uncertain on."
        )
    clock.start("bending")
    clean = repair(target)
    chosen = clean.user_vertex
    confidence = np.where(found.unmatched, 0.0, found.confidence)
    bent = conform(
        clean.surface.vertices,
        clean.surface.faces,
        (source.vertices, source.faces),
        found.target_to_source[chosen],
        confidence[chosen],
        progress=lambda fraction: progress("bending", fraction),
    )
    clock.stop("bending")
    return Mannequin(
        clean.surface.faces, bent.vertices, clean.surface.vertices, clean, found, is_cut
    )


def cut_away(body: Surface, garments: Surface) -> bool:
    """Whether a body has been removed beneath what it wears."""
    clean = repair(body).surface
    open_edges = boundary_edges(clean.faces)
    if not len(open_edges):
        return False
    at_edge = np.zeros(len(clean.vertices), dtype=bool)
    at_edge[open_edges] = True
    points, _ = ClosestPoints(clean.vertices, clean.faces)(garments.vertices)
    corners = at_edge[clean.faces[points.face]]
    on_edge = (points.barycentric * corners).sum(axis=1) > 1 - 1e-6
    area = vertex_areas(garments.vertices, garments.faces)
    return bool(area @ on_edge > CUT_AWAY * area.sum())


def _dressed(request: RefitRequest) -> tuple[Surface, np.ndarray]:
    """The source's body and what covers it in one, and the member of each vertex, (V,) int32.

    Without hair, hats and the like, which every match leaves out of the figure.
    """
    body, garments = request.match.source, request.garments
    covers = np.array([not kind_of(name) for name in request.names])[request.member]
    faces, kept = compact(len(covers), garments.faces[covers[garments.faces].all(axis=1)])
    return Surface(
        np.concatenate([body.vertices, garments.vertices[kept]]),
        np.concatenate([body.faces, faces + len(body.vertices)]),
    ), np.concatenate(
        [np.zeros(len(body.vertices), np.int32), request.member[kept].astype(np.int32) + 1]
    )
