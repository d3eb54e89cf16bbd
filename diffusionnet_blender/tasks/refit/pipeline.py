"""The stages of a refit: match, bending, fitting, weights, shape keys."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...errors import DiffusionNetError
from ...matching.closest import ClosestPoints
from ...matching.in_place import REACH, Placement
from ...matching.refit import refit
from ...matching.transfer.shape_keys import keys_along
from ...surface.repair import repair
from ...surface.surface import Surface, triangle_areas
from ..clock import Clock
from ..memory import memory_errors_explained
from ..progress import CallbackProgress, Progress
from ..transfer.layers import Layers, MeshShape, Weights
from ..transfer.pipeline import moved
from ..transfer.request import TransferRequest
from .kinds import is_hair
from .mannequin import Mannequin, mannequin_of
from .request import RefitRequest, RefittedGarments

# Less than so much of a garment near its own body: it is no garment of it.
LEAST_NEAR = 0.02
# Less than so much of that near the target's body: that lacks what the garment covers.
LEAST_KEPT = 0.5


def refitted(request: RefitRequest, progress: Progress) -> RefittedGarments:
    """Fit garments to another body, see `job.run`."""
    body, garments = request.match.source, request.garments
    for surface, what in ((body, "body"), (garments, "garments")):
        if surface.is_point_cloud:
            raise DiffusionNetError(f"The {what} has no faces", "Choose meshes.")
    clock = Clock(progress)
    with memory_errors_explained(len(body.vertices), len(request.match.target.vertices)):
        mannequin = mannequin_of(request, clock, progress)
        clock.start("fitting")
        clean = repair(garments)
        vertices, faces = clean.surface.vertices, clean.surface.faces
        left_out = _without_place(request, mannequin)
        stiff = np.full(len(garments.vertices), -1)
        for number in request.stiff:
            stiff[request.member == number] = number
        hair = np.isin(request.member, [n for n, each in enumerate(request.names) if is_hair(each)])
        height = np.ptp(mannequin.after, axis=0).max()
        fitted = refit(
            (vertices, faces),
            (mannequin.before, mannequin.faces),
            mannequin.after,
            stiff[clean.user_vertex],
            hair[clean.user_vertex],
            request.gap / 100 * height,
            mannequin.amid_layers,
            lambda fraction: progress("fitting", fraction),
        )
        clock.stop("fitting")
        weights = None
        if request.weights is not None:
            clock.start("weights")
            weights = _skin_weights(
                request.weights,
                mannequin,
                Surface(fitted.vertices, faces),
                lambda fraction: progress("weights", fraction),
            )[clean.clean_vertex]
            clock.stop("weights")
        keys = np.zeros((0, *garments.vertices.shape))
        if request.keys is not None and len(request.keys):
            clock.start("shape keys")
            keys = keys_along(
                (vertices, faces),
                fitted.vertices,
                request.keys[:, clean.user_vertex],
                lambda fraction: progress("shape keys", fraction),
            )[:, clean.clean_vertex]
            clock.stop("shape keys")
    found = mannequin.correspondence
    return RefittedGarments(
        vertices=fitted.vertices[clean.clean_vertex],
        keys=keys,
        weights=weights,
        left_out=left_out,
        correspondence=found,
        seconds=clock.seconds if found is None else found.seconds | clock.seconds,
    )


def _without_place(request: RefitRequest, mannequin: Mannequin) -> tuple[int, ...]:
    """Numbers of garments that lie where the target has no body.

    Raises
    ------
    DiffusionNetError
        If all do, or none lies on its own body.
    """
    body, garments = request.match.source, request.garments
    own = _near(garments.vertices, body.vertices, body.faces)
    kept = _near(garments.vertices, mannequin.before, mannequin.faces)
    worn, lacking = [], []
    for number in range(len(request.names)):
        shares = [each[request.member == number].mean() for each in (own, kept)]
        if max(shares) >= LEAST_NEAR:
            worn.append(number)
        if shares[1] < max(LEAST_KEPT * shares[0], LEAST_NEAR):
            lacking.append(number)
    if not worn:
        raise DiffusionNetError(
            "No garment lies on the source's body",
            "Choose the body that they were made for, and put them where it is.",
        )
    if len(lacking) == len(request.names):
        raise DiffusionNetError(
            "The target's body lacks what the garments cover",
            "Choose a target with these parts, or other garments.",
        )
    return tuple(lacking)


def _near(vertices: np.ndarray, body: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Whether vertices (V,) are near a body."""
    surface = ClosestPoints(body, faces)
    away = np.linalg.norm(surface.positions(surface(vertices)[0]) - vertices, axis=1)
    return away <= REACH * np.sqrt(triangle_areas(body, faces).sum())


def _skin_weights(
    weights: Weights,
    mannequin: Mannequin,
    garments: Surface,
    progress: Callable[[float], None],
) -> np.ndarray:
    """Weights (V, B) of garments where they lie on the target's body."""
    body = Surface(mannequin.after, mannequin.faces)
    placement = Placement((body.vertices, body.faces), (garments.vertices, garments.faces))
    points, confidence = placement.map()
    own = Weights(weights.names, weights.values[mannequin.clean.user_vertex], weights.deforming)
    request = TransferRequest(
        MeshShape.of(body),
        MeshShape.of(garments),
        points,
        # Where nothing is near, weights are inpainted; a garment that is near nowhere takes them.
        confidence if confidence.any() else np.ones(len(confidence)),
        Layers(weights=own),
        offset=np.zeros(3),
        accept_uncertain=True,
    )
    done = moved(request, CallbackProgress(lambda stage, fraction: progress(fraction)))
    if done.weights is None:
        raise RuntimeError("a transfer of weights gave none")
    return done.weights.values.astype(np.float32)
