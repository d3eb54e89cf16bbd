"""Skeletons: the part of the body that each bone moves."""

from .parts import parts_of_bones
from .skeleton import Skeleton

__all__ = ["Skeleton", "parts_of_bones"]
