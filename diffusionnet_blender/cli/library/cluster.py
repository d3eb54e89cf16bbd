"""Dask's cluster: worker processes on this machine, or those of the studio."""

from __future__ import annotations

import importlib.util
import logging
import os
import platform
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import DiffusionNetError
from ...tasks.memory import available_bytes
from ...worker.protocol import VERSION
from ..streams import debugging
from .sizes import PROCESS_BYTES
from .storage import INSTALL

if TYPE_CHECKING:
    from distributed import Client

# Resource of a worker: bytes that the items on it may need together.
MEMORY = "MEMORY"
# Of what is free, for workers.
SHARE = 0.9
# That an ordinary worker gets at most: the first one gets the rest, for what is big.
ORDINARY_BYTES = 4 * 1024**3
# Of the memory of a worker, the share above which it ends itself; the nanny's is above it.
OWN_SHARE, NANNY_SHARE = 0.85, 0.98
# Seconds that a scheduler may take to answer.
PATIENCE = 20.0


def require_farm() -> None:
    """Raise DiffusionNetError without Dask."""
    if importlib.util.find_spec("distributed") is None:
        raise DiffusionNetError(
            "A library is processed by Dask, and this Python has no module distributed",
            f"{INSTALL}.",
        )


def shares_of(count: int | None, free: int | None) -> list[int]:
    """Memory of each worker of this machine, in bytes.

    Parameters
    ----------
    count : int, optional
        Workers; by default as many as there are cores and as memory allows.
    free : int, optional
        Memory that is free; None where it is unknown.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    wanted = count or cores or 1
    if free is None:
        return [ORDINARY_BYTES] * wanted
    usable = int(SHARE * free)
    number = wanted if count else max(1, min(wanted, usable // PROCESS_BYTES))
    ordinary = min(ORDINARY_BYTES, usable // number)
    # Big files wait for the first worker, so that they do not meet.
    return [usable - (number - 1) * ordinary, *[ordinary] * (number - 1)]


@contextmanager
def local_client(count: int | None) -> Iterator[Client]:
    """Context with worker processes on this machine.

    Parameters
    ----------
    count : int, optional
        As of `shares_of`.
    """
    require_farm()
    import dask
    from distributed import Client, Nanny, Scheduler
    from distributed.deploy.spec import SpecCluster

    # Limits of our own tell the reason; the nanny's is there for what keeps Python from running.
    memory = {f"distributed.worker.memory.{name}": False for name in ("target", "spill", "pause")}
    settings = {**memory, "distributed.worker.memory.terminate": NANNY_SHARE}
    with dask.config.set(settings):
        workers = {
            number: {
                "cls": Nanny,
                "options": {
                    "nthreads": 1,
                    "memory_limit": share,
                    "resources": {MEMORY: share},
                    "dashboard": False,
                    "dashboard_address": None,
                    "silence_logs": logging.CRITICAL,
                    "death_timeout": 60,
                },
            }
            for number, share in enumerate(shares_of(count, available_bytes()))
        }
        scheduler = {
            "cls": Scheduler,
            "options": {
                "protocol": "tcp://",
                "host": "127.0.0.1",
                # Who was at work when a process died is known to `engine`, which tries again.
                "allowed_failures": 0,
                "dashboard": has_dashboard(),
                "dashboard_address": "127.0.0.1:0",
            },
        }
        cluster = SpecCluster(
            workers=workers, scheduler=scheduler, name="library", silence_logs=logging.CRITICAL
        )
        with cluster, Client(cluster, set_as_default=False) as client:
            client.wait_for_workers(1, timeout=60)
            client.register_plugin(_worker_plugin(own=True))
            yield client


@contextmanager
def studio_client(address: str) -> Iterator[Client]:
    """Context with a client of the studio's scheduler.

    Raises
    ------
    DiffusionNetError
        If it cannot be reached, has no workers, or workers with other versions or several threads.
    """
    require_farm()
    from distributed import Client

    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, ImportError) as error:
        raise DiffusionNetError(
            f"The scheduler {address} cannot be reached ({' '.join(str(error).split())})",
            "Check the address, as tcp://host:8786, and that `dask scheduler` runs there.",
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError as error:
            raise DiffusionNetError(
                f"The scheduler {address} has no workers",
                f"Start some: dask worker {address} --nthreads 1 --nworkers 4.",
            ) from error
        require_versions(client)
        _require_single_threads(client)
        client.register_plugin(_worker_plugin(own=False))
        yield client


def require_versions(client: Client) -> None:
    """Raise DiffusionNetError unless all workers have our versions of Python and the package."""
    import distributed

    own = {"Python": platform.python_version_tuple()[:2], "extension": VERSION}
    own |= {"distributed": distributed.__version__}
    told = client.run(_versions, __package__, on_error="return")
    for worker, versions in told.items():
        if isinstance(versions, BaseException):
            raise DiffusionNetError(
                f"The worker {worker} cannot load the extension ({versions})",
                "Install the same version of it for the Python of the workers.",
            )
        for name, value in own.items():
            if tuple(versions[name]) != tuple(value):
                raise DiffusionNetError(
                    f"The worker {worker} has {name} {_dotted(versions[name])}, and this process "
                    f"{_dotted(value)}",
                    "Install the same versions on all of them.",
                )
        if not versions["bpy"]:
            raise DiffusionNetError(
                f"The worker {worker} has no Blender",
                "Install bpy for the Python of the workers (pip install bpy==4.5.15).",
            )


def _require_single_threads(client: Client) -> None:
    """Raise DiffusionNetError for workers with several threads: a Blender has one file open."""
    for name, worker in client.scheduler_info(n_workers=-1)["workers"].items():
        if worker["nthreads"] > 1:
            raise DiffusionNetError(
                f"The worker {name} has {worker['nthreads']} threads, and Blender works with one",
                "Start workers with --nthreads 1, and more of them with --nworkers.",
            )


def _versions(package: str) -> dict[str, Any]:
    """Versions of a worker."""
    import distributed

    root = package.rpartition(".cli.")[0]
    protocol = importlib.import_module(f"{root}.worker.protocol")
    return {
        "Python": platform.python_version_tuple()[:2],
        "extension": protocol.VERSION,
        "distributed": distributed.__version__,
        "bpy": importlib.util.find_spec("bpy") is not None,
    }


def _dotted(value: Any) -> str:
    return value if isinstance(value, str) else ".".join(value)


def has_dashboard() -> bool:
    """Whether Dask can show its dashboard."""
    return importlib.util.find_spec("bokeh") is not None


def threads_of(client: Client) -> int:
    """How many items the workers can work on at once."""
    return sum(each["nthreads"] for each in client.scheduler_info(n_workers=-1)["workers"].values())


def memory_of(client: Client) -> int | None:
    """The most memory that a worker offers as a resource; None where none does."""
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return max((int(each["resources"].get(MEMORY, 0)) for each in workers), default=0) or None


def _worker_plugin(own: bool):
    from distributed import WorkerPlugin

    class Quiet(WorkerPlugin):
        """Leaves Ctrl C of our own workers to the client, and what Blender prints unread."""

        name = "diffusionnet-library"

        def setup(self, worker: Any) -> None:
            if own:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                # Paths come from the client; the modules that a Blender in it has added there
                # would be taken for Blender itself.
                sys.path[:] = [p for p in sys.path if not Path(p, "bpy", "__init__.py").exists()]
                if not debugging():
                    nowhere = os.open(os.devnull, os.O_WRONLY)
                    os.dup2(nowhere, 1)
                    os.dup2(nowhere, 2)
                    os.close(nowhere)

    return Quiet()


def own_memory_limit() -> int | None:
    """Memory that the worker of this process may take, in bytes; None without a limit."""
    from distributed import get_worker

    try:
        limit = get_worker().memory_manager.memory_limit
    except (ValueError, AttributeError):
        return None
    return int(OWN_SHARE * limit) if limit else None
