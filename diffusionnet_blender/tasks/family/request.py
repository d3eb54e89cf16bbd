"""Families of figures: the request, the result, and the models for each."""

from __future__ import annotations

from dataclasses import dataclass

from ...surface.cache import OperatorCache
from ...surface.surface import Surface
from ..compute import Compute
from ..models import ANIMAL_MATCH_MODEL, ANIMAL_PARTS_MODEL, DEFAULT_MATCH_MODEL, DEFAULT_MODEL

PEOPLE, FOUR_LEGS, NEITHER = FAMILIES = ("people", "four legs", "neither")
MODELS = {PEOPLE: DEFAULT_MODEL, FOUR_LEGS: ANIMAL_PARTS_MODEL}
MATCH_MODELS = {PEOPLE: DEFAULT_MATCH_MODEL, FOUR_LEGS: ANIMAL_MATCH_MODEL}
# A less probable family is no reason to take another model.
SURE = 0.8


@dataclass(frozen=True, eq=False)
class FamilyRequest(Compute):
    """A figure whose family is looked for.

    Attributes
    ----------
    surface : Surface
        A mesh or a point cloud.
    cache : OperatorCache, optional
        Of the matrices, which a segmentation with the proposed model uses again.
    """

    surface: Surface
    cache: OperatorCache | None = None


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

    @property
    def match_model(self) -> str | None:
        """The model of features to match it by; None as of `model`."""
        return MATCH_MODELS.get(self.family) if self.is_sure else None
