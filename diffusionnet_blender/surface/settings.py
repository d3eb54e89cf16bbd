"""Settings of the discretization. Imports nothing heavy: cards are read at start-up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Centre = Literal["area", "vertices"]
GradientRegulariser = Literal["relative", "published"]


@dataclass(frozen=True)
class DiscretizationSettings:
    """Settings of the discretization that a model was trained with; part of its card.

    Attributes
    ----------
    k : int
        Eigenpairs.
    centre : {"area", "vertices"}
        The point that normalisation puts at the origin: the mean over the area, which does not
        depend on the meshing, or the mean of the vertices as in the published code.
    gradient_regulariser : {"relative", "published"}
        See `gradient.gradient_matrices`.
    """

    k: int = 128
    centre: Centre = "area"
    gradient_regulariser: GradientRegulariser = "relative"


DEFAULT_SETTINGS = DiscretizationSettings()
