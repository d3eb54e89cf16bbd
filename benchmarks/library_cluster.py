"""A scheduler and its workers as processes of their own, as a studio runs them, to be killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from benchmarks.meshes import ROOT

MEMORY = 4 * 1024**3


class Cluster:
    """Context with a scheduler and its workers.

    Parameters
    ----------
    workers : int
    """

    def __init__(self, workers: int):
        self._workers = workers
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"

    def __enter__(self) -> Cluster:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self) -> None:
        """Start all of its processes."""
        port = self.address.rpartition(":")[2]
        self.scheduler = _started(
            "scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard", "--no-show"
        )
        self.nanny = _started(
            "worker", self.address, "--nthreads", "1", "--nworkers", str(self._workers),
            "--resources", f"MEMORY={MEMORY}", "--memory-limit", str(MEMORY), "--no-dashboard",
            "--death-timeout", "60",
        )  # fmt: skip

    def end(self) -> None:
        """End all of its processes."""
        for process in (self.nanny, self.scheduler):
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()

    def worker_pids(self) -> list[int]:
        """Processes that work on items."""
        return [
            pid
            for pid in _children(self.nanny.pid)
            if "spawn_main" in _command(pid) and "resource_tracker" not in _command(pid)
        ]


def peak_of(pid: int) -> int:
    """Peak of the memory of a process, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"process {pid} tells no peak")


def _started(kind: str, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.dask_{kind}", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DASK_LOGGING__DISTRIBUTED": "critical"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _children(pid: int) -> list[int]:
    """Child processes, whichever thread has started them."""
    found: list[int] = []
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, listed.read_text().split())
        except OSError:
            continue  # The thread has just ended.
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
