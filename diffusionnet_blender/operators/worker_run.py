"""A run of one job in the worker, of which nothing is known but that it goes on."""

from __future__ import annotations

from ..worker.client import Answer, Worker
from .progress import Progress


class WorkerRun:
    """Hands out a job and waits; see `background.BackgroundOperator` for what a run is.

    Parameters
    ----------
    worker : Worker
    task : str
        See `worker.jobs`.
    request : dict
    text : str
        What the progress bar says.
    """

    touches_data = False
    farewell = "Cancelled"

    def __init__(self, worker: Worker, task: str, request: dict, text: str):
        self._worker = worker
        self.cancelled = False
        self.answer: dict | None = None
        self.progress = Progress(0.0, text)
        worker.submit(task, request)

    @property
    def finished(self) -> bool:
        """Whether the worker has answered."""
        return self.cancelled or self.answer is not None

    def advance(self, context) -> None:
        """Look whether it has."""
        found = self._worker.poll()
        if isinstance(found, Answer):
            self.answer = found.content

    def cancel(self) -> None:
        """Stop waiting."""
        if not self.finished:
            self._worker.stop()
        self.cancelled = True
