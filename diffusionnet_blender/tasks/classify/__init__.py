"""Classification: the class of a whole shape (paper 5.1)."""

from .job import classify
from .request import Classification, ClassifyRequest

__all__ = ["Classification", "ClassifyRequest", "classify"]
