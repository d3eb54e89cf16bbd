"""Operators: a few lines each, from scene to task and back."""

from . import (
    background,
    classify,
    edit_labels,
    match,
    models,
    pins,
    presets,
    segment,
    select_part,
    separate,
    status,
    train,
    transfer,
    write_labels,
)

CLASSES = (
    *models.CLASSES,
    *background.CLASSES,
    *segment.CLASSES,
    *write_labels.CLASSES,
    *select_part.CLASSES,
    *status.CLASSES,
    *edit_labels.CLASSES,
    *separate.CLASSES,
    *presets.CLASSES,
    *train.CLASSES,
    *classify.CLASSES,
    *match.CLASSES,
    *pins.CLASSES,
    *transfer.CLASSES,
)
