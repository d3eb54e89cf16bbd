"""What both ends agree on: lines of JSON for messages, and folders for values with arrays."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .. import errors
from ..errors import DiffusionNetError

PACKAGE = Path(__file__).resolve().parent.parent
# Raise it when a message or a task's request changes its meaning.
PROTOCOL = 1
MESSAGES = "messages.jsonl"
LOG = "log.txt"
_VALUE = "value.json"
_ARRAY = "__array__"


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


def write_value(folder: Path, value: Any) -> None:
    """Save a value in a folder of its own: JSON, and a .npy file for each array.

    Parameters
    ----------
    folder : Path
        Made here.
    value
        Dictionaries (with strings as keys), lists, tuples (read back as lists), strings,
        numbers, None, and arrays anywhere among them.
    """
    folder.mkdir()
    arrays = []

    def plain(item):
        if isinstance(item, np.ndarray):
            arrays.append(item)
            return {_ARRAY: len(arrays) - 1}
        if isinstance(item, dict):
            return {key: plain(entry) for key, entry in item.items()}
        if isinstance(item, (list, tuple)):
            return [plain(entry) for entry in item]
        return item

    text = json.dumps(plain(value))
    for number, array in enumerate(arrays):
        np.save(folder / f"{number}.npy", array, allow_pickle=False)
    (folder / _VALUE).write_text(text, encoding="utf-8")


def read_value(folder: Path) -> Any:
    """What `write_value` saved."""

    def arrays_back(item: dict):
        if _ARRAY in item:
            return np.load(folder / f"{item[_ARRAY]}.npy", allow_pickle=False)
        return item

    return json.loads((folder / _VALUE).read_text(encoding="utf-8"), object_hook=arrays_back)


def error_to_json(error: DiffusionNetError) -> dict:
    """An error as a message's field."""
    return {"kind": type(error).__name__, "message": error.message, "fix": error.fix}


def error_from_json(content: dict) -> DiffusionNetError:
    """The error again, of its own class."""
    kind = getattr(errors, content["kind"], DiffusionNetError)
    if kind is errors.Cancelled:
        return kind()
    return kind(content["message"], content["fix"])
