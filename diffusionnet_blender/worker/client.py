"""Client of the worker process: submits jobs, polls their progress and never blocks."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from types import ModuleType
from typing import IO, Any

from ..errors import Cancelled, WorkerError
from ..leftovers import worker_folder
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
# Seconds after a request to cancel until the process is killed: a call into a C library cannot be
# interrupted.
PATIENCE = 0.25
# Characters of the log that are shown with an error.
LOG_TAIL = 4000


@dataclass(frozen=True)
class JobState:
    """State of a job that is being computed.

    Attributes
    ----------
    stage : str
        A key of the job's STAGES; "" while the process starts.
    fraction : float
        Of this stage, 0 to 1.
    partial : optional
        Last intermediate result.
    """

    stage: str
    fraction: float
    partial: Any = None


@dataclass(frozen=True, eq=False)
class Answer:
    """The result of a job."""

    result: Any


class WorkerFault(Exception):  # noqa: N818
    """A task failed with an unexpected exception; its traceback is in the notes."""


@dataclass(frozen=True, eq=False)
class _LiveProcess:
    """A process that was started, with its folder and the ends of both channels.

    Attributes
    ----------
    process : Popen
    requests : binary file
        Standard input of the process.
    folder : Path
        Messages, log, and a folder for each job.
    messages : MessageReader
    """

    process: subprocess.Popen[bytes]
    requests: IO[bytes]
    folder: Path
    messages: MessageReader

    def send(self, message: dict[str, Any]) -> None:
        # Lines are short and few, far below the capacity of the pipe, so that writing never
        # blocks. That a process has ended is found by the next `poll`.
        with contextlib.suppress(OSError):
            self.requests.write(line_of(message))
            self.requests.flush()

    def log_tail(self) -> str:
        try:
            return (self.folder / LOG).read_text(errors="replace")[-LOG_TAIL:].strip()
        except OSError:
            return ""


@dataclass
class _Job:
    number: int
    module: ModuleType
    # None once the process has read it; until then it can be submitted to another process.
    request: Any
    live: _LiveProcess
    # Whether the process was started for this job.
    is_first: bool
    state: JobState = JobState("", 0.0)
    started: bool = False
    # Time at which a cancelled job is killed.
    kill_at: float | None = None

    @property
    def folder(self) -> Path:
        return self.live.folder / f"job-{self.number}"


class Worker:
    """A process that runs one job at a time, started with the first.

    Parameters
    ----------
    launch : Launch
        Python interpreter and its libraries.
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
        self._live: _LiveProcess | None = None
        self._job: _Job | None = None
        self._dying: list[_LiveProcess] = []
        self._count = 0

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._running() is not None

    @property
    def busy(self) -> bool:
        """Whether a job was submitted whose result `poll` has not returned."""
        return self._job is not None

    @property
    def pid(self) -> int | None:
        """Number of the process, None where none runs."""
        live = self._running()
        return None if live is None else live.process.pid

    def submit(self, job: ModuleType, request: Any) -> None:
        """Submit a job; `poll` returns its state and its result.

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
        self._job = self._submitted(self._count, job, request)

    def poll(self) -> JobState | Answer:
        """State of the job or its result, without waiting.

        Returns
        -------
        JobState or Answer
            After an answer, or any error, the worker is free for the next job.

        Raises
        ------
        Cancelled
            After `cancel`.
        DiffusionNetError
            Error of the task, of the same class; WorkerError if the process has ended.
        WorkerFault
            If the task failed with an unexpected exception.
        """
        job = self._job
        if job is None:
            # The worker was stopped.
            raise Cancelled
        # Before the messages are read, so that the last ones of a process that ends are among them.
        status = job.live.process.poll()
        for message in job.live.messages.read():
            if "ready" in message:
                self._require_same_version(message)
            elif message["job"] != job.number:
                continue
            elif "stage" in message:
                job.state = replace(job.state, stage=message["stage"], fraction=message["fraction"])
            elif "partial" in message:
                partial = from_message(message["partial"], types_of(job.module)[2])
                job.state = replace(job.state, partial=partial)
            elif "started" in message:
                job.started, job.request = True, None
            else:
                return self._finish(job, message)
        if status is not None:
            self._ended_early(job, status)
        elif job.kill_at is not None and monotonic() >= job.kill_at:
            self._kill()
            raise Cancelled
        return job.state

    def cancel(self) -> None:
        """Request the end of the job: `poll` raises `Cancelled` within `PATIENCE`."""
        if self._job is not None and self._job.kill_at is None:
            self._job.kill_at = monotonic() + PATIENCE
            self._job.live.send({"cancel": self._job.number})

    def enough(self) -> None:
        """Request the best result so far; only tasks with intermediate results end early."""
        if self._job is not None:
            self._job.live.send({"enough": self._job.number})

    def stop(self) -> None:
        """Kill the process and wait for its end; the next job starts another."""
        self._kill()
        for live in self._dying:
            # Takes some milliseconds, unless the system itself is in trouble.
            with contextlib.suppress(subprocess.TimeoutExpired):
                live.process.wait(timeout=1.0)
        self._remove_folders()

    def _running(self) -> _LiveProcess | None:
        live = self._live
        return None if live is None or live.process.poll() is not None else live

    def _kill(self) -> None:
        """Kill the process without waiting: on a busy machine its end takes a while."""
        live, self._live, self._job = self._live, None, None
        if live is not None:
            live.process.kill()
            with contextlib.suppress(OSError):
                live.requests.close()
            self._dying.append(live)
        self._remove_folders()

    def _remove_folders(self) -> None:
        """Remove the folders of processes that have ended: before, Windows refuses to."""
        for live in [*self._dying]:
            if live.process.poll() is not None:
                self._dying.remove(live)
                shutil.rmtree(live.folder, ignore_errors=True)

    def _start(self) -> _LiveProcess:
        self._kill()
        folder = worker_folder()
        bootstrap = self._package / "worker" / "bootstrap.py"
        try:
            with open(folder / LOG, "wb") as log:
                process = subprocess.Popen(
                    [self.launch.python, "-I", str(bootstrap)],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    cwd=folder.parent,
                    **apart_from_the_terminal(),
                )
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise WorkerError(
                f"The worker's Python {self.launch.python} cannot be started ({error.strerror})",
                f"If security software blocks it, allow it. {self.launch.fix}",
            ) from error
        # Of a pipe it is never None.
        assert process.stdin is not None
        live = _LiveProcess(process, process.stdin, folder, MessageReader(folder / MESSAGES))
        self._live = live
        live.send(
            {
                "package": str(self._package),
                "paths": self.launch.paths,
                "spare_paths": self.launch.spare_paths,
                "version": sys.version_info[:2],
                "folder": str(folder),
                "idle_seconds": self._idle_seconds,
            }
        )
        return live

    def _submitted(self, number: int, module: ModuleType, request: Any) -> _Job:
        """A new job, with its request saved and sent to a process."""
        live = self._running()
        job = _Job(number, module, request, live or self._start(), is_first=live is None)
        try:
            job.folder.mkdir()
            write_value(job.folder / "request", request)
        except OSError as error:
            shutil.rmtree(job.folder, ignore_errors=True)
            raise WorkerError(
                f"The mesh cannot be handed to the worker in {job.live.folder} ({error.strerror})",
                "Make room on that disk.",
            ) from error
        job.live.send({"job": number, "task": name_of(module), "folder": str(job.folder)})
        return job

    def _require_same_version(self, ready: dict[str, Any]) -> None:
        theirs, ours = (ready["ready"], ready.get("version")), (PROTOCOL, VERSION)
        if theirs != ours:
            self._kill()
            raise WorkerError(
                f"The extension was updated while Blender was running ({VERSION} is loaded, "
                f"{ready.get('version')} is installed)",
                "Restart Blender.",
            )

    def _finish(self, job: _Job, message: dict[str, Any]) -> Answer:
        self._job = None
        try:
            if job.kill_at is not None:
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
                return Answer(read_value(job.folder / "result", types_of(job.module)[1]))
            except (OSError, ValueError) as error:
                raise WorkerError(
                    f"The worker's result cannot be read ({error})", "Try again."
                ) from error
        finally:
            shutil.rmtree(job.folder, ignore_errors=True)

    def _ended_early(self, job: _Job, status: int) -> None:
        """Submit the job of a process that has ended to another, or raise the cause of its end."""
        log = job.live.log_tail()
        self._kill()
        if job.kill_at is not None:
            raise Cancelled
        if not job.started and not job.is_first:
            # The process had ended before this job was submitted, which could not be seen yet: it
            # was idle for too long, or was killed from outside.
            self._job = self._submitted(job.number, job.module, job.request)
            return
        error = _cause_of_death(status, job.started, self.launch.fix)
        if log:
            error.add_note(f"The worker's log ends with:\n{log}")
        raise error


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


def apart_from_the_terminal() -> dict[str, Any]:
    """Options of Popen: Ctrl-C in Blender's terminal ends Blender alone, and no console opens."""
    if sys.platform == "win32":
        return {
            "creationflags": subprocess.CREATE_NO_WINDOW
            | subprocess.CREATE_NEW_PROCESS_GROUP
            | subprocess.BELOW_NORMAL_PRIORITY_CLASS
        }
    return {"start_new_session": True}
