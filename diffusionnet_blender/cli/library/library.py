"""A library of files: its items, what is known of them, what is to be done, and its report."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import DiffusionNetError
from ...leftovers import is_abandoned, owner
from . import records
from .engine import Engine, Keyed, keyed, one_by_one
from .inputs import SUFFIXES
from .items import Item, chunk_of, find_items, task_argument
from .records import STATE, Known, Record, Records, digest_of
from .report import write_report
from .storage import Folder, RemoteFolder, folder_at
from .tasks import ARRAYS, TASKS, Job, model_digest
from .work import result_names

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as DaskFuture

PROBE = f"{STATE}/probe"
WRITTEN = tuple(suffix for suffix in SUFFIXES if suffix != ".vrm")
DEFAULT_RETRIES = 2


class Library:
    """Files that a task is run on, on all cores of this machine or on a cluster of Dask's.

    What is known beforehand is checked when it is made. `run` yields the records of what is done;
    what was done before is left alone.

    Parameters
    ----------
    inputs : sequence of str
        Folders, patterns, files, or manifests (.csv, .jsonl); paths or URLs.
    task : {"segment", "classify", "rig", "match", "transfer"}
    output : str
        Folder of the results, a path or URL.
    source : str
        Of pairs, the file from which is matched or transferred, where no manifest names it.
    results : sequence of str, optional
        Suffixes of the files that each item gets: ".blend" or another format, ".npz" for arrays.
    pictures : bool
    cache : str, optional
        Folder of matrices, or "off"; by default that of the user.
    time_limit : float
        Seconds after which the process of an item is ended.
    retries : int
        Times that an item is tried again whose process has died.
    chunk : (int, int), optional
        Number of a chunk, from 1, and of how many: the others are left to other machines.
    arguments : sequence of str
        Options of the task, as on the command line.
    **options
        The same by their names.

    Attributes
    ----------
    job : Job
    items : list of Item
    known : dict of str to Known
        What records tell of items.
    skipped : int
        Items that `pending` has passed by so far.

    Raises
    ------
    DiffusionNetError
        For items that are missing, listed twice or have one name, options that the task does not
        have, a folder that cannot be written, or files in it that would be overwritten.
    """

    def __init__(
        self,
        inputs: Sequence[str],
        task: str,
        output: str,
        *,
        source: str = "",
        results: Sequence[str] | None = None,
        pictures: bool = True,
        cache: str | None = None,
        time_limit: float = Job.seconds,
        retries: int = DEFAULT_RETRIES,
        chunk: tuple[int, int] | None = None,
        arguments: Sequence[str] = (),
        **options: Any,
    ):
        given = [w for name, value in options.items() for w in task_argument(name, value, task)]
        results = _checked_results(task, TASKS[task].results if results is None else results)
        self.job = Job(task, output, (*arguments, *given), results, pictures, cache, time_limit)
        self.retries, self.chunk = retries, chunk
        self.folder = folder_at(output)
        self.records = Records(self.folder)
        self.items = find_items(inputs, output, source)
        _check_items(self.job, self.items)
        _require_writable(self.folder)
        self.known = self.records.index()
        self._present = self.folder.tree()
        self.skipped = 0
        self._require_unowned()
        if chunk is not None:
            self.items = chunk_of(self.items, *chunk)

    def pending(self, retry_failed: bool = False, only_uncertain: bool = False) -> Iterator[Keyed]:
        """Items that are to be done, with their keys.

        Parameters
        ----------
        retry_failed : bool
            Those that have failed, too.
        only_uncertain : bool
            Those alone whose results are uncertain, done anew.
        """
        items = self.items
        if only_uncertain:
            items = [i for i in items if self._of(i).status == records.UNCERTAIN]
        self.skipped = len(self.items) - len(items)
        for each in keyed(self.job, items):
            known = self._of(each.item)
            if only_uncertain or known.key != each.key:
                yield each
            elif known.status in (records.FAILED, records.PARTIAL) and retry_failed:
                yield each
            elif known.status != records.FAILED and not self._is_there(each.item):
                yield each
            else:
                self.skipped += 1

    def run(
        self,
        client: Client | None,
        pending: Iterable[Keyed] | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[Record]:
        """Do what is to be done; yields the record of each item as it ends.

        Parameters
        ----------
        client : distributed.Client or None
            As of `cluster.local_client`, or one of the studio's. None: in this process, one after
            the other.
        pending : iterable of Keyed, optional
        stop : callable
            Returns whether no further item should be started.

        Raises
        ------
        SchedulerLost
            If the scheduler does not answer any more.
        DiffusionNetError
            If records cannot be written.
        """
        pending = self.pending() if pending is None else pending
        if client is None:
            yield from one_by_one(self.job, self.records, pending, stop)
        else:
            engine = Engine(client, self.job, self.records, self.retries)
            yield from engine.completed(pending, stop)

    def submit(self, client: Client, item: Item) -> DaskFuture:
        """Send one item to the workers: a future of its record, to wait for as one likes."""
        engine = Engine(client, self.job, self.records, self.retries)
        return engine.submit(Keyed(item, self.job.key(item)))

    def finish(self) -> dict[str, Any]:
        """Merge the records and write `report.html` and `report.csv`; their totals."""
        self.records.merge()
        return write_report(self.folder, self.job.task)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Context in which no other process works on the whole library; chunks may share it.

        Raises
        ------
        DiffusionNetError
            If another one does.
        """
        if isinstance(self.folder, RemoteFolder) or self.chunk is not None:
            yield
            return
        name = f"{STATE}/run.{owner()}.lock"
        self.folder.write(name, b"")
        try:
            for other in self.folder.names(STATE):
                if not other.endswith(".lock") or f"{STATE}/{other}" == name:
                    continue
                if not is_abandoned(self.folder.root / STATE / other):
                    raise DiffusionNetError(
                        f"Another process works on {self.job.output}",
                        "Wait for it; to share the work give each of them --chunk.",
                    )
                self.folder.remove(f"{STATE}/{other}")
            self.records.forget_starts()
            yield
        finally:
            self.folder.remove(name)

    def _is_there(self, item: Item) -> bool:
        return self._present.issuperset(result_names(self.job, item))

    def _of(self, item: Item) -> Known:
        return self.known.get(item.name, Known())

    def _require_unowned(self) -> None:
        """Raise DiffusionNetError for files of others where results would be written."""
        started = self.records.started()
        for item in self.items:
            if item.name not in self.known and digest_of(item.name) not in started:
                for name in result_names(self.job, item):
                    if name in self._present:
                        raise DiffusionNetError(
                            f"{self.folder.at(name)} exists, and is no result of this library",
                            "Choose another folder.",
                        )


