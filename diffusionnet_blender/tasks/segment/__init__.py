"""Segmentation: body parts of a surface by a trained network."""

from .job import Segmentation, SegmentRequest, segment

__all__ = ["SegmentRequest", "Segmentation", "segment"]
