"""Panels: `draw` only, no computing and no files."""

from . import parts, segment

CLASSES = (*segment.CLASSES, *parts.CLASSES)
