"""Panels: `draw` only, no computing and no files."""

from . import parts, segment, train

CLASSES = (*segment.CLASSES, *parts.CLASSES, *train.CLASSES)
