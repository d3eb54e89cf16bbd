"""Parts of the body on a figure that is matched, and the upright frame in which they lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from ...errors import DiffusionNetError
from ...matching.limbs.links import PARTS
from ...matching.limbs.parted import PartedMesh, parted_mesh
from ...network.card import ModelCard
from ...network.checkpoint import Model
from ...surface.discretization import Discretization, discretize, truncated
from ...surface.prepare import prepared_from
from ...surface.proxy import make_proxy
from ...surface.repair import RepairedSurface
from ...surface.settings import DiscretizationSettings
from ...surface.surface import Surface
from ...surface.winding import vertex_normals
from ..clock import Clock
from ..fine_parts import within_known
from ..known import require_known
from ..models import ANIMAL_PARTS_MODEL, DEFAULT_MODEL, LAYERS_MODEL, card_of
from ..progress import SILENT, CallbackProgress
from ..segment.framing import HALF_TURN
from ..segment.job import STAGES as SEGMENT_STAGES
from ..segment.pipeline import segmentation
from ..segment.request import Carried, SegmentRequest
from ..sides import side_of, sides_of
from .main_part import MainPart, main_part
from .request import PEOPLE, MatchRequest, Members

# Vertices on which parts are found where that is not the mesh of the features, at most about: a
# match sees them on a coarser mesh still (`main_part.PROXY_VERTICES`).
MOST_VERTICES = 6_000
# Parts of a place are those of so many vertices around it that face alike.
NEAREST = 8
# Share of the vertices that must be surely of one part for a figure to have a body at all.
LEAST_SURE = 0.3


@dataclass(frozen=True, eq=False)
class SeenPart:
    """The main part of a surface on which parts and features are both found, and its matrices.

    Attributes
    ----------
    main : MainPart
    matrices : Discretization
        Of its proxy, with enough eigenpairs for the network of parts and for that of features.
    """

    main: MainPart
    matrices: Discretization


@dataclass(frozen=True, eq=False)
class BodyParts:
    """Parts of the body at the vertices of a surface.

    Attributes
    ----------
    surface : Surface
    probabilities : (V, C) float
    names : tuple of C str
    frame : (3, 3) float64
        Rows: the directions to the left of the figure, to its back, and up.
    sides_sure : float
        Probability that left and right are not exchanged, 0.5 to 1.
    segmented : SegmentRequest
        By which they were found.
    seen : SeenPart or None
        Of the repaired surface, where parts were found on that.
    """

    surface: Surface
    probabilities: np.ndarray
    names: tuple[str, ...]
    frame: np.ndarray
    sides_sure: float
    segmented: SegmentRequest
    seen: SeenPart | None

    @property
    def is_person(self) -> bool:
        """Whether they are the fine parts of a person, so that limbs can be matched."""
        return set(PARTS) <= set(self.names)

    def on(self, mesh: Surface) -> PartedMesh:
        """Another mesh of the same figure, in the same place, with these parts."""
        parts = self._at(mesh, self.probabilities)
        return parted_mesh(mesh.vertices, mesh.faces, parts, self.names, self.frame)

    def head(self, mesh: Surface) -> np.ndarray:
        """Vertices (n,) of the head on another mesh of the same person, in the same place."""
        is_head = self.probabilities[:, [self.names.index("head")]]
        return np.flatnonzero(self._at(mesh, is_head)[:, 0] > 0.5)

    def with_layers(self, body: PartedMesh, mesh: Surface) -> PartedMesh:
        """What `on` gave for a mesh, with its hair and accessories."""
        hair, accessory = self._at(mesh, self._layers).T
        return replace(body, hair=hair, accessory=accessory)

    @cached_property
    def _layers(self) -> np.ndarray:
        """Probabilities (V, 2) of hair and of accessories."""
        found = segmentation(replace(self.segmented, model=LAYERS_MODEL, sides=None), SILENT)
        columns = [found.class_names.index(name) for name in ("hair", "accessory")]
        return found.vertex_probabilities[:, columns].astype(float)

    def _at(self, mesh: Surface, values: np.ndarray) -> np.ndarray:
        """Values (V, n) at the vertices of another mesh in the same place."""
        if mesh is self.surface:
            return values
        own = vertex_normals(self.surface.vertices, self.surface.faces)
        distance, near = cKDTree(self.surface.vertices).query(mesh.vertices, NEAREST)
        facing = np.einsum("vki,vi->vk", own[near], vertex_normals(mesh.vertices, mesh.faces))
        least = 1e-3 * np.ptp(mesh.vertices, axis=0).max()
        weight = np.clip(facing + 0.5, 0.05, 1.5) / np.square(distance + least)
        weight /= weight.sum(axis=1, keepdims=True)
        return np.einsum("vk,vkc->vc", weight, values[near])


def require_parts(request: MatchRequest) -> None:
    """Check what a request has about the parts of the body.

    Raises
    ------
    DiffusionNetError
        If known parts do not fit, or the models are no two.
    """
    models = request.parts_models
    is_pair = isinstance(models, tuple | list) and len(models) == 2
    if models is not None and not (is_pair and all(isinstance(m, str | Model) for m in models)):
        raise DiffusionNetError(
            "parts_models is no pair of models", "Give two, for source and target, or None."
        )
    card = card_of(DEFAULT_MODEL, request.model_folders, "segment")
    for name, known, surface in (
        ("source_known", request.source_known, request.source),
        ("target_known", request.target_known, request.target),
    ):
        if known is not None:
            require_known(known, len(surface.vertices), card, name)


def with_parts_of(request: MatchRequest, model: Model) -> MatchRequest:
    """A request with the models of parts that go with features of four-legged animals.

    Other features leave it as it is, and so do models of parts that were chosen.
    """
    if not model.card.four_legs or request.parts_models != PEOPLE:
        return request
    return replace(request, parts_models=(ANIMAL_PARTS_MODEL, ANIMAL_PARTS_MODEL))


@dataclass(frozen=True, eq=False)
class KnownFigure:
    """A figure of a match, with what is known about its vertices.

    Attributes
    ----------
    surface : Surface
    members : Members or None
    known : (V, C) float or None
        Probabilities of its parts.
    """

    surface: Surface
    members: Members | None
    known: np.ndarray | None


def both_bodies(
    request: MatchRequest,
    repaired: tuple[RepairedSurface, RepairedSurface],
    mains: tuple[MainPart | None, MainPart | None],
    settings: DiscretizationSettings,
    clock: Clock,
) -> tuple[BodyParts, BodyParts] | tuple[None, None]:
    """Parts of the body on source and target; of none where either is no body.

    Bones lead where those of both are known: where a rigger draws a border is not where the model
    does. Those of one tell its sides.

    Parameters
    ----------
    request : MatchRequest
    repaired : (RepairedSurface, RepairedSurface)
        Source and target.
    mains : (MainPart, MainPart) or (None, None)
        Of both where these are matched themselves, and not the skins of figures.
    settings : DiscretizationSettings
        Of the network of features, which sees the same surfaces afterwards.
    clock : Clock
    """
    if request.parts_models is None:
        return None, None
    report = clock.start("parts")
    bones_lead = request.source_known is not None and request.target_known is not None
    figures = (
        KnownFigure(request.source, request.source_members, request.source_known),
        KnownFigure(request.target, request.target_members, request.target_known),
    )
    found = []
    for number, (figure, clean) in enumerate(zip(figures, repaired, strict=True)):
        progress = _within(report, number / 2)
        model = request.parts_models[number]
        card = card_of(model, request.model_folders, "segment")
        seen = _seen_by_both(figure, clean, mains[number], card, settings, progress)
        shown = coarser(figure, clean) if seen is None else _as_seen(figure, clean, seen.main)
        parts = _body_parts(request, shown, seen, bones_lead, model, card, progress)
        if parts is None:
            break
        found.append(parts)
    clock.stop("parts")
    return (found[0], found[1]) if len(found) == 2 else (None, None)


def _seen_by_both(
    figure: KnownFigure,
    clean: RepairedSurface,
    main: MainPart | None,
    card: ModelCard,
    settings: DiscretizationSettings,
    progress: Callable[[str, float], None],
) -> SeenPart | None:
    """The main part of a repaired surface on which parts and features are both found.

    None where the two networks need other matrices: those of an animal, of objects, of a dense mesh
    beneath a skin or of models with other settings.
    """
    both = replace(settings, k=max(settings.k, card.discretization.k))
    alike = replace(both, k=card.discretization.k) == card.discretization
    if figure.members is not None or card.four_legs or not alike:
        return None
    if main is None:
        if len(clean.surface.vertices) > MOST_VERTICES:
            return None
        main = main_part(clean.surface)
    return SeenPart(main, discretize(main.proxy, both, progress))


def _as_seen(figure: KnownFigure, clean: RepairedSurface, main: MainPart) -> KnownFigure:
    """The main part of a figure without members."""
    known = figure.known
    if known is not None:
        known = known[clean.user_vertex[main.parts.main_vertex]]
        if main.proxy is not main.parts.main:
            known = known[cKDTree(main.parts.main.vertices).query(main.proxy.vertices)[1]]
    return KnownFigure(main.proxy, None, known)


def coarser(figure: KnownFigure, clean: RepairedSurface) -> KnownFigure:
    """A figure with at most about `MOST_VERTICES` of its vertices.

    Parameters
    ----------
    figure : KnownFigure
    clean : RepairedSurface
        Of its surface.
    """
    if len(clean.surface.vertices) <= MOST_VERTICES:
        return figure
    proxy = make_proxy(clean.surface, MOST_VERTICES)
    kept = clean.user_vertex[proxy.vertex]
    members = figure.members
    if members is not None:
        carried = tuple(
            Carried(
                np.flatnonzero(np.isin(kept, thing.vertices)),
                # A carrier may be a few vertices between those that are kept.
                np.unique(proxy.weights[clean.clean_vertex[thing.carrier]].indices),
            )
            for thing in members.carried
        )
        members = replace(members, of_vertex=members.of_vertex[kept], carried=carried)
    known = None if figure.known is None else figure.known[kept]
    return KnownFigure(proxy.surface, members, known)


def _body_parts(
    request: MatchRequest,
    figure: KnownFigure,
    seen: SeenPart | None,
    bones_lead: bool,
    model: str | Model,
    card: ModelCard,
    progress: Callable[[str, float], None],
) -> BodyParts | None:
    """Parts of the body on one figure of a request; None where it has no upright frame of one.

    `card` is that of the model.
    """
    surface, members = figure.surface, figure.members
    four_legs = card.four_legs
    # Bones are known by the parts of people.
    known = None if four_legs else figure.known
    coarse: Sequence[str] = ()
    if known is not None:
        coarse = card_of(DEFAULT_MODEL, request.model_folders, "segment").class_names
    sides = None if known is None else sides_of(known, coarse)
    segmented = SegmentRequest(
        surface,
        model,
        member=None if members is None else members.of_vertex,
        carried=() if members is None else members.carried,
        sides=sides if sides is not None and sides.any() else None,
        engine=request.engine,
        device=request.device,
        model_folders=request.model_folders,
    )
    prepared = None
    if seen is not None:
        prepared = prepared_from(truncated(seen.matrices, card.discretization.k))
    found = segmentation(segmented, CallbackProgress(progress), prepared)
    names = found.class_names
    probabilities = found.vertex_probabilities.astype(float)
    has_parts = four_legs or set(PARTS) <= set(names)
    sure = np.mean(probabilities.max(axis=1) > 0.5)
    if found.frame is None or not has_parts or sure < LEAST_SURE:
        return None
    if known is not None and bones_lead:
        probabilities = within_known(probabilities, names, known, coarse)
    frame = found.frame
    if _to_left(surface, probabilities, names) @ frame[0] < 0:
        # Bones have decided the sides.
        frame = HALF_TURN @ frame
    sides_sure = 1.0 if found.side_confidence is None else found.side_confidence
    return BodyParts(surface, probabilities, names, frame, sides_sure, segmented, seen)


def _to_left(surface: Surface, probabilities: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Direction (3,) from the parts of the right side to those of the left."""
    used = np.unique(surface.faces)
    side = np.array([side_of(name) for name in names])
    weight = probabilities[used] @ side
    left, right = np.maximum(weight, 0.0), np.maximum(-weight, 0.0)
    middle = [each @ surface.vertices[used] / max(each.sum(), 1e-9) for each in (left, right)]
    return middle[0] - middle[1]


def _within(report: Callable[[float], None], start: float) -> Callable[[str, float], None]:
    """Progress in the stages of a segmentation as half of a stage, from a fraction of it on."""
    before, total = {}, 0.0
    for stage, share in SEGMENT_STAGES.items():
        before[stage] = total
        total += share

    def progress(stage: str, fraction: float) -> None:
        if stage in before:
            done = (before[stage] + SEGMENT_STAGES[stage] * fraction) / total
            report(start + done / 2)

    return progress
