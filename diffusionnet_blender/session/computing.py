"""The worker of this Blender, and the running job."""

from __future__ import annotations

import atexit

from ..extras import library_folder
from ..settings import settings
from ..worker.client import Worker
from ..worker.launch import environment, own_python

_workers: list[Worker] = []
_runs: list = []


def the_worker() -> Worker:
    """The worker of this Blender; its process starts with the first job.

    Raises
    ------
    WorkerError
        If the Python of the preferences does not exist.
    """
    path = settings().environment
    if path is not None:
        launch = environment(path)
    else:
        launch = own_python(library_folder())
    if _workers and _workers[0].launch != launch:
        end_worker()
    if not _workers:
        _workers.append(Worker(launch))
    return _workers[0]


def worker_alive() -> bool:
    """Whether the process of the worker exists."""
    return bool(_workers) and _workers[0].alive


@atexit.register
def end_worker() -> None:
    """End the process; the next run starts a new one."""
    while _workers:
        _workers.pop().stop()


def the_run():
    """The current run, or None."""
    return _runs[0] if _runs else None


def begin_run(run) -> None:
    """Set the current run; there is one at a time."""
    _runs.append(run)


def end_run(run) -> None:
    """Clear the current run."""
    if run in _runs:
        _runs.remove(run)
