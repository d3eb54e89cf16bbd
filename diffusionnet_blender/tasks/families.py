"""Families of figures, and the model of parts for each: people, four-legged animals, neither."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .models import DEFAULT_MODEL

if TYPE_CHECKING:
    from .classify.request import Classification

FAMILY_MODEL = "figure_family"
"""The bundled model that tells them apart, by whole shapes."""
PEOPLE, FOUR_LEGS, NEITHER = FAMILIES = ("people", "four legs", "neither")
"""Its classes."""
MODELS = {PEOPLE: DEFAULT_MODEL, FOUR_LEGS: "animal_parts"}
# A less probable family is no reason to take another model.
SURE = 0.8


@dataclass(frozen=True)
class Proposal:
    """The family that a figure seems to be of.

    Attributes
    ----------
    family : str
        One of `FAMILIES`.
    probability : float
        Of that family, 0 to 1.
    """

    family: str
    probability: float

    @property
    def is_sure(self) -> bool:
        """Whether its model may be chosen for the figure."""
        return self.probability >= SURE

    @property
    def model(self) -> str | None:
        """The model of parts for the figure; None where there is none or the family is unsure."""
        return MODELS.get(self.family) if self.is_sure else None


def proposal_of(found: Classification) -> Proposal:
    """The most probable family of a figure that `FAMILY_MODEL` has classified."""
    return Proposal(found.class_name, found.probability)
