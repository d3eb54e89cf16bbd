"""The stages of conforming: match, bending, shape keys."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from ...errors import DiffusionNetError
from ...matching.closest import ClosestPoints
from ...matching.conform import conform
from ...matching.inner import is_inner_alone
from ...matching.transfer.shape_keys import keys_along
from ...surface.mirror import Mirror, mirror_of
from ...surface.repair import repair
from ...surface.surface import Surface, vertex_areas
from ..clock import Clock
from ..match.pipeline import correspondence
from ..memory import memory_errors_explained
from ..progress import Progress
from .request import ConformedMesh, ConformRequest, MeshSoFar
from .watch import Watch

# Directions in which the sides of a mesh may lie, the likeliest first.
ACROSS = np.eye(3)
ROLES = {"source": "target", "target": "source"}


def _with_roles_swapped(text: str) -> str:
    """A message with the two shapes called as the user called them."""
    return re.sub(r"\b(source|target)\b", lambda role: ROLES[role[0]], text)


def conformed(request: ConformRequest, progress: Progress[MeshSoFar]) -> ConformedMesh:
    """Bend a mesh onto a shape, see `job.run`."""
    shape, mesh = request.match.source, request.match.target
    # Before anything is computed.
    mirror = _mirror(mesh) if request.symmetric and not mesh.is_point_cloud else None
    try:
        found = correspondence(request.match, progress)
    except DiffusionNetError as error:
        # The match goes from the mesh to the shape, which are its target and its source.
        raise type(error)(*map(_with_roles_swapped, (error.message, error.fix))) from error
    if found.uncertain and not request.accept_uncertain:
        raise DiffusionNetError(
            f"{found.doubt}nothing was bent",
            "Set pins, or switch Accept Uncertain on.",
        )
    clock = Clock(progress)
    with memory_errors_explained(len(shape.vertices), len(mesh.vertices)):
        clock.start("bending")
        # Welded, so that seams of the mesh stay closed.
        clean = repair(mesh)
        chosen = clean.user_vertex
        confidence = np.where(found.unmatched, 0.0, found.confidence)
        points, sure = found.target_to_source[chosen], confidence[chosen]
        # A mouth bag is not laid on a face without a mouth opening.
        confidence[is_inner_alone(clean.surface, shape, points, sure)[clean.clean_vertex]] = 0.0
        if request.region is not None:
            confidence = confidence * request.region
        bent = conform(
            clean.surface.vertices,
            clean.surface.faces,
            (shape.vertices, shape.faces),
            points,
            confidence[chosen],
            request.stiffness,
            request.detail,
            lambda fraction: progress("bending", fraction),
            Watch(clean.surface, progress),
        )
        if mirror is not None:
            bent = replace(bent, vertices=_evened(mirror, bent.vertices))
        vertices = bent.vertices[clean.clean_vertex]
        clock.stop("bending")
        clock.start("shape keys")
        keys = np.zeros((0, *vertices.shape))
        if request.keys is not None and len(request.keys):
            keys = keys_along(
                (clean.surface.vertices, clean.surface.faces),
                bent.vertices,
                request.keys[:, chosen],
                lambda fraction: progress("shape keys", fraction),
            )[:, clean.clean_vertex]
        clock.stop("shape keys")
    surface = ClosestPoints(shape.vertices, shape.faces)
    on = bent.vertices[bent.on_target]
    away = np.linalg.norm(surface.positions(surface(on)[0]) - on, axis=1) if len(on) else [np.nan]
    return ConformedMesh(
        vertices=vertices,
        on_surface=bent.on_target[clean.clean_vertex],
        distance=float(np.mean(away) / np.ptp(shape.vertices, axis=0).max()),
        keys=keys,
        correspondence=found,
        seconds=found.seconds | clock.seconds,
    )


def _mirror(mesh: Surface) -> Mirror:
    """The mirror plane of a mesh, welded.

    Raises
    ------
    DiffusionNetError
        If it is not its own mirror image.
    """
    surface = repair(mesh).surface
    areas = vertex_areas(surface.vertices, surface.faces)
    size = float(np.ptp(surface.vertices, axis=0).max())
    for left in ACROSS:
        found = mirror_of(surface.vertices, areas, left, size)
        if found is not None:
            return found
    raise DiffusionNetError(
        "The source is not its own mirror image, and has no sides to keep alike",
        "Switch Symmetric off, or make the mesh symmetric first.",
    )


def _evened(mirror: Mirror, vertices: np.ndarray) -> np.ndarray:
    """Vertices (V, 3) with both sides alike.

    Raises
    ------
    DiffusionNetError
        If they lie too unevenly.
    """
    found = mirror.evened(vertices)
    if found is None:
        raise DiffusionNetError(
            "The target does not stand evenly, so sides cannot be kept alike",
            "Switch Symmetric off, or let the target stand evenly.",
        )
    return found
