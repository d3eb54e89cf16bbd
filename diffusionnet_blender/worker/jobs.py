"""The tasks that the worker knows, by name."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

Progress = Callable[[str, float], None]
Job = Callable[[dict, Progress], dict]

# Module of this room whose `run(request, progress)` does the task. It is imported on the first
# use: none brings its libraries before they are needed.
JOBS = {
    "segment": ".segment",
    "match": ".match",
    "status": ".status",
    "try_torch": ".try_torch",
    "import_model": ".import_model",
}


def find_job(task: str) -> Job:
    """The function of a task: takes a request, a dictionary, and gives an answer, another."""
    return import_module(JOBS[task], __package__).run
