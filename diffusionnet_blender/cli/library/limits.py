"""Limits of an item: a process that takes too long or too much memory ends itself."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

# Exit status of a process that has passed a limit.
OVER = 70
PAUSE = 0.1
# What hangs without letting other threads of Python run is ended by the system's clock.
GRACE = 10.0
_STATUS = Path("/proc/self/status")


@contextlib.contextmanager
def limited(
    seconds: float, most_bytes: int | None, last_words: Callable[[str], None]
) -> Iterator[None]:
    """Context in which this process ends when it passes a limit.

    Parameters
    ----------
    seconds : float
    most_bytes : int, optional
        Of memory.
    last_words : callable
        Called with the reason before the end.
    """
    done = threading.Event()
    end = time.monotonic() + seconds

    def watch() -> None:
        while not done.wait(PAUSE):
            reason = ""
            if time.monotonic() > end:
                reason = f"It took more than {seconds:g} s"
            elif most_bytes is not None and (now := memory_now()) and now > most_bytes:
                reason = f"It took more than {most_bytes / 2**30:.1f} GB of memory"
            if reason and not done.is_set():
                with contextlib.suppress(Exception):
                    last_words(reason)
                os._exit(OVER)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    with open(os.devnull, "w") as nowhere:
        # Python's threads wait while Blender's importers run; this one does not.
        faulthandler.dump_traceback_later(seconds + GRACE, exit=True, file=nowhere)
        try:
            yield
        finally:
            done.set()
            faulthandler.cancel_dump_traceback_later()
            thread.join()


def memory_now() -> int | None:
    """Memory of this process in bytes; None where the system does not tell."""
    return _status("VmRSS:")


def forget_peak() -> None:
    """Let `memory_peak` start anew, where the system can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def memory_peak() -> int | None:
    """Peak of the memory of this process in bytes; None where the system does not tell."""
    peak = _status("VmHWM:")
    if peak is None and sys.platform != "win32":
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return peak


def _status(name: str) -> int | None:
    try:
        for line in _STATUS.read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None
