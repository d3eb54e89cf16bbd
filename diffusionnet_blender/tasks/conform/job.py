"""Conform: stages, and the functions from request to result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...network.checkpoint import Model
from ...options import options_of
from ...surface.character import Character
from ...surface.surface import Surface
from ..match.job import STAGES as MATCH_STAGES
from ..match.job import match_request
from ..models import DEFAULT_MATCH_MODEL
from ..progress import SILENT, CallbackProgress, Progress
from .request import Bending, ConformedMesh, ConformRequest, MeshSoFar

# Shares of the duration.
_OF_MATCH = 0.65
STAGES = {
    **{stage: round(_OF_MATCH * share, 4) for stage, share in MATCH_STAGES.items()},
    "bending": 0.3,
    "shape keys": 0.05,
}


def run(request: ConformRequest, progress: Progress[MeshSoFar] = SILENT) -> ConformedMesh:
    """Bend a mesh onto a shape.

    Parameters
    ----------
    request : ConformRequest
    progress : Progress
        May raise `Cancelled` to stop.

    Returns
    -------
    ConformedMesh

    Raises
    ------
    SurfaceError, ModelError, DeviceError
        As a match.
    DiffusionNetError
        If the match is uncertain, unless that is accepted.
    """
    from .pipeline import conformed

    return conformed(request, progress)


def conform(
    mesh: Surface | Character,
    shape: Surface | Character,
    model: str | Model | None = DEFAULT_MATCH_MODEL,
    *,
    progress: Callable[[str, float], None] = SILENT,
    **options: Any,
) -> ConformedMesh:
    """Bend a mesh onto a shape: its topology, the other's shape and pose.

    Parameters
    ----------
    mesh, shape : Surface or Character
        Of a character the members are pooled.
    model : str, Model or None
    progress : callable
        Called with a stage and a fraction from 0 to 1; may raise `Cancelled` to stop.
    **options
        Fields of `Bending` (stiffness, detail ...) and other fields of `MatchRequest`.

    Returns
    -------
    ConformedMesh

    Raises
    ------
    SurfaceError, DeviceError, ModelError, DiffusionNetError
        As `run`.
    """
    bending = {field.name for field, _ in options_of(Bending)} & options.keys()
    chosen = {name: options.pop(name) for name in bending}
    request = ConformRequest(match_request(shape, mesh, model, **options), **chosen)
    return run(request, CallbackProgress(progress))
