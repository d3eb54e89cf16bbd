"""Blender's end of the worker: hands out jobs and never waits for one."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from types import ModuleType
from typing import Any

from ..errors import Cancelled, WorkerError
from .codec import from_message, read_value, write_value
from .launch import Launch
from .protocol import (
    LOG,
    MESSAGES,
    PACKAGE,
    PROTOCOL,
    VERSION,
    MessageReader,
    error_from_json,
    line_of,
    name_of,
    types_of,
)

IDLE_SECONDS = 600.0
# A worker that has not stopped by itself so long after a request to cancel is killed: a call into
# a C library cannot be interrupted.
PATIENCE = 0.25
LOG_TAIL = 4000


@dataclass(frozen=True)
class Progress:
    """How far a job is.

    Attributes
    ----------
    stage : str
        As the task names it; "" while the worker starts.
    fraction : float
        Of this stage, 0 to 1.
    partial : optional
        Its last intermediate result.
    """

    stage: str
    fraction: float
    partial: Any = None


@dataclass(frozen=True, eq=False)
class Answer:
    """The result of a job."""

    result: Any


class WorkerFault(Exception):  # noqa: N818
    """The task failed in a way that nobody foresaw; its traceback is in the notes."""


@dataclass
class _Job:
    number: int
    module: ModuleType
    # Until the process has it: to hand it out again.
    request: Any
    progress: Progress = Progress("", 0.0)
    # Whether the process was started for this job.
    first_of_process: bool = False
    started: bool = False
    give_up: float | None = None


class Worker:
    """A process that does one job at a time, started when there is one.

    Parameters
    ----------
    launch : Launch
        Which Python, with which libraries.
    package : Path
        Folder of this package.
    idle_seconds : float
        The process ends after so long without a job; the next job starts another.
    """

    def __init__(
        self,
        launch: Launch,
        package: Path = PACKAGE,
        idle_seconds: float = IDLE_SECONDS,
    ):
        self.launch = launch
        self._package = package
        self._idle_seconds = idle_seconds
        self._process: subprocess.Popen | None = None
        self._folder: Path | None = None
        self._messages: MessageReader | None = None
        self._job: _Job | None = None
        self._dying: list[tuple[subprocess.Popen, Path]] = []
        self._count = 0

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def busy(self) -> bool:
        """Whether a job has been handed out and has not come back."""
        return self._job is not None

    @property
    def pid(self) -> int | None:
        """Of the process, if there is one."""
        return self._process.pid if self.alive else None

    def submit(self, job: ModuleType, request: Any) -> None:
        """Hand out a job; `poll` tells what becomes of it.

        Parameters
        ----------
        job : module
            With a function `run(request, progress)`, such as `tasks.segment.job`.
        request
            Of the type that `run` takes.

        Raises
        ------
        WorkerError
            If the process cannot be started, or the request cannot be saved.
        """
        if self._job is not None:
            raise RuntimeError("the worker is busy")
        self._count += 1
        handed = _Job(self._count, job, request)
        self._hand_out(handed)
        self._job = handed

    def poll(self) -> Progress | Answer:
        """Look how the job is getting on, without waiting.

        Returns
        -------
        Progress or Answer
            After an answer, or any error, the worker is free for the next job.

        Raises
        ------
        Cancelled
            After `cancel`.
        DiffusionNetError
            What the task raised, of the same class; WorkerError if the process has ended.
        WorkerFault
            If the task failed in a way that nobody foresaw.
        """
        job = self._job
        if job is None:
            # Someone has stopped the worker.
            raise Cancelled
        # Looked at before the messages are: what an ending process said last is there then.
        status = self._process.poll()
        for message in self._messages.read():
            if "ready" in message:
                self._require_same_version(message)
            elif message["job"] != job.number:
                continue
            elif "stage" in message:
                job.progress = replace(
                    job.progress, stage=message["stage"], fraction=message["fraction"]
                )
            elif "partial" in message:
                partial = from_message(message["partial"], types_of(job.module)[2])
                job.progress = replace(job.progress, partial=partial)
            elif "started" in message:
                job.started, job.request = True, None
            else:
                return self._finish(job, message)
        if status is not None:
            self._ended_early(job, status)
        elif job.give_up is not None and monotonic() >= job.give_up:
            self._kill()
            raise Cancelled
        return job.progress

    def cancel(self) -> None:
        """Ask the job to stop; `poll` raises `Cancelled` once it has, or `PATIENCE` is over."""
        if self._job is not None and self._job.give_up is None:
            self._job.give_up = monotonic() + PATIENCE
            self._send({"cancel": self._job.number})

    def enough(self) -> None:
        """Ask the job to end with what it has; one that knows no half measures goes on."""
        if self._job is not None:
            self._send({"enough": self._job.number})

    def stop(self) -> None:
        """End the process, and see that it is gone; the next job starts another."""
        self._kill()
        for process, _ in self._dying:
            # Unless the system is in trouble itself this takes some milliseconds.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=1.0)
        self._bury()

    def _kill(self) -> None:
        """End the process without waiting for it: on a busy machine dying takes its time, too."""
        process, folder = self._process, self._folder
        self._process = self._folder = self._messages = self._job = None
        if process is not None:
            process.kill()
            with contextlib.suppress(OSError):
                process.stdin.close()
            self._dying.append((process, folder))
        self._bury()

    def _bury(self) -> None:
        """Remove the folders of processes that are gone: before, Windows would not let us."""
        for process, folder in [*self._dying]:
            if process.poll() is not None:
                self._dying.remove((process, folder))
                shutil.rmtree(folder, ignore_errors=True)

    def _start(self) -> None:
        self._kill()
        self._folder = Path(tempfile.mkdtemp(prefix="diffusionnet_"))
        self._messages = MessageReader(self._folder / MESSAGES)
        bootstrap = self._package / "worker" / "bootstrap.py"
        try:
            with open(self._folder / LOG, "wb") as log:
                self._process = subprocess.Popen(
                    [self.launch.python, "-I", str(bootstrap)],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    cwd=self._folder.parent,
                    **apart_from_the_terminal(),
                )
        except OSError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = self._messages = None
            raise WorkerError(
                f"The worker's Python {self.launch.python} cannot be started ({error.strerror})",
                f"If security software blocks it, allow it. {self.launch.fix}",
            ) from error
        self._send(
            {
                "package": str(self._package),
                "paths": self.launch.paths,
                "spare_paths": self.launch.spare_paths,
                "version": sys.version_info[:2],
                "folder": str(self._folder),
                "idle_seconds": self._idle_seconds,
            }
        )

    def _hand_out(self, job: _Job) -> None:
        job.first_of_process = not self.alive
        if job.first_of_process:
            self._start()
        folder = self._folder_of(job)
        try:
            folder.mkdir()
            write_value(folder / "request", job.request)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise WorkerError(
                f"The mesh cannot be handed to the worker in {self._folder} ({error.strerror})",
                "Make room on that disk.",
            ) from error
        self._send({"job": job.number, "task": name_of(job.module), "folder": str(folder)})

    def _folder_of(self, job: _Job) -> Path:
        return self._folder / f"job-{job.number}"

    def _send(self, message: dict) -> None:
        # Lines are short and few, far from what the system keeps for a process that does not
        # listen. If it has ended, the next `poll` says so.
        with contextlib.suppress(OSError):
            self._process.stdin.write(line_of(message))
            self._process.stdin.flush()

    def _require_same_version(self, ready: dict) -> None:
        theirs, ours = (ready["ready"], ready.get("version")), (PROTOCOL, VERSION)
        if theirs != ours:
            self._kill()
            raise WorkerError(
                f"The extension was updated while Blender was running ({VERSION} is loaded, "
                f"{ready.get('version')} is installed)",
                "Restart Blender.",
            )

    def _finish(self, job: _Job, message: dict) -> Answer:
        self._job = None
        try:
            if job.give_up is not None:
                raise Cancelled
            if "error" in message:
                raise error_from_json(message["error"])
            if "missing" in message:
                raise WorkerError(
                    f"A library cannot be loaded ({message['missing']})", self.launch.fix
                )
            if "fault" in message:
                fault = WorkerFault(message["fault"])
                fault.add_note(message["traceback"])
                raise fault
            try:
                kind = types_of(job.module)[1]
                return Answer(read_value(self._folder_of(job) / "result", kind))
            except (OSError, ValueError) as error:
                raise WorkerError(
                    f"The worker's result cannot be read ({error})", "Try again."
                ) from error
        finally:
            shutil.rmtree(self._folder_of(job), ignore_errors=True)

    def _ended_early(self, job: _Job, status: int) -> None:
        """The process has ended before the job had: start another, or say why not."""
        if job.give_up is not None:
            self._kill()
            raise Cancelled
        if not job.started and not job.first_of_process:
            # It was gone before this job came to it, and that could not be seen yet: it ended
            # because it was idle, or something killed it.
            self._kill()
            self._hand_out(job)
            self._job = job
            return
        error = _cause_of_death(status, job.started, self.launch.fix)
        tail = self._log_tail()
        if tail:
            error.add_note(f"The worker's log ends with:\n{tail}")
        self._kill()
        raise error

    def _log_tail(self) -> str:
        try:
            return (self._folder / LOG).read_text(errors="replace")[-LOG_TAIL:].strip()
        except OSError:
            return ""


def _cause_of_death(status: int, started: bool, fix: str) -> WorkerError:
    if not started and status > 0:
        return WorkerError(f"The worker process could not start (status {status})", fix)
    if status == -getattr(signal, "SIGKILL", 9):
        return WorkerError(
            "The worker process was killed, most likely by the system because memory ran out",
            "Close other programs or decimate a copy of the mesh, then try again.",
        )
    how = f"signal {-status}" if status < 0 else f"status {status:#x}"
    return WorkerError(f"The worker process ended unexpectedly ({how})", "Try again.")


def apart_from_the_terminal() -> dict:
    """Options of Popen: Ctrl-C in Blender's terminal is Blender's, and no console flashes up."""
    if sys.platform == "win32":
        return {
            "creationflags": subprocess.CREATE_NO_WINDOW
            | subprocess.CREATE_NEW_PROCESS_GROUP
            | subprocess.BELOW_NORMAL_PRIORITY_CLASS
        }
    return {"start_new_session": True}
