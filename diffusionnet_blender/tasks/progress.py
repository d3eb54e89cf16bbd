"""Progress of a task: stages, intermediate results, and the request to stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

Partial = TypeVar("Partial")


class Progress(Generic[Partial]):
    """Receiver of a task's progress, which ignores it; subclasses show or send it.

    The type in brackets is that of the intermediate results.
    """

    def __call__(self, stage: str, fraction: float) -> None:
        """Report a stage and the fraction of it that is done; may raise `Cancelled` to stop."""

    def report(self, partial: Partial) -> None:
        """Report an intermediate result."""

    @property
    def enough(self) -> bool:
        """Whether the task should end with its best result so far."""
        return False


SILENT: Progress[Any] = Progress()


class CallbackProgress(Progress[Partial]):
    """Progress whose methods are functions.

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
        """Call `progress`."""
        self._progress(stage, fraction)

    def report(self, partial: Partial) -> None:
        """Call `report`."""
        self._report(partial)

    @property
    def enough(self) -> bool:
        """Value of `enough`."""
        return self._enough()
