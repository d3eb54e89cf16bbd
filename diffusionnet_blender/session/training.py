"""The training that is running, and its curve in the panel."""

from __future__ import annotations

from collections.abc import Sequence

from ..scene.jobs import Item, OneJob
from ..tasks.train.curve import Curve
from .computing import the_run
from .curve_icon import show_curve


class TrainJob(OneJob):
    """A training, whose curve is drawn at every validation."""

    def show_partial(self, partial: Curve) -> None:
        """Draw the curve."""
        show_curve(partial)

    def farewell(self, done: Sequence[Item]) -> str:
        """The checkpoint is kept."""
        return "Training stopped; with the same settings it continues from here"


def is_training() -> bool:
    """Whether the running job is a training."""
    return isinstance(getattr(the_run(), "jobs", None), TrainJob)


def has_weights() -> bool:
    """Whether the running training has validated any weights."""
    partial = the_run().partial
    return partial is not None and len(partial.rows) > 0