def _checked_results(task: str, results: Sequence[str]) -> tuple[str, ...]:
    found = [s.lower() if s.startswith(".") else f".{s.lower()}" for s in results]
    kind = TASKS[task]
    for suffix in found:
        fits = kind.arrays if suffix == ARRAYS else kind.mesh and suffix in WRITTEN
        if not fits:
            known = [*((ARRAYS,) if kind.arrays else ()), *(WRITTEN if kind.mesh else ())]
            raise DiffusionNetError(
                f"The task {task} does not write {suffix} files", f"It writes {' '.join(known)}."
            )
    meshes = [suffix for suffix in found if suffix != ARRAYS]
    if len(meshes) > 1:
        raise DiffusionNetError(
            f"An item gets one file of a mesh, and --results names {', '.join(meshes)}",
            "Choose one of them.",
        )
    return tuple(dict.fromkeys(found))


def _check_items(job: Job, items: Sequence[Item]) -> None:
    """Raise DiffusionNetError for options that the task does not take, and pairs without source."""
    task = TASKS[job.task]
    for options in (job.options(item) for item in _different(items)):
        task.check(options)
        model_digest(str(options.model), task.purpose)
    for item in items:
        if task.paired and not item.source:
            raise DiffusionNetError(
                f"{item.file} has no source to {job.task} from",
                "Give --source, or a column source in the manifest.",
            )
        if not task.paired and item.source:
            raise DiffusionNetError(
                f"{item.file} has a source, which the task {job.task} does not use",
                "Leave the column source empty.",
            )


def _require_writable(folder: Folder) -> None:
    """Raise DiffusionNetError if nothing can be written into the folder of the results."""
    try:
        folder.write(PROBE, b"")
        folder.remove(PROBE)
    except DiffusionNetError as error:
        message = error.message.replace(folder.at(PROBE), folder.at(""))
        raise DiffusionNetError(message, "Choose another place with --output.") from error


def _different(items: Sequence[Item]) -> Iterable[Item]:
    """One item for each set of options of their own."""
    return {item.arguments: item for item in items}.values()
