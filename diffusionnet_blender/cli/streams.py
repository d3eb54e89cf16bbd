"""What a command says: lines on stdout and stderr, whether or not anyone still reads them."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

from ..errors import DiffusionNetError

# Set to anything but 0, an error also prints its traceback.
DEBUG = "DIFFUSIONNET_DEBUG"
# As of a program that the signal SIGPIPE has ended.
PIPE_STATUS = 128 + 13
# By which users and job queues end a command.
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class Stopped(BaseException):
    """The command is to end now, with a status; no error of a file.

    Parameters
    ----------
    status : int
    """

    def __init__(self, status: int):
        super().__init__(status)
        self.status = status


# Of the signals that came: an importer of Blender's that is written in Python swallows exceptions.
_received: list[int] = []
_held: list[None] = []


@contextlib.contextmanager
def stopping() -> Iterator[None]:
    """Context in which SIGINT, SIGTERM and SIGHUP raise `Stopped`, so that nothing is left."""
    _received.clear()
    previous = {}

    def stop(number: int, frame: FrameType | None) -> None:
        _received.append(number)
        if len(_received) == 1 and not _held:
            raise Stopped(128 + number)

    for name in SIGNALS:
        number = getattr(signal, name, None)
        # What is ignored, as by nohup, stays ignored; outside the main thread none can be set.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            with contextlib.suppress(ValueError, OSError):
                previous[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Context for whose end a signal waits: what is half imported or registered crashes Blender."""
    _held.append(None)
    try:
        yield
    finally:
        _held.pop()
    stop_if_asked()


def stop_no_more() -> None:
    """Ignore signals from now on, since the process is about to end."""
    for name in SIGNALS:
        if hasattr(signal, name):
            with contextlib.suppress(ValueError, OSError):
                signal.signal(getattr(signal, name), signal.SIG_IGN)


def stop_if_asked() -> None:
    """Raise `Stopped` again after a signal."""
    if _received:
        raise Stopped(128 + _received[0])


def open_missing_streams() -> None:
    """Give a process that was started with closed streams some that lead nowhere.

    Else the next file that it opens gets their number, and the messages of others.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            # Python holds it until the end.
            stream = open(number, "w" if number else "r", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)


def say(line: str) -> None:
    """Print a result on stdout.

    Raises
    ------
    Stopped
        If nobody reads it any more.
    """
    try:
        print(line, flush=True)
    except BrokenPipeError:
        _lead_nowhere()
        raise Stopped(PIPE_STATUS) from None


def note(line: str) -> None:
    """Print progress or an error on stderr; where it is closed, nobody wants to know."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            print(line, file=sys.stderr, flush=True)


def note_remarks(path: Path, remarks: Sequence[str], quiet: bool) -> None:
    """Print remarks on a file that was written, if there are any."""
    if remarks and not quiet:
        note(f"{path}: {'; '.join(remarks)}")


def note_left_out(title: str, told: Sequence[str], quiet: bool) -> None:
    """Print which objects of a character are left out, if there are any."""
    if told and not quiet:
        note(f"{title}: left out: {', '.join(told)}")


def fail(line: str) -> int:
    """Print an error on stderr, in one line; the exit status."""
    note(" ".join(line.split()))
    return 1


def failed(subject: object, error: Exception) -> int:
    """Print that something failed, whatever the error; the exit status.

    Parameters
    ----------
    subject : object
        File that the user gave; None where the error names it.
    error : Exception

    Raises
    ------
    Stopped
        If the command was told to end.
    """
    stop_if_asked()
    if debugging():
        note("".join(traceback.format_exception(error)).rstrip())
    return fail(worded(error) if subject is None else f"{subject}: {worded(error)}")


def debugging() -> bool:
    """Whether the user wants to see all that there is."""
    return os.environ.get(DEBUG, "0") not in ("", "0")


def worded(error: Exception) -> str:
    """An error in one line: of an unforeseen one its class and text."""
    if isinstance(error, DiffusionNetError):
        return str(error)
    text = " ".join(str(error).split())
    title = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"{title} ({DEBUG}=1 prints where)"


def flushed(status: int) -> int:
    """Write out what is left on stdout and stderr; the exit status."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        _lead_nowhere()
        return PIPE_STATUS
    except (OSError, ValueError):
        return status or 1
    return status


def _lead_nowhere() -> None:
    """Lead stdout nowhere, so that the end of the process finds nothing to complain of."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
