"""Classification: the class of a whole shape (paper 5.1)."""

from .job import Classification, ClassifyRequest, classify

__all__ = ["Classification", "ClassifyRequest", "classify"]
