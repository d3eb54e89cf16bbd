"""The last error, for the panel and for reports: a line in the status bar is soon gone."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

from ..errors import Cancelled, DiffusionNetError


@dataclass(frozen=True)
class Trouble:
    """What went wrong.

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
    """Keep an error until the next attempt."""
    if isinstance(error, Cancelled):
        return
    known = isinstance(error, DiffusionNetError)
    _last[:] = [
        Trouble(
            kind=type(error).__name__,
            message=error.message if known else f"{type(error).__name__}: {error}",
            fix=error.fix if known else "This is a fault of the add-on: please report it.",
            details="".join(traceback.format_exception(error)),
        )
    ]


def last_trouble() -> Trouble | None:
    """What went wrong last, if nothing has begun since."""
    return _last[0] if _last else None


def forget_trouble() -> None:
    """Begin anew."""
    _last.clear()
