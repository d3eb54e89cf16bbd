"""Panels, lists and menus: they draw, and neither compute nor read files."""

from . import parts, preferences, rig, segment, train, transfer, transfer_control, transfer_many

CLASSES = (
    *preferences.CLASSES,
    *segment.CLASSES,
    *parts.CLASSES,
    *transfer.CLASSES,
    *transfer_control.CLASSES,
    *transfer_many.CLASSES,
    *rig.CLASSES,
    *train.CLASSES,
)
