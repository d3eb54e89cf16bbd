"""Items of a library: what is processed, and under which name its results are written."""

from __future__ import annotations

import csv
import io
import json
import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import DiffusionNetError
from . import inputs
from .storage import is_url, opened_url

MANIFESTS = (".csv", ".jsonl")
# Columns of a manifest; all others are options of the task.
COLUMNS = ("file", "object", "armature", "source", "source_object", "name")
WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
# Faults that are told one by one.
MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a library.

    Attributes
    ----------
    name : str
        Path of its results below the output folder, without a suffix, with slashes.
    file : str
        Path or URL; of a pair, of the target.
    object : str
        Mesh or armature that stands for its character; empty for all, or the largest.
    source, source_object : str
        Likewise of the source of a pair.
    arguments : tuple of str
        Options of its own, as on the command line.
    """

    name: str
    file: str
    object: str = ""
    source: str = ""
    source_object: str = ""
    arguments: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """Files that are read."""
        return (self.source, self.file) if self.source else (self.file,)


def find_items(places: Sequence[str], output: str, source: str = "") -> list[Item]:
    """Items of folders, patterns, files and manifests, in their order.

    Parameters
    ----------
    places : sequence of str
        Paths or URLs.
    output : str
        Folder of the results, which is not looked into.
    source : str
        Source of all pairs whose manifest names none.

    Raises
    ------
    DiffusionNetError
        If there is none, a manifest cannot be read, files are missing or listed twice, or two
        items have one name.
    """
    found: list[Item] = []
    faults: list[str] = []
    for place in places:
        before = len(found)
        if posixpath.splitext(place)[1].lower() in MANIFESTS:
            found += read_manifest(place, source)
        else:
            found += [
                Item(os.path.splitext(name)[0], file, source=source)
                for file, name in inputs.found_files(place, output)
            ]
        if len(found) == before:
            faults.append(f"{place} has no file that can be read")
    if faults:
        raise DiffusionNetError("; ".join(faults), f"Read are {' '.join(inputs.SUFFIXES)}.")
    _require_files(found)
    _require_apart(found)
    return found


def chunk_of(items: Sequence[Item], number: int, count: int) -> list[Item]:
    """The items of one of several chunks, from 1: each `count`-th, since neighbours are alike."""
    return list(items[number - 1 :: count])


def read_manifest(place: str, source: str = "") -> list[Item]:
    """Items of a CSV with a head, or of JSON lines; paths in it are relative to its folder.

    Raises
    ------
    DiffusionNetError
        If it cannot be read, with the number of the line.
    """
    text = _text_of(place)
    rows = _csv_rows(text, place) if place.lower().endswith(".csv") else _json_rows(text, place)
    base = place.rpartition("/")[0] if is_url(place) else os.path.dirname(place)
    return [_item(row, f"{place}, line {line}", base, source) for line, row in rows]


def write_manifest(items: Iterable[Item]) -> str:
    """Items as JSON lines that `read_manifest` reads, with absolute paths."""
    lines = []
    for item in items:
        row: dict[str, Any] = {"file": _absolute(item.file), "name": item.name}
        if item.source:
            row["source"] = _absolute(item.source)
        for name in ("object", "source_object"):
            if getattr(item, name):
                row[name] = getattr(item, name)
        if item.arguments:
            row["arguments"] = list(item.arguments)
        lines.append(json.dumps(row))
    return "".join(f"{line}\n" for line in lines)


def _absolute(file: str) -> str:
    return file if is_url(file) else os.path.abspath(file)


def _text_of(place: str) -> str:
    try:
        if not is_url(place):
            return Path(place).read_text(encoding="utf-8-sig")
        files, path = opened_url(place)
        return files.cat_file(path).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DiffusionNetError(
            f"The manifest {place} cannot be read ({reason})", "Give a UTF-8 CSV or JSON lines."
        ) from error


def _csv_rows(text: str, place: str) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text))
    try:
        head = [name.strip() for name in reader.fieldnames or ()]
        twice = next((name for name in head if name and head.count(name) > 1), None)
        if twice:
            raise DiffusionNetError(
                f"The head of {place} has two columns {twice!r}", "Remove one of them."
            )
        reader.fieldnames = head
        for row in reader:
            # Spreadsheets write empty columns at the end.
            if row.pop("", None) or any(row.pop(None, ())):
                raise DiffusionNetError(
                    f"{place}, line {reader.line_num} has a field without a column",
                    'Name its column, or put a field that holds a comma in quotes: "a,b".',
                )
            yield reader.line_num, {name: value for name, value in row.items() if value}
    except csv.Error as error:
        raise DiffusionNetError(
            f"{place}, line {reader.line_num} is no CSV ({error})", "Write it anew as UTF-8 CSV."
        ) from error


def _json_rows(text: str, place: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DiffusionNetError(
                f"{place}, line {number} is no JSON ({error})", 'Write {"file": ...} in each line.'
            ) from error
        if not isinstance(row, dict):
            raise DiffusionNetError(
                f"{place}, line {number} is no object", 'Write {"file": ...} in each line.'
            )
        yield number, row


def _item(row: dict[str, Any], where: str, base: str, source: str) -> Item:
    for column in COLUMNS:
        if not isinstance(row.get(column) or "", str):
            raise DiffusionNetError(f"{where}: {column} is no text", "Put it in quotes.")
    file = row.get("file")
    if not file:
        raise DiffusionNetError(f"{where} names no file", "Fill the column file.")
    file = _placed(file, base)
    source = _placed(row["source"], base) if row.get("source") else source
    stem = posixpath.splitext(file.replace(os.sep, "/").rpartition("/")[2])[0]
    name = str(row.get("name") or stem).replace("\\", "/")
    if not name.isprintable():
        raise DiffusionNetError(
            f"{where}: the name {name!r} has characters that no file can have", "Rename it."
        )
    if name.startswith("/") or any(part in ("", ".", "..") for part in name.split("/")):
        raise DiffusionNetError(
            f"{where}: the name {name!r} leads out of the output folder",
            "Give a name such as heroes/ada.",
        )
    given = row.get("object") or row.get("armature") or ""
    own = row.get("arguments") or []
    if not isinstance(own, list) or not all(isinstance(word, str) for word in own):
        raise DiffusionNetError(
            f"{where}: arguments is no list of texts", 'Write ["--model", "body_parts"].'
        )
    arguments = own or [
        word
        for key, value in row.items()
        if key not in COLUMNS and value is not None
        for word in task_argument(str(key), value, where)
    ]
    return Item(
        name, file, str(given), source, str(row.get("source_object") or ""), tuple(arguments)
    )


def task_argument(name: str, value: Any, where: str) -> list[str]:
    """An option of a manifest as on the command line."""
    flag = name.strip().lstrip("-").replace("_", "-")
    if isinstance(value, str):
        value = WORDS.get(value.strip().lower(), value)
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    if isinstance(value, list):
        value = ",".join(map(str, value))
    if isinstance(value, dict):
        raise DiffusionNetError(f"{where}: {name} is an object", "Give a text or a number.")
    return [f"--{flag}={value}"]


def _placed(file: str, base: str) -> str:
    if is_url(file) or os.path.isabs(file):
        return file
    return f"{base}/{file}" if is_url(base) else os.path.join(base, file)


def _require_files(items: Sequence[Item]) -> None:
    """Raise DiffusionNetError for files that are missing; those at URLs are looked up later."""
    files = dict.fromkeys(file for item in items for file in item.files if not is_url(file))
    missing = [file for file in files if not os.path.isfile(file)]
    if missing:
        raise _told(missing, lambda many: f"{many} is missing", "Correct its path.")


def _require_apart(items: Sequence[Item]) -> None:
    """Raise DiffusionNetError for items that are listed twice, or would be written to one place."""
    by_name: dict[str, Item] = {}
    twice: list[str] = []
    clashes: list[str] = []
    for item in items:
        # Some file systems take capitals for small letters.
        other = by_name.setdefault(item.name.casefold(), item)
        if other is not item:
            same = (item.files, item.object) == (other.files, other.object)
            (twice if same else clashes).append(
                item.file if same else f"{other.file} and {item.file} ({item.name})"
            )
    if twice:
        raise _told(twice, lambda many: f"{many} is listed twice", "List it once.")
    if clashes:
        raise _told(
            clashes,
            lambda many: f"The results of {many} have one name",
            "Give them names of their own, in the column name of a manifest.",
        )


def _told(faults: Sequence[str], worded: Callable[[str], str], fix: str) -> DiffusionNetError:
    more = f" (and {len(faults) - MOST_TOLD:,} more)" if len(faults) > MOST_TOLD else ""
    return DiffusionNetError(worded("; ".join(faults[:MOST_TOLD])) + more, fix)
