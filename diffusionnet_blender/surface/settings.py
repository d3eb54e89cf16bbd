"""Settings of the discretization. Imports nothing heavy: cards are read at start-up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..errors import ModelError

Centre = Literal["area", "vertices"]
GradientRegulariser = Literal["relative", "published"]
MOST_EIGENPAIRS = 4096
_CHOICES = {"centre": ("area", "vertices"), "gradient_regulariser": ("relative", "published")}


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

    Raises
    ------
    ModelError
        If a value is of another type or out of range.
    """

    k: int = 128
    centre: Centre = "area"
    gradient_regulariser: GradientRegulariser = "relative"

    def __post_init__(self) -> None:
        if type(self.k) is not int or not 1 <= self.k <= MOST_EIGENPAIRS:
            raise ModelError(
                f"The number of eigenpairs, k, is {self.k!r:.50}",
                f"Give a whole number from 1 to {MOST_EIGENPAIRS}.",
            )
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ModelError(
                    f"{name} is {getattr(self, name)!r:.50}", f"Choose one of {', '.join(choices)}."
                )


DEFAULT_SETTINGS = DiscretizationSettings()
