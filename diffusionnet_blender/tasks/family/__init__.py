"""The family of a figure: people, four-legged animals, neither."""

from .request import FAMILIES, FOUR_LEGS, MODELS, NEITHER, PEOPLE, FamilyRequest, Proposal

__all__ = ["FAMILIES", "FOUR_LEGS", "MODELS", "NEITHER", "PEOPLE", "FamilyRequest", "Proposal"]
