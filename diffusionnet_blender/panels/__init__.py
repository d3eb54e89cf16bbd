"""Panels, lists and menus: they draw, and neither compute nor read files."""

from . import parts, preferences, rig, segment, train, transfer

CLASSES = (
    *preferences.CLASSES,
    *segment.CLASSES,
    *parts.CLASSES,
    *transfer.CLASSES,
    *rig.CLASSES,
    *train.CLASSES,
)
