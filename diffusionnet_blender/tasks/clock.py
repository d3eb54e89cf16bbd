"""Stages of a task: told as they begin, and timed."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from ..surface.discretization import Progress


class Clock:
    """Tells of each stage, and how long it took.

    Parameters
    ----------
    progress : callable
        Called with a stage and a fraction; may raise to stop.
    """

    def __init__(self, progress: Progress):
        self.progress, self.seconds, self._since = progress, {}, perf_counter()

    def start(self, stage: str) -> Callable[[float], None]:
        """A stage begins; what to call with the fraction of it that is done."""
        self.progress(stage, 0.0)
        self._since = perf_counter()
        return lambda fraction: self.progress(stage, fraction)

    def stop(self, stage: str) -> None:
        """It has ended; what it took is added up in `seconds`."""
        took = perf_counter() - self._since
        self.seconds[stage] = self.seconds.get(stage, 0.0) + took
