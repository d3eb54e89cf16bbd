"""An item of a library, from start to record, in the process that works on it."""

from __future__ import annotations

import argparse
import atexit
import contextlib
import json
import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import DeviceError, DiffusionNetError, WorkerError
from ...leftovers import remove_temporary
from ...tasks.progress import SILENT, Progress
from ..account import Account
from ..session import blender
from ..streams import worded
from . import records
from .facts import facts_of
from .inputs import local_copy
from .items import Item
from .limits import forget_peak, limited, memory_peak
from .records import STATE, Record, Records, digest_of
from .storage import Folder, RemoteFolder, folder_at
from .tasks import TASKS, Job

if TYPE_CHECKING:
    import bpy

ENDED = f"{STATE}/ended"
PICTURES = f"{STATE}/pictures"
# Errors after which another try may go better: they tell of the machine, not of the file.
_MAY_PASS = (DeviceError, WorkerError, OSError, MemoryError)


class ItemAccount(Account):
    """Writes what a command tells of an item into its record.

    Parameters
    ----------
    item : Item
    folder : Path, optional
        For pictures; without, none are taken.
    """

    def __init__(self, item: Item, folder: Path | None):
        super().__init__(quiet=True)
        self.errors: list[Exception] = []
        self.warnings: list[str] = []
        self.shapes: dict[str, dict[str, Any]] = {}
        self.pictures: list[Path] = []
        # Whether all results are there.
        self.written = False
        self._item, self._folder = item, folder

    def failed(self, subject: object, error: Exception) -> None:
        """Keep an error."""
        self.errors.append(error)
        self.status = 1

    def note(self, line: str) -> None:
        """What is good to know stands among the facts already."""

    def warned(self, subject: object, remarks: Sequence[str]) -> None:
        """Keep a warning."""
        self.warnings += remarks

    def missed(self, subject: object, errors: Sequence[Exception]) -> None:
        """Keep a warning for each error."""
        self.warnings += map(worded, errors)

    def uncertain(self, lines: Sequence[str]) -> None:
        """The facts have the doubt."""
        self.status = 1

    def stages(self, title: str) -> Progress[Any]:
        """Progress that nobody sees."""
        return SILENT

    def found(self, name: str, result: Any) -> None:
        """Keep the facts on a result."""
        self.shapes[name] = facts_of(result)

    def pictured(self, objects: Sequence[bpy.types.Object], *looks: str) -> None:
        """Take the pictures; an item does not fail for want of them."""
        from ...scene.thumbnail import take_pictures

        if self._folder is not None:
            try:
                self.pictures = take_pictures(objects, looks, self._folder)
            except Exception as error:
                self.warnings.append(f"no picture: {worded(error)}")


def run_item(job: Job, item: Item, key: str, most_bytes: int | None = None) -> Record:
    """Work on an item and write its record; its own errors are told in it.

    Parameters
    ----------
    job : Job
    item : Item
    key : str
        See `Job.key`.
    most_bytes : int, optional
        Limit of the memory of this process.

    Raises
    ------
    DiffusionNetError
        If the record cannot be written.
    """
    folder = folder_at(job.output)
    kept = Records(folder)
    names = result_names(job, item)
    unready = _unready(job, item)
    if (known := kept.begin(item.name, key)) is not None:
        return known
    forget_peak()
    begun, ended = time.time(), ended_name(item)
    with tempfile.TemporaryDirectory(prefix="diffusionnet_item_") as scratch:
        account = ItemAccount(item, Path(scratch) if job.pictures else None)

        def last_words(reason: str) -> None:
            folder.write(ended, json.dumps({"reason": reason, "peak": memory_peak()}).encode())

        try:
            if unready is not None:
                raise unready
            with limited(job.seconds, most_bytes, last_words):
                _run_command(job, item, folder, names, account, Path(scratch))
        except Exception as error:
            account.errors.append(error)
        pictures = _keep_pictures(folder, item, account)
    record = _record(job, item, key, account)
    record |= {"time": time.time(), "took": round(time.time() - begun, 3), "pictures": pictures}
    if record["status"] == records.FAILED:
        record["results"] = []
        _remove_since(folder, names, begun)
    else:
        record["results"] = names
    kept.add(record)
    return record


def _unready(job: Job, item: Item) -> Exception | None:
    """Start Blender, which counts neither as a try of the item nor as its time; the error of it."""
    try:
        stay_in_blender(job.options(item))
    except Exception as error:
        return error
    return None


def result_names(job: Job, item: Item) -> list[str]:
    """Names of the files that an item gets, below the output folder."""
    return [f"{item.name}{suffix}" for suffix in job.results]


def ended_name(item: Item) -> str:
    """Name of the file with the last words of a process that an item has ended."""
    return f"{ENDED}/{digest_of(item.name)}.json"


