"""Items through Dask: as many at a time as there are workers, whatever the length of the list."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import DiffusionNetError
from . import cluster, records
from .items import Item
from .records import Record, Records
from .sizes import needed_bytes
from .tasks import Job
from .work import ended_name, error_of, run_item

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as DaskFuture

# Items whose keys are computed ahead of time, by as many threads.
AHEAD, THREADS = 64, 4
# Items under way for each worker: while it works on one, the next is on its way.
UNDER_WAY = 2
# Seconds after which workers are counted again: they come and go.
RECOUNT = 2.0


class SchedulerLost(DiffusionNetError):
    """The scheduler does not answer any more."""


@dataclass(frozen=True)
class Keyed:
    """An item with its key; or with the error for which it has none."""

    item: Item
    key: str
    error: Exception | None = None


def keyed(job: Job, items: Iterable[Item]) -> Iterator[Keyed]:
    """Compute keys of items, some of them ahead of time."""

    def one(item: Item) -> Keyed:
        try:
            return Keyed(item, job.key(item))
        except (OSError, DiffusionNetError) as error:
            return Keyed(item, "", error)

    waiting: deque[Future[Keyed]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for item in items:
            waiting.append(pool.submit(one, item))
            if len(waiting) >= AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class Engine:
    """Sends items to workers, and yields their records as they come.

    Parameters
    ----------
    client : distributed.Client
    job : Job
    retries : int
        Times that an item is tried again whose process has died.
    work : callable
        As `work.run_item`.
    """

    def __init__(
        self,
        client: Client,
        job: Job,
        kept: Records,
        retries: int,
        work: Callable[..., Record] = run_item,
    ):
        self._client, self._job, self._kept, self._retries = client, job, kept, retries
        self._work = work
        self._largest = cluster.memory_of(client)
        self._address = client.scheduler_info(n_workers=0)["address"]
        self._number = 0
        self._counted, self._window = 0.0, 1

    def submit(self, each: Keyed) -> DaskFuture:
        """Send an item to the workers: a future of its record.

        Raises
        ------
        DiffusionNetError
            If it needs more memory than any worker has.
        """
        needed = self._needed(each.item)
        self._number += 1
        return self._client.submit(
            _on_worker,
            self._work,
            self._job,
            each.item,
            each.key,
            key=f"item-{self._number}-{each.key[:12]}",
            pure=False,
            resources={cluster.MEMORY: needed} if needed else None,
        )

    def completed(
        self, items: Iterable[Keyed], stop: Callable[[], bool] = lambda: False
    ) -> Iterator[Record]:
        """Records of items in the order in which they end.

        Parameters
        ----------
        items : iterable of Keyed
            Read as workers become free.
        stop : callable
            Returns whether no further item should be started.

        Raises
        ------
        SchedulerLost
        """
        from distributed import as_completed

        source = iter(items)
        running: dict[DaskFuture, Keyed] = {}
        ended = as_completed(loop=self._client.loop)

        def refill() -> Iterator[Record]:
            while not stop() and len(running) < self._most_running():
                each = next(source, None)
                if each is None:
                    return
                try:
                    if each.error is not None:
                        raise each.error
                    future = self.submit(each)
                except (DiffusionNetError, OSError) as error:
                    yield failed(self._kept, self._job, each, error)
                    continue
                running[future] = each
                ended.add(future)

        yield from refill()
        while running:
            future = next(ended)
            each = running.pop(future)
            record = self._outcome(each, future)
            future.release()
            if record is None:
                again = self.submit(each)
                running[again] = each
                ended.add(again)
            else:
                self._kept.end(each.item.name)
                yield record
            yield from refill()

    def _most_running(self) -> int:
        if time.monotonic() - self._counted > RECOUNT:
            self._counted = time.monotonic()
            self._window = UNDER_WAY * max(cluster.threads_of(self._client), 1)
        return self._window

    def _outcome(self, each: Keyed, future: DaskFuture) -> Record | None:
        """Record of an item that has ended; None if it is to be tried again."""
        from distributed import KilledWorker

        if future.status == "finished":
            try:
                return future.result()
            except KilledWorker:
                # It was done, and its worker died before it was asked for the record.
                return self._killed(each)
        if future.status in ("cancelled", "lost") or self._client.status != "running":
            raise SchedulerLost(
                f"The scheduler {self._address} does not answer any more",
                "Start it again, and run the same command: it goes on where it was.",
            )
        error = future.exception()
        if isinstance(error, KilledWorker):
            return self._killed(each)
        if isinstance(error, DiffusionNetError):
            # A record could not be written: no other could be, either.
            raise error
        return failed(self._kept, self._job, each, error)

    def _killed(self, each: Keyed) -> Record | None:
        """Record of an item whose process has died too often; None if others were to blame."""
        if (record := self._kept.last(each.item.name, each.key)) is not None:
            return record
        starts = self._kept.starts(each.item.name)
        if starts <= self._retries:
            return None
        words = last_words(self._kept, each.item)
        message = words.get("reason") or "Its process ended: a crash, or killed by the system"
        error = DiffusionNetError(
            f"{message}, in {starts} tries",
            "Open the file in Blender by itself; for a long or large one raise the limits "
            "(--time-limit, fewer --workers).",
        )
        return failed(self._kept, self._job, each, error, words.get("peak"), retry=True)

    def _needed(self, item: Item) -> int | None:
        """Memory to ask for; None where workers do not offer any."""
        if self._largest is None:
            return None
        needed = needed_bytes(self._job, item)
        if needed > self._largest:
            raise DiffusionNetError(
                f"It needs about {needed / 2**30:.1f} GB of memory, and the largest worker has "
                f"{self._largest / 2**30:.1f} GB",
                "Use fewer --workers, or a machine with more memory.",
            )
        return needed


def one_by_one(
    job: Job, kept: Records, items: Iterable[Keyed], stop: Callable[[], bool]
) -> Iterator[Record]:
    """Records of items that are worked on in this process, without Dask.

    One that has passed a limit has ended this process; the next run tells it as failed.
    """
    for each in items:
        if stop():
            return
        words = last_words(kept, each.item)
        if each.error is not None or words:
            error = each.error or DiffusionNetError(words["reason"], "Raise --time-limit.")
            record = failed(kept, job, each, error, words.get("peak"), retry=bool(words))
        else:
            record = run_item(job, each.item, each.key)
        kept.end(each.item.name)
        yield record


def failed(
    kept: Records,
    job: Job,
    each: Keyed,
    error: BaseException,
    peak: int | None = None,
    retry: bool = False,
) -> Record:
    """Keep and return the record of an item that no process could tell of.

    Parameters
    ----------
    kept : Records
    job : Job
    each : Keyed
    error : BaseException
    peak : int, optional
        Of the memory, in bytes.
    retry : bool
        Whether another try may help.
    """
    told = error_of(error) if isinstance(error, Exception) else {"message": repr(error)}
    record = {
        "name": each.item.name,
        "file": each.item.file,
        "key": each.key,
        "status": records.FAILED,
        "task": job.task,
        "peak_memory": peak,
        "results": [],
        "errors": [{**told, "retry": retry or told.get("retry", False)}],
    }
    kept.add(record)
    return record


def last_words(kept: Records, item: Item) -> dict[str, Any]:
    """What the process that an item has ended has left, see `limits.limited`."""
    text = kept.folder.read(ended_name(item))
    kept.folder.remove(ended_name(item))
    return json.loads(text) if text else {}


def _on_worker(work: Callable[..., Record], job: Job, item: Item, key: str) -> Record:
    return work(job, item, key, cluster.own_memory_limit())
