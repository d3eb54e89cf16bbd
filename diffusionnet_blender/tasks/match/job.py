"""Correspondence of two surfaces: stages, and the function from request to result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...network.checkpoint import Model
from ...surface.character import Character, pooled
from ...surface.surface import Surface
from ..models import DEFAULT_MATCH_MODEL
from ..progress import SILENT, CallbackProgress, Progress
from .kinds import kind_of
from .request import Correspondence, MatchRequest, Members

# Shares of the duration of a match of two characters of 9,000 vertices.
STAGES = {
    "": 0.01,
    "repair": 0.01,
    "proxy": 0.08,
    "parts": 0.25,
    "eigenbasis": 0.05,
    "features": 0.03,
    "candidates": 0.04,
    "map": 0.12,
    "registration": 0.05,
    # With the option `fit` alone; without it the progress bar skips this share.
    "fit": 0.31,
    "confidence": 0.02,
    "lift": 0.03,
}


def run(request: MatchRequest, progress: Progress = SILENT) -> Correspondence:
    """Map the vertices of a target to a source.

    Parameters
    ----------
    request : MatchRequest
    progress : Progress
        May raise `Cancelled` to stop.

    Returns
    -------
    Correspondence

    Raises
    ------
    SurfaceError
        If the geometry cannot be used.
    ModelError
        If there is no such model, or it does not match shapes.
    DeviceError
        If the engine or the device is missing, or memory does not suffice.
    DiffusionNetError
        If a shape is a point cloud or too small, or pins are invalid.
    """
    from .pipeline import correspondence

    return correspondence(request, progress)


def match(
    source: Surface | Character,
    target: Surface | Character,
    model: str | Model | None = DEFAULT_MATCH_MODEL,
    *,
    progress: Callable[[str, float], None] = SILENT,
    **options: Any,
) -> Correspondence:
    """Map the vertices of a target to a source.

    Parameters
    ----------
    source, target : Surface or Character
        A character is matched as one shape: of its pooled vertices and faces. What is called eyes,
        teeth or hair on both sides goes to its like, see `Character.names`.
    model : str, Model or None
    progress : callable
        Called with a stage and a fraction from 0 to 1; may raise `Cancelled` to stop.
    **options
        Other fields of `MatchRequest`.

    Returns
    -------
    Correspondence

    Raises
    ------
    SurfaceError, DeviceError, ModelError, DiffusionNetError
        As `run`.
    """
    request = match_request(source, target, model, **options)
    return run(request, CallbackProgress(progress))


def match_request(
    source: Surface | Character,
    target: Surface | Character,
    model: str | Model | None = DEFAULT_MATCH_MODEL,
    **options: Any,
) -> MatchRequest:
    """The request of `match`."""
    return MatchRequest(
        pooled(source),
        pooled(target),
        model,
        source_members=_members_of(source),
        target_members=_members_of(target),
        **options,
    )


def _members_of(shape: Surface | Character) -> Members | None:
    if not isinstance(shape, Character) or len(shape.members) == 1:
        return None
    names = shape.names or [""] * len(shape.members)
    return Members(shape.member, tuple(kind_of(name) for name in names))
