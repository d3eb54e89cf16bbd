"""The run of one task over one item or many, in this process or in the worker."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ..errors import Cancelled, DiffusionNetError
from ..scene.jobs import Jobs
from ..session.progress import Meter, Progress
from ..tasks.progress import CallbackProgress
from ..worker.client import Answer, JobState, Worker


class InPlace:
    """A stand-in for the worker that runs each job at once, in this process.

    Parameters
    ----------
    listen : callable
        Called with the state of the job.
    """

    def __init__(self, listen: Callable[[JobState], None]):
        self._listen = listen
        self._job: ModuleType | None = None
        self._request: Any = None

    def submit(self, job: ModuleType, request: Any) -> None:
        """Take a job; `poll` runs it."""
        self._job, self._request = job, request

    def poll(self) -> Answer:
        """Run the job; raises its errors."""
        progress = CallbackProgress(
            lambda stage, fraction: self._listen(JobState(stage, fraction)),
            lambda partial: self._listen(JobState("", 0.0, partial)),
        )
        return Answer(self._job.run(self._request, progress))

    def cancel(self) -> None:
        """Nothing runs between two calls."""

    def stop(self) -> None:
        """Nothing runs between two calls."""


class JobRun:
    """Runs jobs one after the other and never waits for one; an item that fails costs only itself.

    Parameters
    ----------
    jobs : Jobs
    worker : Worker, optional
        Without one, each job runs in `advance`.
    listen : callable
        Of a run in place: called with its `Progress` at every step.

    Attributes
    ----------
    done : list of (item, result)
    failed : list of DiffusionNetError
    partial : optional
        Last intermediate result.
    in_place, cancelled, ending : bool
    """

    def __init__(
        self,
        jobs: Jobs,
        worker: Worker | None = None,
        listen: Callable[[Progress], None] = lambda progress: None,
    ):
        self.jobs = jobs
        self.in_place = worker is None
        self._listen = listen
        self._backend = InPlace(self._hear) if worker is None else worker
        self._waiting = deque(jobs.items)
        self._working: Any = None
        self._meter = Meter([item.name for item in jobs.items], jobs.job.STAGES)
        self.partial: Any = None
        self.done: list[tuple[Any, Any]] = []
        self.failed: list[DiffusionNetError] = []
        self.cancelled = self.ending = False

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do but to write."""
        return self._working is None and not self._waiting

    @property
    def touches_data(self) -> bool:
        """Whether the next step reads or writes Blender's data."""
        return self._working is None and not self.cancelled

    @property
    def progress(self) -> Progress:
        """As of now."""
        return self._meter.progress

    @property
    def farewell(self) -> str:
        """Report after it was cancelled."""
        return self.jobs.farewell([item for item, _ in self.done])

    @property
    def result(self) -> Any:
        """The result of a run of one item.

        Raises
        ------
        DiffusionNetError
            Of the item, if it failed.
        """
        if self.failed:
            raise self.failed[0]
        return self.done[0][1]

    def advance(self) -> None:
        """Take a step: look at the worker, or give it the next item.

        Raises
        ------
        WorkerFault
            If a task failed in a way that nobody foresaw.
        """
        if self._working is None:
            self._begin(self._waiting.popleft())
        else:
            self._look(self._working)

    def keep_best(self) -> None:
        """End the job with its best intermediate result."""
        self.ending = True
        self._backend.enough()

    def cancel(self) -> None:
        """Ask it to stop; `advance` sees that it has."""
        self.cancelled = True
        self._waiting.clear()
        if self._working is not None:
            self._backend.cancel()

    def abandon(self) -> None:
        """Stop at once, with no look at what becomes of it."""
        self.cancelled = True
        self._waiting.clear()
        if self._working is not None:
            self._working = None
            self._backend.stop()

    def _begin(self, item: Any) -> None:
        self._meter.start(item.name)
        try:
            self._backend.submit(self.jobs.job, self.jobs.request(item))
        except DiffusionNetError as error:
            self._fail(item, error)
        else:
            self._working = item

    def _look(self, item: Any) -> None:
        try:
            found = self._backend.poll()
            if not isinstance(found, Answer):
                self._hear(found)
                return
            self._working = None
            self.jobs.keep(item, found.result)
            self.done.append((item, found.result))
        except Cancelled:
            # Also where something else has ended the worker.
            self._working = None
            self.cancel()
        except DiffusionNetError as error:
            self._fail(item, error)

    def _hear(self, state: JobState) -> None:
        if state.stage:
            self._meter.at(state.stage, state.fraction)
        if state.partial is not None and state.partial is not self.partial:
            self.partial = state.partial
            self._meter.note = self.jobs.note(state.partial)
        self._listen(self.progress)

    def _fail(self, item: Any, error: DiffusionNetError) -> None:
        self._working = None
        self.failed.append(error)
        self.jobs.drop(item)
