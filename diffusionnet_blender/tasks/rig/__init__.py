"""Rigging: joints of a bare figure, a skeleton of a chosen kind, and its skin weights."""

from .job import rig
from .request import Bones, Fitted, RigRequest

__all__ = ["Bones", "Fitted", "RigRequest", "rig"]
