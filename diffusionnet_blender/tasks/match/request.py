"""Request and result of a match."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...matching.judgement import Judgement
from ...matching.points import SurfacePoints
from ...network.checkpoint import Model
from ...options import option
from ...surface.repair_report import RepairReport
from ...surface.surface import Surface
from ..compute import Compute
from ..models import DEFAULT_MATCH_MODEL

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
        "Name of a model, or path of a .safetensors file. NONE: match by distances along the "
        "surfaces alone",
    )
    pins: np.ndarray = field(default_factory=no_pins)
    fit: bool = option(
        False,
        "Fit to Pair",
        "Also fit a network to this pair, without any labels, and keep its match if it scores "
        "better. Needs PyTorch and doubles the time",
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
