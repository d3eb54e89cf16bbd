"""Progress and duration of the stages of a task."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter


class Clock:
    """Reports the start of each stage and measures its duration.

    Parameters
    ----------
    progress : callable
        Called with a stage and a fraction; may raise to stop.

    Attributes
    ----------
    seconds : dict of str to float
        Total duration of each stage.
    """

    def __init__(self, progress: Callable[[str, float], None]):
        self.progress = progress
        self.seconds: dict[str, float] = {}
        self._started = perf_counter()

    def start(self, stage: str) -> Callable[[float], None]:
        """Start a stage; the function returned reports the fraction of it that is done."""
        self.progress(stage, 0.0)
        self._started = perf_counter()
        return lambda fraction: self.progress(stage, fraction)

    def stop(self, stage: str) -> None:
        """Add the time since the last `start` to the stage."""
        duration = perf_counter() - self._started
        self.seconds[stage] = self.seconds.get(stage, 0.0) + duration


def duration(seconds: float) -> str:
    """Seconds as text: "8 s", "3 min"."""
    return f"{seconds:.0f} s" if seconds < 99.5 else f"{seconds / 60:.0f} min"
