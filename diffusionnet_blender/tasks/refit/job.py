"""Refit: stages, and the functions from request to result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...network.checkpoint import Model
from ...options import options_of
from ...surface.character import Character, pooled
from ...surface.surface import Surface
from ..match.job import STAGES as MATCH_STAGES
from ..match.job import match_request
from ..models import DEFAULT_MATCH_MODEL
from ..progress import SILENT, CallbackProgress, Progress
from .kinds import is_stiff
from .request import Fitting, RefitRequest, RefittedGarments

# Shares of the duration.
_OF_MATCH = 0.6
STAGES = {
    **{stage: round(_OF_MATCH * share, 4) for stage, share in MATCH_STAGES.items()},
    "bending": 0.2,
    "fitting": 0.15,
    "weights": 0.03,
    "shape keys": 0.02,
}


def run(request: RefitRequest, progress: Progress = SILENT) -> RefittedGarments:
    """Fit garments to another body.

    Parameters
    ----------
    request : RefitRequest
    progress : Progress
        May raise `Cancelled` to stop.

    Returns
    -------
    RefittedGarments

    Raises
    ------
    SurfaceError, ModelError, DeviceError
        As a match.
    DiffusionNetError
        If no garment lies on its body, or the match is uncertain and that is not accepted.
    """
    from .pipeline import refitted

    return refitted(request, progress)


def refit(
    garments: Surface | Character,
    body: Surface,
    target: Surface,
    model: str | Model | None = DEFAULT_MATCH_MODEL,
    *,
    progress: Callable[[str, float], None] = SILENT,
    **options: Any,
) -> RefittedGarments:
    """Fit garments of one body to another.

    Parameters
    ----------
    garments : Surface or Character
        Of a character each member is a garment; one called glasses or the like keeps its form.
    body : Surface
        The body that they lie on, in the same space.
    target : Surface
        The body that they are fitted to.
    model : str, Model or None
    progress : callable
        Called with a stage and a fraction from 0 to 1; may raise `Cancelled` to stop.
    **options
        Other fields of `RefitRequest` and of `MatchRequest`.

    Returns
    -------
    RefittedGarments

    Raises
    ------
    SurfaceError, DeviceError, ModelError, DiffusionNetError
        As `run`.
    """
    others = {*(each.name for each, _ in options_of(Fitting)), "key_names", "keys", "weights"}
    chosen = {name: options.pop(name) for name in others & options.keys()}
    whole = pooled(garments)
    names = garments.names if isinstance(garments, Character) else ()
    member = getattr(garments, "member", np.zeros(len(whole.vertices), dtype=np.int32))
    count = int(member.max(initial=0)) + 1
    names = tuple(names) or tuple(f"garment {number}" for number in range(1, count + 1))
    request = RefitRequest(
        # Where the bodies stand decides nothing.
        match_request(body, target, model, **{"method": "MATCH", **options}),
        whole,
        member,
        names,
        tuple(number for number, name in enumerate(names) if is_stiff(name)),
        **chosen,
    )
    return run(request, CallbackProgress(progress))
