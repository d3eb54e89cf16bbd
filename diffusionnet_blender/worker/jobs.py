"""The tasks that the worker knows, by name."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Protocol


class Progress(Protocol):
    """How a job tells how it is getting on, and hears what is wanted of it."""

    @property
    def enough(self) -> bool:
        """Whether the job should end with what it has."""

    def __call__(self, stage: str, fraction: float) -> None:
        """Tell a stage and a fraction of it; raises `Cancelled` to stop."""

    def tell(self, details: dict) -> None:
        """Tell more, in JSON's types: Blender sees what was told last."""


Job = Callable[[dict, Progress], dict]

# Module of this room whose `run(request, progress)` does the task. It is imported on the first
# use: none brings its libraries before they are needed.
JOBS = {
    "segment": ".segment",
    "match": ".match",
    "transfer": ".transfer",
    "status": ".status",
    "import_model": ".import_model",
    "train": ".train",
    "classify": ".classify",
}


def find_job(task: str) -> Job:
    """The function of a task: takes a request, a dictionary, and gives an answer, another."""
    return import_module(JOBS[task], __package__).run
