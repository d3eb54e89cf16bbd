"""Panels: `draw` only, no computing and no files."""

from . import parts, preferences, segment, train, transfer

CLASSES = (
    *preferences.CLASSES,
    *segment.CLASSES,
    *parts.CLASSES,
    *transfer.CLASSES,
    *train.CLASSES,
)
