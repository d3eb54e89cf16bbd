"""From a bare figure to its joints, and to what its bones will move."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ...errors import SurfaceError
from ...matching.limbs.directions import SIDES
from ...network.card import ModelCard
from ...surface.character import require_members
from ...surface.discretization import Discretization
from ...surface.loose_parts import label_mesh_parts
from ...surface.mirror import mirror_of
from ...surface.prepare import PreparedSurface
from ...surface.repair import weld
from ...surface.settings import DiscretizationSettings
from ...surface.surface import Surface, vertex_areas
from ..clock import Clock
from ..family.pipeline import proposal_beside
from ..family.request import FOUR_LEGS, PEOPLE, FamilyRequest
from ..inference import prepare_cached
from ..memory import memory_errors_explained
from ..models import card_of
from ..progress import CallbackProgress, Progress
from ..segment.carried import body_of, carried_by
from ..segment.pipeline import segmentation
from ..segment.request import Carried, Segmentation, SegmentRequest
from .eyes import Eyeball, eyeballs
from .families import Family, family_with
from .figure import Figure, figure_of
from .judgement import (
    EVIDENT,
    doubts_of_joints,
    no_animal,
    require_no_other_family,
    require_of_family,
)
from .request import Fitted, RigRequest
from .symmetry import even_parts, even_places

# Share of the area that must be surely of one part for a figure to have a body at all.
LEAST_SURE = 0.3
# A body with arms and legs has more.
FEWEST_VERTICES = 24
# A loose part, such as an eye or a buckle, is stiff where it is smaller than this share of the
# figure; a larger one, up to the second share, where so much of it is of one part of the body.
STIFF_SIZE, STIFF_AT_MOST, OF_ONE_PART = 0.06, 0.16, 0.8
# A loose part with this share of the heads and of the legs is a figure of its own,
# where it stands so many heights away.
OF_ANOTHER, APART = 0.2, 0.15
# Joints without which there is nothing to hang bones on.
NEEDED = ("hips", "neck")
EYES = ("eye.L", "eye.R")


def fitted(request: RigRequest, progress: Progress) -> Fitted:
    """Joints of a figure and what its bones will move, see `job.run`."""
    surface = request.surface
    if surface.is_point_cloud:
        raise SurfaceError(
            "A point cloud cannot be rigged", "Make a mesh of it, or choose another."
        )
    require_members(request.member, len(surface.vertices))
    card = card_of(request.model, request.model_folders, "segment")
    family = family_with(card)
    clock = Clock(progress)
    carried = carried_by(surface, request.member, request.carried)
    body, kept = surface, np.arange(len(surface.vertices))
    prepared = None
    if carried:
        body, kept = body_of(surface, carried)
    else:
        prepared = _prepared(request, card, progress, clock.seconds)
    made = {} if prepared is None else {card.discretization: prepared.discretization}
    found = _parts_of(request, progress, prepared)
    clock.seconds.update(found.seconds)
    frame = _frame_of_figure(surface, found, family)

    clock.start("joints")
    parts = found.vertex_probabilities[kept]
    figure = figure_of(body, parts, found.class_names, frame, family)
    _require_one(figure)
    landmarks = _landmarks(figure)
    areas = vertex_areas(body.vertices, body.faces)
    sure = found.vertex_probabilities[kept].max(axis=1)
    confidence = float(areas @ sure / areas.sum())
    missing = figure.mesh.missing()
    if len(missing) == len(family.layout.limb_joints):
        raise _no_figure(family)
    height = float(np.ptp(body.vertices[np.unique(body.faces)] @ frame[2]))
    mirror = mirror_of(body.vertices, areas, frame[0], height)
    # What lacks a limb on one side is no mirror image there.
    evened = None if missing else mirror
    if evened is not None:
        landmarks = even_places(evened, landmarks)
    places = landmarks | figure.mesh.placed(landmarks)
    if evened is not None:
        places = even_places(evened, places)
    doubts = doubts_of_joints(
        {name: place for name, place in places.items() if name not in missing},
        frame[2],
        height,
        confidence,
        found.side_confidence,
        family.four_legs,
    )
    require_of_family(family.four_legs, landmarks, frame, confidence, doubts)
    clock.stop("joints")

    report = clock.start("family")
    if confidence < EVIDENT:
        _require_no_other_family(request, family, body, made, report)
    clock.stop("family")

    clock.start("parts")
    usual = {name: places.pop(name) for name in EYES if name in places}
    parts = np.zeros((len(surface.vertices), len(found.class_names)), np.float32)
    smooth = figure.smooth_parts()
    parts[kept] = smooth if mirror is None else even_parts(mirror, smooth, found.class_names)
    _add_carried(parts, surface, carried)
    stiff = _stiff_pieces(surface, parts, carried)
    eyes = eyeballs(surface.vertices, stiff, usual, height)
    for name, eye in eyes.items():
        places[name] = eye.centre
        places[f"front_{name}"] = eye.centre - eye.radius * frame[1]
    parts = _with_eyes(parts, eyes)
    clock.stop("parts")

    return Fitted(
        places=places,
        frame=frame,
        part_names=(*found.class_names, *eyes),
        parts=parts,
        stiff=stiff,
        confidence=confidence,
        four_legs=family.four_legs,
        doubts=doubts,
        seconds=clock.seconds,
    )


def _prepared(
    request: RigRequest, card: ModelCard, progress: Progress, seconds: dict[str, float]
) -> PreparedSurface:
    """Matrices by which parts and family are found of a figure that carries nothing."""
    with memory_errors_explained(len(request.surface.vertices)):
        return prepare_cached(
            request.surface,
            card.discretization,
            False,
            request.cache,
            progress,
            seconds,
            outer_skin=card.outer_skin,
        )


def _parts_of(
    request: RigRequest, progress: Progress, prepared: PreparedSurface | None
) -> Segmentation:
    """The parts of a figure on the surface of a request."""
    segmented = SegmentRequest(
        request.surface,
        request.model,
        member=request.member,
        carried=request.carried,
        cache=request.cache,
        engine=request.engine,
        device=request.device,
        model_folders=request.model_folders,
    )
    return segmentation(segmented, CallbackProgress(progress), prepared)


def _require_no_other_family(
    request: RigRequest,
    family: Family,
    body: Surface,
    made: dict[DiscretizationSettings, Discretization],
    report: Callable[[float], None],
) -> None:
    """Raise SurfaceError for a figure, less what it carries, that is surely of another family."""
    asked = FamilyRequest(body, cache=request.cache, engine=request.engine, device=request.device)

    def networks_alone(stage: str, done: float) -> None:
        report(done if stage == "network" else 0.0)

    own = FOUR_LEGS if family.four_legs else PEOPLE
    found = proposal_beside(own, asked, CallbackProgress(networks_alone), made)
    if found is not None:
        require_no_other_family(own, found)


def _frame_of_figure(surface: Surface, found: Segmentation, family: Family) -> np.ndarray:
    """The frame (3, 3) of a figure that stands, lies or sits; raise SurfaceError for none."""
    areas = vertex_areas(surface.vertices, surface.faces)
    sure = areas[found.vertex_probabilities.max(axis=1) > 0.5].sum() / areas.sum()
    few = len(np.unique(surface.faces)) < FEWEST_VERTICES
    if found.frame is None or sure < LEAST_SURE or few:
        raise _no_figure(family)
    return found.frame


def _no_figure(family: Family) -> SurfaceError:
    if family.four_legs:
        return no_animal()
    return SurfaceError(
        "No body with arms or legs was found in this shape",
        "Rig needs one figure on two legs, or an animal on four and the model Animal parts. If it "
        "is one, stand it upright, leave out what is none of it, and see its parts with Segment.",
    )


def _require_one(figure: Figure) -> None:
    """Raise SurfaceError if several loose parts have a head and legs of their own."""
    mesh = figure.mesh.parted
    piece = label_mesh_parts(len(mesh.vertices), mesh.faces)
    hind = figure.mesh.family.layout.limbs[1]
    legs = [f"{part}.{side}" for part in hind.parts for side in SIDES]
    whole = np.ones(int(piece.max(initial=-1)) + 1, bool)
    for names in (["head"], legs):
        area = np.bincount(piece, mesh.mass * (mesh.part(names) > 0.5), len(whole))
        whole &= area > OF_ANOTHER * area.sum()
    middles = np.stack(
        [np.bincount(piece, mesh.mass * axis, len(whole)) for axis in mesh.vertices.T], axis=1
    )
    middles = (middles / np.bincount(piece, mesh.mass, len(whole))[:, None])[whole]
    # A suit with a hood lies around the body.
    if whole.sum() > 1 and np.ptp(middles, axis=0).max() > APART * mesh.height:
        raise SurfaceError(
            f"There are {whole.sum()} figures in one mesh",
            "Separate them: in Edit Mode, P > By Loose Parts.",
        )


def _landmarks(figure: Figure) -> dict[str, np.ndarray]:
    """Landmarks (3,) of a figure, in the space of its surface.

    Raises
    ------
    SurfaceError
        If it has no trunk.
    """
    found = figure.mesh.landmarks()
    if figure.skin is not None:
        # Inner shells pull borders one way, and the skin's coarse voxels the other.
        outside = figure.skin.landmarks()
        both = found.keys() & outside.keys()
        found = outside | found | {name: (found[name] + outside[name]) / 2 for name in both}
    if not set(NEEDED) <= found.keys():
        if figure.mesh.family.four_legs:
            raise _no_figure(figure.mesh.family)
        raise SurfaceError(
            "No trunk with hips and neck was found in this shape",
            "Rig needs a figure with a body; see its parts with Segment.",
        )
    return found


def _with_eyes(parts: np.ndarray, eyes: Mapping[str, Eyeball]) -> np.ndarray:
    """Parts (V, C) with a column for each eye, whose vertices are of nothing else."""
    wide = np.pad(parts, ((0, 0), (0, len(eyes))))
    for column, eye in enumerate(eyes.values(), parts.shape[1]):
        wide[eye.vertices] = 0.0
        wide[eye.vertices, column] = 1.0
    return wide


def _add_carried(parts: np.ndarray, surface: Surface, carried: list[Carried]) -> None:
    """Give what is carried the parts of what carries it, in place."""
    areas = vertex_areas(surface.vertices, surface.faces)
    for thing in carried:
        share = areas[thing.carrier]
        share = share if share.any() else np.ones(len(share))
        parts[thing.vertices] = share @ parts[thing.carrier] / share.sum()


def _stiff_pieces(surface: Surface, parts: np.ndarray, carried: list[Carried]) -> np.ndarray:
    """Number of the stiff piece of each vertex (V,) int32: a small loose part, or carried."""
    # Flat shading splits vertices in files; triangles that only seem loose would tear apart.
    stands_for = weld(surface.vertices)
    piece = label_mesh_parts(len(surface.vertices), stands_for[surface.faces])[stands_for]
    pieces = int(piece.max(initial=-1)) + 1
    low, high = np.full((pieces, 3), np.inf), np.full((pieces, 3), -np.inf)
    np.minimum.at(low, piece, surface.vertices)
    np.maximum.at(high, piece, surface.vertices)
    size = (high - low).max(axis=1)
    size = size / np.ptp(surface.vertices[np.unique(surface.faces)], axis=0).max()
    held = np.zeros((pieces, parts.shape[1]))
    np.add.at(held, piece, parts)
    of_one = held.max(axis=1) >= OF_ONE_PART * np.maximum(held.sum(axis=1), 1e-9)
    is_stiff = (size < STIFF_SIZE) | ((size < STIFF_AT_MOST) & of_one)
    number = np.where(is_stiff, np.cumsum(is_stiff) - 1, -1)[piece].astype(np.int32)
    for thing in carried:
        number[thing.vertices] = number.max(initial=-1) + 1
    return number
