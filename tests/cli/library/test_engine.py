"""Items on real worker processes, some of which die."""

import os
import signal
import threading

import pytest

pytest.importorskip("distributed")

from diffusionnet_blender.cli.library import cluster, records
from diffusionnet_blender.cli.library.engine import UNDER_WAY, Engine, Keyed
from diffusionnet_blender.cli.library.items import Item
from diffusionnet_blender.cli.library.records import Records
from diffusionnet_blender.cli.library.storage import folder_at
from diffusionnet_blender.cli.library.tasks import Job
from diffusionnet_blender.errors import DiffusionNetError
from tests.cli.library import work
from tests.waiting import moments


@pytest.fixture(scope="module")
def client():
    with cluster.local_client(2) as started:
        yield started


@pytest.fixture
def files(tmp_path):
    """Makes items of these names, with files of their own."""

    def made(names):
        items = []
        for name in names:
            path = tmp_path / f"{name}.obj"
            path.write_text(f"v 0 0 {len(items)}\n")
            items.append(Keyed(Item(name, str(path)), f"key of {name}"))
        return items

    return made


def engine(client, tmp_path, retries=1, seconds=2.0, function=work.by_name):
    job = Job("segment", str(tmp_path / "out"), seconds=seconds)
    return Engine(client, job, Records(folder_at(job.output)), retries, function)


def by_name(found):
    return {record["name"]: record for record in found}


@pytest.mark.slow
def test_what_hangs_eats_or_dies_is_told_and_harms_no_other(client, tmp_path, files):
    good = [f"good{n}" for n in range(30)]
    names = [*good[:10], "hangs", *good[10:20], "dies", *good[20:]]
    found = list(engine(client, tmp_path).completed(files(names)))
    assert len(found) == len(names)
    told = by_name(found)
    assert {name for name, r in told.items() if r["status"] == records.DONE} == set(good)
    assert "more than 2 s" in told["hangs"]["errors"][0]["message"]
    assert "2 tries" in told["dies"]["errors"][0]["message"]
    assert told["dies"]["errors"][0]["retry"]
    # Each good one was done once, by the records that the workers wrote themselves.
    kept = Records(folder_at(str(tmp_path / "out")))
    ends = [r["name"] for r in kept.read() if r["status"] == records.DONE]
    assert sorted(ends) == sorted(good)


@pytest.mark.slow
def test_a_killed_worker_loses_nothing(client, tmp_path, files):
    names = [f"good{n}" for n in range(60)]
    pids = list(client.run(os.getpid).values())

    def kill():
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

    timer = threading.Timer(0.4, kill)
    timer.start()
    found = list(engine(client, tmp_path, retries=2).completed(files(names)))
    timer.join()
    assert {r["name"]: r["status"] for r in found} == dict.fromkeys(names, records.DONE)
    assert len(found) == len(names)
    for _ in moments("both workers are back"):
        if cluster.threads_of(client) == 2:
            break
    assert not set(pids) & set(client.run(os.getpid).values())


@pytest.mark.slow
def test_a_process_that_takes_too_much_memory_ends_with_the_reason(tmp_path, files, monkeypatch):
    monkeypatch.setattr(cluster, "available_bytes", lambda: int(1.2 * 2**30))
    with cluster.local_client(1) as small:
        (told,) = engine(small, tmp_path, retries=0, seconds=60).completed(files(["eats"]))
    assert "GB of memory" in told["errors"][0]["message"]


def test_no_more_items_are_under_way_than_workers_can_take(client, tmp_path, files):
    asked = []

    def source():
        for each in files([f"good{n}" for n in range(40)]):
            asked.append(each.item.name)
            yield each

    most = UNDER_WAY * cluster.threads_of(client)
    for ended, _ in enumerate(engine(client, tmp_path).completed(source()), 1):
        assert len(asked) <= ended + most
    assert ended == 40


def test_a_stop_lets_what_runs_end(client, tmp_path, files):
    found = []
    stop = threading.Event()
    for record in engine(client, tmp_path).completed(
        files([f"good{n}" for n in range(40)]), stop.is_set
    ):
        found.append(record)
        if len(found) == 5:
            stop.set()
    assert 5 <= len(found) <= 5 + UNDER_WAY * cluster.threads_of(client)
    assert all(record["status"] == records.DONE for record in found)


def test_what_no_worker_has_the_memory_for_is_not_sent(client, tmp_path):
    path = tmp_path / "huge.ply"
    path.write_text("ply\nformat ascii 1.0\nelement vertex 900000000\nend_header\n")
    started = engine(client, tmp_path)
    (told,) = started.completed([Keyed(Item("huge", str(path)), "key")])
    assert "GB of memory" in told["errors"][0]["message"]
    assert told["status"] == records.FAILED


def test_workers_with_another_version_are_told(client, monkeypatch):
    cluster.require_versions(client)
    monkeypatch.setattr(cluster, "VERSION", "0.0.0")
    with pytest.raises(DiffusionNetError, match=r"has extension .* and this process 0\.0\.0"):
        cluster.require_versions(client)


def test_workers_with_several_threads_are_told():
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
    ) as threads:
        with pytest.raises(DiffusionNetError, match="2 threads.*--nthreads 1"):
            with cluster.studio_client(threads.scheduler_address):
                pass


def test_a_function_of_futures_runs_one_item(client, tmp_path, files):
    (each,) = files(["good"])
    future = engine(client, tmp_path, function=work.nothing).submit(each)
    assert future.result(timeout=60)["status"] == records.DONE
