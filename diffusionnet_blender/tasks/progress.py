"""Progress of a task: what it tells while it runs, and how it is stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Partial = TypeVar("Partial")


class Progress(Generic[Partial]):
    """Progress of a task that nobody watches; subclasses pass it on.

    The type in brackets is that of the intermediate results.
    """

    def __call__(self, stage: str, fraction: float) -> None:
        """Tell a stage and the fraction of it that is done; may raise `Cancelled` to stop."""

    def report(self, partial: Partial) -> None:
        """Tell an intermediate result."""

    @property
    def enough(self) -> bool:
        """Whether the task should end with its best result so far."""
        return False


SILENT: Progress = Progress()


class CallbackProgress(Progress[Partial]):
    """Progress that calls functions.

    Parameters
    ----------
    progress : callable
        Called with a stage and a fraction.
    report : callable
        Called with each intermediate result.
    enough : callable
        Returns whether the task should end with its best result so far.
    """

    def __init__(
        self,
        progress: Callable[[str, float], None] = SILENT,
        report: Callable[[Partial], None] = SILENT.report,
        enough: Callable[[], bool] = lambda: False,
    ):
        self._progress, self._report, self._enough = progress, report, enough

    def __call__(self, stage: str, fraction: float) -> None:
        """Pass on a stage and its fraction."""
        self._progress(stage, fraction)

    def report(self, partial: Partial) -> None:
        """Pass on an intermediate result."""
        self._report(partial)

    @property
    def enough(self) -> bool:
        """Ask whether to end."""
        return self._enough()
