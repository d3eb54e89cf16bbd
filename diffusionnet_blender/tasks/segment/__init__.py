"""Segmentation: body parts of a surface by a trained network."""

from .job import segment
from .request import Segmentation, SegmentRequest

__all__ = ["SegmentRequest", "Segmentation", "segment"]
