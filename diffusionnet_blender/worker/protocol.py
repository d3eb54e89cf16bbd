"""Protocol of client and server: messages as lines of JSON, modules of jobs by name."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_type_hints

from .. import errors
from ..errors import DiffusionNetError

PACKAGE = Path(__file__).resolve().parent.parent
# To be raised with every change of a message or of a request.
PROTOCOL = 4
MESSAGES = "messages.jsonl"
LOG = "log.txt"
# Each process has the package under another name.
_ROOT = __package__.rpartition(".")[0]


def version_on_disk() -> str:
    """Version of the extension in the manifest on disk."""
    manifest = tomllib.loads((PACKAGE / "blender_manifest.toml").read_text(encoding="utf-8"))
    return manifest["version"]


# Of the extension that this process has loaded; an update replaces the files on disk.
VERSION = version_on_disk()


def line_of(message: dict[str, Any]) -> bytes:
    """A message as a line of JSON."""
    return json.dumps(message).encode() + b"\n"


class MessageReader:
    """Reader of a file of messages to which another process appends.

    Parameters
    ----------
    path : Path
        May not exist yet.
    """

    def __init__(self, path: Path):
        self._path = path
        self._offset = 0

    def read(self) -> Iterator[dict[str, Any]]:
        """Messages since the last call; a line without its end is left for the next call."""
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
    """Name of a job's module relative to the package."""
    return job.__name__.removeprefix(_ROOT + ".")


def find_job(name: str) -> ModuleType:
    """The module of a job by that name."""
    return import_module(f"{_ROOT}.{name}")


def types_of(job: ModuleType) -> tuple[type, type, Any]:
    """Types of request, result and intermediate results: the annotations of a job's `run`."""
    hints = get_type_hints(job.run)
    return hints["request"], hints["return"], next(iter(get_args(hints["progress"])), Any)


def error_to_json(error: DiffusionNetError) -> dict[str, str]:
    """An error in JSON's types."""
    return {"kind": type(error).__name__, "message": error.message, "fix": error.fix}


def error_from_json(content: dict[str, str]) -> DiffusionNetError:
    """The error whose JSON `error_to_json` gave, of the same class."""
    kind = getattr(errors, content["kind"], DiffusionNetError)
    if kind is errors.Cancelled:
        return kind()
    return kind(content["message"], content["fix"])
