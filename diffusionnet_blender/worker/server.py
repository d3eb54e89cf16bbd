"""Server in the worker process: runs jobs one after the other, until Blender ends or none comes."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import queue
import shutil
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any, NoReturn

from ..errors import Cancelled, DeviceError, DiffusionNetError, WorkerError
from ..tasks.progress import Progress
from .codec import read_value, to_message, write_value
from .protocol import (
    MESSAGES,
    PROTOCOL,
    error_to_json,
    find_job,
    line_of,
    types_of,
    version_on_disk,
)

# Least seconds between two messages of progress within a stage.
PROGRESS_INTERVAL = 0.05
# Below the priority of Blender's own process: its window stays smooth while every core computes.
NICENESS = 5


def serve(folder: Path, idle_seconds: float) -> NoReturn:
    """Run jobs until Blender ends; never returns.

    Parameters
    ----------
    folder : Path
        Of messages, requests and results; removed at the end of the process.
    idle_seconds : float
        The process ends after so long without a job.
    """
    faulthandler.enable()
    # On Windows the client sets the priority when it starts the process.
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    server = _Server(folder)
    server.send({"ready": PROTOCOL, "version": version_on_disk(), "python": sys.version})
    threading.Thread(target=server.listen, daemon=True).start()
    while True:
        try:
            job = server.inbox.get(timeout=idle_seconds)
        except queue.Empty:
            server.end()
        server.work(job)


class _Server:
    def __init__(self, folder: Path):
        self.folder = folder
        self.inbox: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        # Numbers of jobs.
        self.cancelled: set[int] = set()
        self.ended_by_user: set[int] = set()
        self._messages = open(folder / MESSAGES, "ab", buffering=0)

    def send(self, message: dict[str, Any]) -> None:
        """Append a message for the client, in one write, so that lines do not interleave."""
        self._messages.write(line_of(message))

    def listen(self) -> None:
        """Read the messages of the client until its end."""
        for line in sys.stdin.buffer:
            message = json.loads(line)
            if "cancel" in message:
                self.cancelled.add(message["cancel"])
            elif "enough" in message:
                self.ended_by_user.add(message["enough"])
            else:
                self.inbox.put(message)
        self.end()

    def end(self) -> NoReturn:
        """Remove the folder and end the process at once."""
        with contextlib.suppress(OSError):
            self._messages.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        os._exit(0)

    def work(self, message: dict[str, Any]) -> None:
        """Run a job and send its outcome."""
        number = message["job"]
        self.send({"job": number, "started": True})
        try:
            self._work(message)
        except DiffusionNetError as error:
            self.send({"job": number, "error": error_to_json(error)})
        except MemoryError:
            shortage = DeviceError(
                "Memory ran out", "Close other programs, or decimate a copy of the mesh first."
            )
            self.send({"job": number, "error": error_to_json(shortage)})
        except ImportError as error:
            self.send({"job": number, "missing": str(error)})
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
            self.send({"job": number, "fault": fault, "traceback": traceback.format_exc()})

    def _work(self, message: dict[str, Any]) -> None:
        number, folder = message["job"], Path(message["folder"])
        progress = _Progress(self, number)
        job = find_job(message["task"])
        request: Any = read_value(folder / "request", types_of(job)[0])
        result = job.run(request, progress)
        try:
            write_value(folder / "result", result)
        except OSError as error:
            raise WorkerError(
                f"The result cannot be saved in {self.folder} ({error.strerror})",
                "Make room on that disk.",
            ) from error
        self.send({"job": number, "done": True})


class _Progress(Progress):
    """Progress of a job as messages for the client."""

    def __init__(self, server: _Server, number: int):
        self._server, self._number = server, number
        # Stage and time of the last message.
        self._last_stage, self._last_time = "", 0.0

    @property
    def enough(self) -> bool:
        return self._number in self._server.ended_by_user

    def __call__(self, stage: str, fraction: float) -> None:
        if self._number in self._server.cancelled:
            raise Cancelled
        now = time.monotonic()
        if stage != self._last_stage or now - self._last_time >= PROGRESS_INTERVAL:
            self._last_stage, self._last_time = stage, now
            self._server.send({"job": self._number, "stage": stage, "fraction": float(fraction)})

    def report(self, partial: object) -> None:
        self._server.send({"job": self._number, "partial": to_message(partial)})
