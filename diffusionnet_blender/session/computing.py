"""The one worker of this Blender, and the run that goes on."""

from __future__ import annotations

import atexit

from ..extras import library_folder
from ..settings import settings
from ..worker.client import Worker
from ..worker.launch import environment, own_python

_workers: list[Worker] = []
_runs: list = []


def the_worker() -> Worker:
    """The one worker of this Blender; its process starts with its first job.

    Raises
    ------
    WorkerError
        If the Python that the preferences name is not there.
    """
    chosen = settings()
    if chosen.environment is not None:
        launch = environment(chosen.environment)
    else:
        launch = own_python(library_folder())
    if _workers and _workers[0].launch != launch:
        end_worker()
    if not _workers:
        _workers.append(Worker(launch))
    return _workers[0]


def worker_alive() -> bool:
    """Whether the worker's process is there and holds memory."""
    return bool(_workers) and _workers[0].alive


@atexit.register
def end_worker() -> None:
    """End its process; the next run starts another."""
    while _workers:
        _workers.pop().stop()


def the_run():
    """The run that is going on, or None."""
    return _runs[0] if _runs else None


def begin_run(run) -> None:
    """Note that a run goes on; there is one at a time."""
    _runs.append(run)


def end_run(run) -> None:
    """Note that a run is over."""
    if run in _runs:
        _runs.remove(run)
