"""Correspondence of two surfaces: the request, the result, and the function between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...matching.judgement import Judgement
from ...matching.points import SurfacePoints
from ...network.checkpoint import Model
from ...options import option
from ...surface.repair_report import RepairReport
from ...surface.surface import Surface
from ..compute import Compute
from ..models import DEFAULT_MATCH_MODEL
from ..progress import SILENT, CallbackProgress, Progress

# Shares of the time of a match of two characters of 9,000 vertices, by the names of the stages.
STAGES = {
    "": 0.01,
    "repair": 0.01,
    "proxy": 0.1,
    "eigenbasis": 0.1,
    "features": 0.04,
    "candidates": 0.1,
    "map": 0.2,
    "registration": 0.06,
    # Only where it is asked for: otherwise the bar leaps.
    "fit": 0.33,
    "confidence": 0.02,
    "lift": 0.03,
}
# A vertex with more confidence than this counts as sure.
SURE = 0.5


def no_pins() -> np.ndarray:
    """Pins of a match without any, (0, 2) int64."""
    return np.zeros((0, 2), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class MatchRequest(Compute):
    """Two surfaces to match.

    Attributes
    ----------
    source, target : Surface
        Meshes, in any position, size, pose and topology.
    model : str, Model or None
        Whose features tell the places of these shapes apart. None: shapes are matched by their
        distances alone (wave kernel signatures), which suits two of a kind.
    pins : (P, 2) int
        Vertices of the source and of the target that the map must pair.
    fit : bool
    """

    source: Surface
    target: Surface
    model: str | Model | None = option(
        DEFAULT_MATCH_MODEL,
        "Model",
        "Name of a model, or path of a .safetensors file; NONE: by distances along the surfaces "
        "alone",
    )
    pins: np.ndarray = field(default_factory=no_pins)
    fit: bool = option(
        False,
        "Fit to Pair",
        "Also fit a network to these two shapes, without any labels, and take its map where it is "
        "judged better. Needs PyTorch, and takes as long again",
    )


@dataclass(frozen=True, eq=False)
class Correspondence:
    """A map from the vertices of a target to points of a source.

    Attributes
    ----------
    target_to_source : SurfacePoints
        On the source's triangles, one for each vertex of the target, in the order of the input.
    confidence : (V_t,) float64
        0 to 1.
    judgement : Judgement
        Of the map as a whole.
    model_name : str
        Of the model whose features gave the map; empty where it was found by distances alone.
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
    model_name: str
    fit: str
    repairs: tuple[RepairReport, RepairReport]
    seconds: dict[str, float]

    @property
    def sure(self) -> float:
        """Share of the target's vertices that the map is sure of."""
        return float(np.mean(self.confidence > SURE))


def run(request: MatchRequest, progress: Progress = SILENT) -> Correspondence:
    """Find the vertices of the target on the source.

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
        If the engine or the device is not there, or memory does not suffice.
    DiffusionNetError
        If a shape is no mesh or too small, or pins make no sense.
    """
    from .pipeline import correspondence

    return correspondence(request, progress)


def match(
    source: Surface,
    target: Surface,
    model: str | Model | None = DEFAULT_MATCH_MODEL,
    *,
    progress: Callable[[str, float], None] = SILENT,
    **options: Any,
) -> Correspondence:
    """Find the vertices of the target on the source.

    Parameters
    ----------
    source, target : Surface
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
    return run(MatchRequest(source, target, model, **options), CallbackProgress(progress))
