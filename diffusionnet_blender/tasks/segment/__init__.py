"""Body parts of a surface by a trained network."""

from .pipeline import segment

__all__ = ["segment"]
