"""Operators of Blender: each reads from the scene, runs a task, and writes the result."""

from . import (
    background,
    classify,
    edit_labels,
    edit_legend,
    leave_out,
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
    *edit_legend.CLASSES,
    *leave_out.CLASSES,
    *separate.CLASSES,
    *presets.CLASSES,
    *train.CLASSES,
    *classify.CLASSES,
    *match.CLASSES,
    *pins.CLASSES,
    *transfer.CLASSES,
)
