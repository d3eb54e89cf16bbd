"""The worker process: one job after the other, until Blender goes or nothing happens for long."""

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

# Progress within a stage is told at most this often, in seconds.
PROGRESS_INTERVAL = 0.05
# Blender's own process goes first: its window stays smooth while every core computes.
NICENESS = 5


def serve(folder: Path, idle_seconds: float) -> None:
    """Serve until told to end; never returns.

    Parameters
    ----------
    folder : Path
        For messages and answers; removed with the process.
    idle_seconds : float
        End after so long without a job.
    """
    faulthandler.enable()
    # Windows is told when the process is made.
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
        self.inbox: queue.SimpleQueue = queue.SimpleQueue()
        self.cancelled: set[int] = set()
        self.sated: set[int] = set()
        self._messages = open(folder / MESSAGES, "ab", buffering=0)

    def send(self, message: dict) -> None:
        """Append a message for Blender; one write, so that a line is whole."""
        self._messages.write(line_of(message))

    def listen(self) -> None:
        """Take in what Blender says, until it is gone."""
        for line in sys.stdin.buffer:
            message = json.loads(line)
            if "cancel" in message:
                self.cancelled.add(message["cancel"])
            elif "enough" in message:
                self.sated.add(message["enough"])
            else:
                self.inbox.put(message)
        self.end()

    def end(self) -> None:
        """Leave at once, and nothing behind."""
        with contextlib.suppress(OSError):
            self._messages.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        os._exit(0)

    def work(self, message: dict) -> None:
        """Do a job and tell how it went."""
        number = message["job"]
        self.send({"job": number, "started": True})
        try:
            self._work(message)
        except DiffusionNetError as error:
            self.send({"job": number, "error": error_to_json(error)})
        except MemoryError:
            error = DeviceError(
                "Memory ran out", "Close other programs, or decimate a copy of the mesh first."
            )
            self.send({"job": number, "error": error_to_json(error)})
        except ImportError as error:
            self.send({"job": number, "missing": str(error)})
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
            self.send({"job": number, "fault": fault, "traceback": traceback.format_exc()})

    def _work(self, message: dict) -> None:
        number, folder = message["job"], Path(message["folder"])
        progress = _Progress(self, number)
        job = find_job(message["task"])
        request = read_value(folder / "request", types_of(job)[0])
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
    """Progress of a job, told to Blender."""

    def __init__(self, server: _Server, number: int):
        self._server, self._number = server, number
        self._told = ("", 0.0)

    @property
    def enough(self) -> bool:
        return self._number in self._server.sated

    def __call__(self, stage: str, fraction: float) -> None:
        if self._number in self._server.cancelled:
            raise Cancelled
        now = time.monotonic()
        if stage != self._told[0] or now - self._told[1] >= PROGRESS_INTERVAL:
            self._told = (stage, now)
            self._server.send({"job": self._number, "stage": stage, "fraction": float(fraction)})

    def report(self, partial: object) -> None:
        self._server.send({"job": self._number, "partial": to_message(partial)})
