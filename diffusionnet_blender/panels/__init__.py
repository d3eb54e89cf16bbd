"""Panels: `draw` only, no computing and no files."""

from . import parts, segment, train, transfer

CLASSES = (*segment.CLASSES, *parts.CLASSES, *transfer.CLASSES, *train.CLASSES)
