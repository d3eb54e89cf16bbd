"""The run of one task over one item or many, in this process or in the worker."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ..errors import Cancelled, DiffusionNetError
from ..scene.jobs import Jobs
from ..session.progress import Bar, Meter
from ..tasks.progress import CallbackProgress
from ..worker.client import Answer, JobState, Worker


class InPlace:
    """Backend that runs each job at once, in this process, with the interface of the worker.

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
        """Store a job, which `poll` runs."""
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
    """Run of jobs one after the other, without waiting; the error of an item costs it alone.

    Parameters
    ----------
    jobs : Jobs
    worker : Worker, optional
        Without one, each job runs in `advance`.
    listen : callable
        Of a run in place: called with its `Bar` at every step.

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
        listen: Callable[[Bar], None] = lambda progress: None,
    ):
        self.jobs = jobs
        self.in_place = worker is None
        self._listen = listen
        self._backend = InPlace(self._update) if worker is None else worker
        self._waiting = deque(jobs.items)
        self._current: Any = None
        self._meter = Meter([item.name for item in jobs.items])
        self.partial: Any = None
        self.done: list[tuple[Any, Any]] = []
        self.failed: list[DiffusionNetError] = []
        self.cancelled = self.ending = False

    @property
    def finished(self) -> bool:
        """Whether all jobs are done, so that results can be written."""
        return self._current is None and not self._waiting

    @property
    def touches_data(self) -> bool:
        """Whether the next step reads or writes Blender's data."""
        return self._current is None and not self.cancelled

    @property
    def progress(self) -> Bar:
        """Current progress."""
        return self._meter.progress

    @property
    def farewell(self) -> str:
        """Report of a cancelled run."""
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
        """Take a step: poll the worker, or submit the next item.

        Raises
        ------
        WorkerFault
            If a task failed with an unexpected error.
        """
        if self._current is None:
            self._begin(self._waiting.popleft())
        else:
            self._poll(self._current)

    def keep_best(self) -> None:
        """End the job with its best intermediate result."""
        self.ending = True
        self._backend.enough()

    def cancel(self) -> None:
        """Cancel the job; `advance` finishes the run."""
        self.cancelled = True
        self._waiting.clear()
        if self._current is not None:
            self._backend.cancel()

    def abandon(self) -> None:
        """Stop at once: discard the job, and show its intermediate results no more."""
        self.cancelled = True
        self._waiting.clear()
        if self._current is not None:
            self._current = None
            self._backend.stop()
        self.jobs.end()

    def _begin(self, item: Any) -> None:
        job = self.jobs.job_of(item)
        self._meter.start(item.name, job.STAGES)
        try:
            self._backend.submit(job, self.jobs.request(item))
        except DiffusionNetError as error:
            self._fail(item, error)
        else:
            self._current = item

    def _poll(self, item: Any) -> None:
        try:
            found = self._backend.poll()
            if not isinstance(found, Answer):
                self._update(found)
                return
            self._current = None
            self.jobs.keep(item, found.result)
            self.done.append((item, found.result))
        except Cancelled:
            # Also if the worker was stopped elsewhere.
            self._current = None
            self.cancel()
        except DiffusionNetError as error:
            self._fail(item, error)

    def _update(self, state: JobState) -> None:
        if state.stage:
            self._meter.at(state.stage, state.fraction)
        if state.partial is not None and state.partial is not self.partial:
            self.partial = state.partial
            self.jobs.show_partial(state.partial)
        self._listen(self.progress)

    def _fail(self, item: Any, error: DiffusionNetError) -> None:
        self._current = None
        self.failed.append(error)
        self.jobs.drop(item, error)
