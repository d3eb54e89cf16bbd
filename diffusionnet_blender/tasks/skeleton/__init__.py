"""Skeletons: the part of the body that each bone moves."""

from .names import words_of
from .parts import UNKNOWN, parts_of_bones
from .skeleton import Skeleton
from .weights import probabilities_by_weights

__all__ = ["UNKNOWN", "Skeleton", "parts_of_bones", "probabilities_by_weights", "words_of"]
