"""Correspondence of two surfaces: a map from the vertices of the target to the source."""

from .job import match
from .request import Correspondence, MatchRequest

__all__ = ["Correspondence", "MatchRequest", "match"]
