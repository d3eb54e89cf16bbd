"""Jobs on objects: the request read from each, and the place of its result.

None of them waits or computes; `operators.run.JobRun` runs them, here or in the worker.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from ..errors import DiffusionNetError


class Jobs(ABC):
    """The jobs of a run, one for each item.

    A task defines `request`; the other methods are hooks that do nothing unless overridden.

    Attributes
    ----------
    job : module
        Of the task, such as `tasks.segment.job`.
    items : list
        Each with a `name`, which the progress bar shows.
    """

    def __init__(self, job: ModuleType, items: Sequence[Any]):
        self.job, self.items = job, list(items)

    def job_of(self, item: Any) -> ModuleType:
        """The task of an item, where those of a run differ."""
        return self.job

    @abstractmethod
    def request(self, item: Any) -> Any:
        """Read an item; a DiffusionNetError costs this item alone."""

    def keep(self, item: Any, result: Any) -> None:  # noqa: B027
        """Keep a result until all items are done; a DiffusionNetError costs this item alone."""

    def drop(self, item: Any, error: DiffusionNetError) -> None:  # noqa: B027
        """Discard results of an earlier run, after a failure."""

    def show_partial(self, partial: Any) -> None:  # noqa: B027
        """Show an intermediate result."""

    def end(self) -> None:  # noqa: B027
        """Show no intermediate result any more: the run is over, or was stopped."""

    def farewell(self, done: Sequence[Any]) -> str:
        """Report of a run that was cancelled after some items were done."""
        return "Cancelled; nothing was written"


@dataclass(frozen=True)
class Item:
    """An item without an object: a name for the progress bar."""

    name: str


class OneJob(Jobs):
    """A single job whose request is at hand.

    Parameters
    ----------
    job : module
    name : str
        For the progress bar.
    request
    """

    def __init__(self, job: ModuleType, name: str, request: Any):
        super().__init__(job, [Item(name)])
        self._request = request

    def request(self, item: Item) -> Any:
        """The request at hand."""
        return self._request

    def farewell(self, done: Sequence[Any]) -> str:
        """Nothing was written."""
        return "Cancelled"