def _run_command(
    job: Job, item: Item, folder: Folder, names: list[str], account: ItemAccount, scratch: Path
) -> None:
    """Run the command on local files, and move its results to where they belong."""
    incoming, outgoing = scratch / "in", scratch / "out"
    files = {}
    for number, file in enumerate(item.files):
        files[file] = local_copy(file, incoming / str(number))
    remote = isinstance(folder, RemoteFolder)
    root = outgoing if remote else folder.root
    results = {suffix: root / name for suffix, name in zip(job.results, names, strict=True)}
    chosen = job.chosen(item, files, results)
    begun = time.time()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        TASKS[job.task].run(chosen, account)
    missing = [path.name for path in results.values() if not _is_new(path, begun)]
    account.written = bool(account.shapes) and not missing
    if missing and not account.errors:
        raise DiffusionNetError(f"{', '.join(missing)} was not written")
    if remote:
        # What belongs to a file (.mtl, .bin, textures) before the file itself.
        written = sorted(p for p in outgoing.rglob("*") if p.is_file())
        for path in sorted(written, key=lambda p: p in results.values()):
            folder.put(path, path.relative_to(outgoing).as_posix())


def _record(job: Job, item: Item, key: str, account: ItemAccount) -> Record:
    shapes = list(account.shapes.values())
    doubts = [doubt for shape in shapes for doubt in shape["doubts"]]
    if account.errors:
        status = records.PARTIAL if account.written else records.FAILED
    else:
        # A doubtful match counts unless it was accepted beforehand.
        doubtful = account.status if TASKS[job.task].paired else doubts
        status = records.UNCERTAIN if doubtful else records.DONE
    least = min(shapes, key=_sureness, default={})
    record: Record = {
        "name": item.name,
        "file": item.file,
        "key": key,
        "status": status,
        "task": job.task,
        "machine": platform.node(),
        "peak_memory": memory_peak(),
        "vertices": sum(shape.get("vertices", 0) for shape in shapes),
        "confidence": _mean([shape["confidence"] for shape in shapes]),
        "lowest_confidence": least.get("lowest_confidence"),
        "lowest": least.get("lowest", ""),
        "doubts": list(dict.fromkeys(doubts)),
        "mended": "; ".join(filter(None, (shape.get("mended") for shape in shapes))),
        "warnings": list(dict.fromkeys(account.warnings)),
        "shapes": account.shapes,
    }
    if item.source:
        record["source"] = item.source
    if account.errors:
        record["errors"] = [error_of(error) for error in account.errors]
    return record


def error_of(error: Exception) -> dict[str, Any]:
    """An error in a record: class, message, fix, and whether a retry can help."""
    told: dict[str, Any] = {"class": type(error).__name__}
    if isinstance(error, DiffusionNetError):
        told |= {"message": error.message, "fix": error.fix}
    else:
        where = "".join(traceback.format_exception(error)[-3:])[-2000:]
        told |= {"message": " ".join(str(error).split()), "fix": "", "where": where}
    may_pass = isinstance(error, _MAY_PASS) or isinstance(error.__cause__, _MAY_PASS)
    return {**told, "retry": may_pass}


def _sureness(shape: dict[str, Any]) -> float:
    lowest = shape.get("lowest_confidence")
    return 1.0 if lowest is None else lowest


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 4) if known else None


def _keep_pictures(folder: Folder, item: Item, account: ItemAccount) -> list[str]:
    names = []
    for number, path in enumerate(account.pictures):
        names.append(f"{PICTURES}/{item.name}.{number}.webp")
        folder.put(path, names[-1])
    return names


def _remove_since(folder: Folder, names: Sequence[str], begun: float) -> None:
    """Remove results of a try that has failed; those of an earlier one stay."""
    if isinstance(folder, RemoteFolder):
        return
    for name in names:
        if _is_new(folder.root / name, begun):
            folder.remove(name)


def _is_new(path: Path, begun: float) -> bool:
    """Whether a file was written since a time; clocks of file systems are coarse."""
    try:
        return path.stat().st_mtime >= begun - 0.05
    except OSError:
        return False


_held = contextlib.ExitStack()


def stay_in_blender(chosen: argparse.Namespace) -> None:
    """Register the extension in this process for good: each item would do it again."""
    if "bpy" in sys.modules and hasattr(sys.modules["bpy"].types.Mesh, "diffusionnet"):
        return
    _held.enter_context(blender(chosen))
    atexit.register(_leave)


def _leave() -> None:
    """End at once: bpy as a module crashes while the interpreter winds down."""
    import bpy

    if bpy.app.tempdir:
        remove_temporary(Path(bpy.app.tempdir))
    os._exit(0)
