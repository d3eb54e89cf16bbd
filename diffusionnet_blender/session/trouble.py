"""The last error, shown in the panel, and report files of unexpected errors."""

from __future__ import annotations

import platform
import sys
import traceback
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import bpy

from ..errors import Cancelled, DiffusionNetError
from ..settings import settings


@dataclass(frozen=True)
class Trouble:
    """An error, as it is shown.

    Attributes
    ----------
    kind : str
        Name of the error's class.
    message, fix : str
    details : str
        Traceback with the error's notes, such as the end of the worker's log.
    """

    kind: str
    message: str
    fix: str
    details: str


_last: list[Trouble] = []


def note_trouble(error: Exception) -> None:
    """Keep an error until the next run."""
    if isinstance(error, Cancelled):
        return
    expected = isinstance(error, DiffusionNetError)
    _last[:] = [
        Trouble(
            kind=type(error).__name__,
            message=error.message if expected else f"{type(error).__name__}: {error}",
            fix=error.fix if expected else "This is a bug in the extension; please report it.",
            details="".join(traceback.format_exception(error)),
        )
    ]


def last_trouble() -> Trouble | None:
    """The last error, until the next run starts."""
    return _last[0] if _last else None


def forget_trouble() -> None:
    """Clear the last error."""
    _last.clear()


def write_report(idname: str) -> Path:
    """Write the current traceback, with versions and system, to a file.

    Parameters
    ----------
    idname : str
        Of the operator that failed.
    """
    folder = settings().report_folder
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{datetime.now():%Y-%m-%d_%H-%M-%S}.txt"
    lines = [
        f"Operator: {idname}",
        f"Blender: {bpy.app.version_string} ({bpy.app.build_hash.decode()})",
        f"Python: {sys.version}",
        f"System: {platform.platform()}",
        "",
        traceback.format_exc(),
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
