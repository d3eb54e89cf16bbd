"""Names of unfinished files and folders, and the sweep of those whose process is gone.

A name holds the number of the process and a mark of its machine: a folder of results may be shared
by many.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

# Blender's own temporary folder has a file of this kind in it while a command runs.
MARK = "diffusionnet"
WORKER = "diffusionnet_"
# Age from which the number of a process means nothing: another has got it, or on another machine.
ELSEWHERE_SECONDS = 3600.0
ALWAYS_SECONDS = 86400.0
# Of files without the mark of a machine.
UNMARKED_SECONDS = 60.0

_OWNER = r"(?P<pid>\d+)-(?P<machine>[0-9a-f]{8})"
_STAGED = re.compile(rf"\.(?P<stem>.+)\.{_OWNER}\.[a-z0-9_]{{1,8}}@?")
# Named by the process alone. A user's file may be called so, thus of the result at hand only.
_UNMARKED = r"\.{stem}\.(?P<pid>\d+)\.(?:npz|blend@?)"
_WORKER = re.compile(rf"{WORKER}{_OWNER}_.+")
_MARK = re.compile(rf"{MARK}\.{_OWNER}")
_JOURNAL = re.compile(rf".+\.{_OWNER}\.(?:jsonl|lock)")


def owner() -> str:
    """Number and machine of this process, as a part of a name."""
    return f"{os.getpid()}-{_machine()}"


def staged(path: Path) -> Path:
    """Path beside a file under which it is written before it is renamed."""
    return path.with_name(f"{staged_prefix(path)}{path.suffix.lower()}")


def staged_prefix(path: Path) -> str:
    """Beginning of names beside a file, of what belongs to it before it is whole."""
    return f".{path.stem}.{owner()}"


def worker_folder() -> Path:
    """A new folder for a worker process."""
    sweep_temporary()
    return Path(tempfile.mkdtemp(prefix=f"{WORKER}{owner()}_"))


def is_abandoned(path: Path) -> bool:
    """Whether the process that `owner` names in the name of a journal or lock is gone."""
    found = _JOURNAL.fullmatch(path.name)
    return found is not None and _is_abandoned(path, found)


def sweep_beside(path: Path) -> None:
    """Remove what killed runs have left beside a file that is to be written."""
    unmarked = re.compile(_UNMARKED.format(stem=re.escape(path.stem)))
    for entry in _entries(path.parent):
        found = _STAGED.fullmatch(entry.name) or unmarked.fullmatch(entry.name)
        if found and _is_abandoned(entry, found):
            _remove(entry)


def sweep_temporary(folder: Path | None = None) -> None:
    """Remove folders of workers and of Blender whose process was killed.

    Of Blender's only those that `mark_temporary` has marked: others may be in use.

    Parameters
    ----------
    folder : Path, optional
        Default: the folder of the system.
    """
    for entry in _entries(folder or Path(tempfile.gettempdir())):
        if found := _WORKER.fullmatch(entry.name):
            if _is_abandoned(entry, found):
                _remove(entry)
        elif entry.name.startswith("blender_"):
            for inside in _entries(entry):
                if (found := _MARK.fullmatch(inside.name)) and _is_abandoned(inside, found):
                    _remove(entry)
                    break


def mark_temporary(folder: Path) -> None:
    """Mark Blender's temporary folder as that of this process."""
    with contextlib.suppress(OSError):
        (folder / f"{MARK}.{owner()}").touch()


def remove_temporary(folder: Path) -> None:
    """Remove Blender's temporary folder, at the end of the process, if it is marked as its own."""
    if (folder / f"{MARK}.{owner()}").is_file():
        _remove(folder)


def remove_staged(path: Path) -> None:
    """Remove a staged file, and that under which Blender writes it."""
    for leftover in (path, path.with_name(f"{path.name}@")):
        with contextlib.suppress(OSError):
            leftover.unlink(missing_ok=True)


def _entries(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from list(folder.iterdir())


def _is_abandoned(path: Path, found: re.Match[str]) -> bool:
    try:
        age = time.time() - path.lstat().st_mtime
    except OSError:
        return False
    if "machine" not in found.re.groupindex:
        return age > UNMARKED_SECONDS and not _is_running(int(found["pid"]))
    if age > ALWAYS_SECONDS:
        # A worker lives as long as its Blender, and writes into folders of jobs alone.
        return found.re is _STAGED or not _is_running(int(found["pid"]))
    if found["machine"] == _machine():
        return not _is_running(int(found["pid"]))
    return age > ELSEWHERE_SECONDS


def _is_running(pid: int) -> bool:
    if sys.platform == "win32":
        import ctypes

        query, still_active = 0x1000, 259
        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(query, False, pid)
        if not handle:
            # Access denied means that there is one.
            return kernel.GetLastError() == 5
        status = ctypes.c_ulong()
        kernel.GetExitCodeProcess(handle, ctypes.byref(status))
        kernel.CloseHandle(handle)
        return status.value == still_active
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


def _machine() -> str:
    return f"{zlib.crc32(platform.node().encode()):08x}"


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()
