"""Panels: `draw` only, no computing and no files."""

from . import parts, segment, transfer

CLASSES = (*segment.CLASSES, *parts.CLASSES, *transfer.CLASSES)
