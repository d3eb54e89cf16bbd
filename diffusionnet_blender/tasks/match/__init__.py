"""Correspondence of two surfaces: where each vertex of the target is on the source."""

from .job import Correspondence, MatchRequest, match

__all__ = ["Correspondence", "MatchRequest", "match"]
