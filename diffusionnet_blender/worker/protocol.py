"""Protocol of both ends: lines of JSON for messages, and the modules of jobs by name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_type_hints

from .. import errors
from ..errors import DiffusionNetError

PACKAGE = Path(__file__).resolve().parent.parent
# Raise it when a message or a task's request changes its meaning.
PROTOCOL = 3
MESSAGES = "messages.jsonl"
LOG = "log.txt"
_ROOT = __package__.rpartition(".")[0]


def version_on_disk() -> str:
    """Version of the extension as its manifest states it."""
    text = (PACKAGE / "blender_manifest.toml").read_text(encoding="utf-8")
    return re.search(r'^version = "(.+)"', text, flags=re.MULTILINE)[1]


# As it was when this process loaded the extension: an update changes the files under it.
VERSION = version_on_disk()


def line_of(message: dict) -> bytes:
    """A message as a line."""
    return json.dumps(message).encode() + b"\n"


class MessageReader:
    """Reads a file of messages while another process appends to it.

    Parameters
    ----------
    path : Path
        Need not exist yet.
    """

    def __init__(self, path: Path):
        self._path = path
        self._offset = 0

    def read(self) -> Iterator[dict]:
        """Messages since the last call; a line that is not whole yet is left for the next."""
        try:
            with open(self._path, "rb") as file:
                file.seek(self._offset)
                text = file.read()
        except FileNotFoundError:
            return
        whole = text.rfind(b"\n") + 1
        self._offset += whole
        for line in text[:whole].splitlines():
            yield json.loads(line)


def name_of(job: ModuleType) -> str:
    """Name of a job's module inside the package, which both processes know under other names."""
    return job.__name__.removeprefix(_ROOT + ".")


def find_job(name: str) -> ModuleType:
    """The module of a job; its libraries are imported when it runs, not before."""
    return import_module(f"{_ROOT}.{name}")


def types_of(job: ModuleType) -> tuple[type, type, Any]:
    """Types of a job's request, result and intermediate results, by the annotations of `run`."""
    hints = get_type_hints(job.run)
    return hints["request"], hints["return"], next(iter(get_args(hints["progress"])), Any)


def error_to_json(error: DiffusionNetError) -> dict:
    """An error as a message's field."""
    return {"kind": type(error).__name__, "message": error.message, "fix": error.fix}


def error_from_json(content: dict) -> DiffusionNetError:
    """The error again, of its own class."""
    kind = getattr(errors, content["kind"], DiffusionNetError)
    if kind is errors.Cancelled:
        return kind()
    return kind(content["message"], content["fix"])
