"""Correspondence of two surfaces: where each vertex of the target is on the source."""

from .job import match
from .request import Correspondence, MatchRequest

__all__ = ["Correspondence", "MatchRequest", "match"]
