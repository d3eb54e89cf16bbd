"""Request and result of fitting garments to another body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...options import option
from ...surface.surface import Surface
from ..match.request import Correspondence, MatchRequest
from ..ranges import require_in_range
from ..transfer.layers import Weights


@dataclass(frozen=True, kw_only=True)
class Fitting:
    """How garments are fitted.

    Attributes
    ----------
    gap : float
    accept_uncertain : bool
        See the help texts.

    Raises
    ------
    DiffusionNetError
        If a number is out of its range.
    """

    gap: float = option(
        0.05,
        "Least Gap",
        "Least distance of garments from the target's skin, in percent of its height. What would "
        "lie lower is pushed out, with all that is above it",
        minimum=0.0,
        maximum=5.0,
        soft_maximum=1.0,
    )
    accept_uncertain: bool = option(
        False,
        "Accept Uncertain",
        "Refit by an uncertain match, too. Off: it is an error, and nothing is made",
    )

    def __post_init__(self) -> None:
        require_in_range(self, Fitting)


@dataclass(frozen=True, eq=False)
class RefitRequest(Fitting):
    """Garments, the body that they lie on, and the body that they are fitted to.

    Attributes
    ----------
    match : MatchRequest
        Of the two bodies: its source is the one that the garments lie on.
    garments : Surface
        All of them, in the space of that body.
    member : (V,) int
        Number of the garment of each vertex.
    names : tuple of str
        Of the garments.
    stiff : tuple of int
        Numbers of those that keep their form, as glasses.
    key_names : tuple of K str
    keys : (K, V, 3) float, optional
        Positions of the garments' vertices in each shape key, which are carried along.
    weights : Weights, optional
        Skin weights of the target's body, which the garments take over.
    """

    match: MatchRequest
    garments: Surface
    member: np.ndarray
    names: tuple[str, ...]
    stiff: tuple[int, ...] = ()
    key_names: tuple[str, ...] = ()
    keys: np.ndarray | None = None
    weights: Weights | None = None


@dataclass(frozen=True, eq=False)
class RefittedGarments:
    """Garments on another body.

    Attributes
    ----------
    vertices : (V, 3) float64
        In the space of the target's body.
    keys : (K, V, 3) float64
    weights : (V, B) float32, optional
        Skin weights, of the bones of the request.
    left_out : tuple of int
        Numbers of garments that belong where the target has no body; their vertices mean nothing.
    correspondence : Correspondence, optional
        None of two bodies that are one mesh in two shapes.
    seconds : dict of str to float
        Of the stages.
    """

    vertices: np.ndarray
    keys: np.ndarray
    weights: np.ndarray | None
    left_out: tuple[int, ...]
    correspondence: Correspondence | None
    seconds: dict[str, float]
