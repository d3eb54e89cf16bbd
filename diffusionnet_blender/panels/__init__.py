"""Panels: `draw` only, no computing and no files."""

from . import segment

CLASSES = segment.CLASSES
