"""Records of items: appended one by one while a library is processed, merged at its end.

On disk each process appends lines to a journal of its own; a store of objects, which cannot append,
gets an object for each record. `records.jsonl` has one line for each item, the last. An item that
was started and is not yet known to be over has a marker, by which its tries are counted.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from ...errors import DiffusionNetError
from ...leftovers import is_abandoned, owner
from .storage import Folder, RemoteFolder

Record: TypeAlias = dict[str, Any]
MERGED = "records.jsonl"
STATE = ".library"
JOURNALS = f"{STATE}/journals"
STARTED = f"{STATE}/started"
NEW, DONE, UNCERTAIN, PARTIAL, FAILED = "new", "done", "uncertain", "partial", "failed"
WITH_RESULTS = (DONE, UNCERTAIN, PARTIAL)


@dataclass(frozen=True, slots=True)
class Known:
    """What the last record of an item says: seconds since 1970, status, and key."""

    time: float = 0.0
    status: str = NEW
    key: str = ""


class Records:
    """Records of a library.

    Parameters
    ----------
    folder : Folder
        Of the results.
    """

    def __init__(self, folder: Folder):
        self.folder = folder
        self._remote = isinstance(folder, RemoteFolder)

    def add(self, record: Record) -> None:
        """Append a record.

        Raises
        ------
        DiffusionNetError
            If it cannot be written.
        """
        record.setdefault("time", time.time())
        line = _line(record)
        if self._remote:
            self.folder.write(f"{JOURNALS}/{digest_of(record['name'])}.{owner()}.jsonl", line)
        else:
            self._append(f"{JOURNALS}/journal.{owner()}.jsonl", line)

    def start(self, name: str) -> int:
        """Mark an item as started; how often it was before, without having come to its end.

        Raises
        ------
        DiffusionNetError
            If it cannot be written.
        """
        before = self.starts(name)
        if self._remote:
            self.folder.write(f"{STARTED}/{digest_of(name)}.{owner()}", b".")
        else:
            self._append(f"{STARTED}/{digest_of(name)}", b".")
        return before

    def begin(self, name: str, key: str) -> Record | None:
        """Mark an item as started, unless a process has done it and died before it could tell.

        Returns
        -------
        Record or None
            What that process has recorded; None for an item that is to be done.
        """
        return self.last(name, key) if self.start(name) else None

    def starts(self, name: str) -> int:
        """How often an item was started without having come to its end."""
        if self._remote:
            return len(self._markers(name))
        return len(self.folder.read(f"{STARTED}/{digest_of(name)}") or b"")

    def end(self, name: str) -> None:
        """Forget the starts of an item whose record has been received."""
        for marker in self._markers(name) if self._remote else [digest_of(name)]:
            self.folder.remove(f"{STARTED}/{marker}")

    def started(self) -> set[str]:
        """Digests of the names of items that were started and have not come to their end."""
        return {marker.partition(".")[0] for marker in self.folder.names(STARTED)}

    def forget_starts(self) -> None:
        """Count the starts of all items anew; that they were started stays known."""
        for marker in self.folder.names(STARTED):
            if not self._remote:
                self.folder.write(f"{STARTED}/{marker}", b"")

    def read(self) -> Iterator[Record]:
        """All records, merged or not, in no order; damaged lines are left out."""
        for name in self._sources():
            yield from self._lines(name)

    def index(self) -> dict[str, Known]:
        """What is known of each item, by its name."""
        found: dict[str, Known] = {}
        for record in self.read():
            known = found.get(record["name"])
            if known is None or record["time"] >= known.time:
                found[record["name"]] = Known(record["time"], record["status"], record["key"])
        return found

    def last(self, name: str, key: str) -> Record | None:
        """The last record of an item with this key whose results are there; None without."""
        own = (r for r in self.read() if r["name"] == name and r["key"] == key)
        found = [r for r in own if r["status"] in WITH_RESULTS]
        return max(found, key=lambda r: r["time"], default=None)

    def merge(self) -> None:
        """Write the last record of each item into one file, and remove what is merged.

        Journals of processes that may still append stay. One process merges at a time.
        """
        sources = self._sources()
        index = self.index()
        lines = []
        for record in self.read():
            known = index.get(record["name"])
            if known is not None and record["time"] == known.time:
                lines.append(_line(record))
                del index[record["name"]]
        self.folder.write(MERGED, b"".join(lines))
        for name in sources:
            # An object is never written again, but by the same process for the same item.
            if name != MERGED and (self._remote or is_abandoned(self.folder.root / name)):
                self.folder.remove(name)

    def _append(self, name: str, data: bytes) -> None:
        path = self.folder.root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                if os.write(descriptor, data) < len(data):
                    # The disk is full; readers skip a line without its end.
                    os.write(descriptor, b"\n")
            finally:
                os.close(descriptor)
        except OSError as error:
            raise DiffusionNetError(
                f"{path} cannot be written ({error.strerror})",
                "Make room, and run the same command again: it goes on where it was.",
            ) from error

    def _markers(self, name: str) -> list[str]:
        digest = digest_of(name)
        return [marker for marker in self.folder.names(STARTED) if marker.startswith(digest)]

    def _sources(self) -> list[str]:
        return [MERGED, *(f"{JOURNALS}/{name}" for name in self.folder.names(JOURNALS))]

    def _lines(self, name: str) -> Iterator[Record]:
        for line in (self.folder.read(name) or b"").splitlines():
            try:
                record = json.loads(line)
                record["name"], record["key"], record["status"], record["time"]
            except (ValueError, KeyError, TypeError):
                continue
            yield record


def digest_of(name: str) -> str:
    """Name of an item in the names of files."""
    return hashlib.sha256(name.encode()).hexdigest()[:24]


def _line(record: Record) -> bytes:
    return (json.dumps(record, separators=(",", ":")) + "\n").encode()
