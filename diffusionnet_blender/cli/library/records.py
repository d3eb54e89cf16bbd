"""Records of items: appended one by one while a library is processed, merged at its end.

On disk each process appends lines to a journal of its own; a store of objects, which cannot append,
gets an object for each record. `records.jsonl` has one line for each item, the last.
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
STARTED, DONE, UNCERTAIN, PARTIAL, FAILED = "started", "done", "uncertain", "partial", "failed"
# Of items whose results are there and whole.
WHOLE = (DONE, UNCERTAIN)


@dataclass(slots=True)
class Known:
    """What is known of an item.

    Attributes
    ----------
    time : float
        Of its last record, in seconds since 1970.
    status : str
        Of its last record that is not "started"; "started" without any.
    key : str
    starts : int
        Since then.
    """

    time: float = 0.0
    status: str = STARTED
    key: str = ""
    starts: int = 0


class Records:
    """Records of a library.

    Parameters
    ----------
    folder : Folder
        Of the results.
    """

    def __init__(self, folder: Folder):
        self.folder = folder

    def add(self, record: Record) -> None:
        """Append a record.

        Raises
        ------
        DiffusionNetError
            If it cannot be written.
        """
        record.setdefault("time", time.time())
        line = (json.dumps(record, separators=(",", ":")) + "\n").encode()
        if isinstance(self.folder, RemoteFolder):
            digest = hashlib.sha256(record["name"].encode()).hexdigest()[:24]
            kind = "start" if record["status"] == STARTED else "end"
            self.folder.write(f"{JOURNALS}/{digest}.{kind}.{owner()}.jsonl", line)
            return
        path = self.folder.root / JOURNALS / f"journal.{owner()}.jsonl"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                written = os.write(descriptor, line)
                if written < len(line):
                    # A line without its end is skipped by readers.
                    os.write(descriptor, b"\n")
                    raise OSError(28, "No space left on device")
            finally:
                os.close(descriptor)
        except OSError as error:
            raise DiffusionNetError(
                f"{path} cannot be written ({error.strerror})",
                "Make room, and run the same command again: it goes on where it was.",
            ) from error

    def read(self) -> Iterator[Record]:
        """All records, merged or not, in no order; damaged lines are left out."""
        for name in self._sources():
            yield from self._lines(name)

    def index(self) -> dict[str, Known]:
        """What is known of each item, by its name."""
        found: dict[str, Known] = {}
        starts: dict[str, list[float]] = {}
        for record in self.read():
            if record["status"] == STARTED:
                starts.setdefault(record["name"], []).append(record["time"])
                found.setdefault(record["name"], Known(record["time"], key=record["key"]))
                continue
            known = found.setdefault(record["name"], Known())
            if known.status == STARTED or record["time"] >= known.time:
                known.time, known.key = record["time"], record["key"]
                known.status = record["status"]
        for name, times in starts.items():
            known = found[name]
            ended = known.time if known.status != STARTED else 0.0
            known.starts = sum(time > ended for time in times)
        return found

    def last(self, name: str, key: str) -> Record | None:
        """The last record of an item of a key that is whole; None without."""
        found = [
            r for r in self.read() if r["name"] == name and r["key"] == key and r["status"] in WHOLE
        ]
        return max(found, key=lambda r: r["time"], default=None)

    def merge(self) -> None:
        """Write the last record of each item into one file, and remove what is merged.

        Journals of processes that may still append stay. One process merges at a time.
        """
        sources = self._sources()
        index = self.index()
        lines = []
        for record in self.read():
            known = index[record["name"]]
            if record["status"] != STARTED and record["time"] == known.time:
                lines.append(json.dumps(record, separators=(",", ":")))
                known.time = -1.0
        self.folder.write(MERGED, "".join(f"{line}\n" for line in lines).encode())
        for name in sources:
            if name != MERGED and self._is_over(name):
                self.folder.remove(name)

    def _is_over(self, name: str) -> bool:
        if isinstance(self.folder, RemoteFolder):
            # An object is never written again, but by the same process for the same item.
            return True
        return is_abandoned(self.folder.root / name)

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
