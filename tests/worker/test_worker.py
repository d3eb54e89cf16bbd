"""The worker process and its client, without Blender."""

import os
import signal
import subprocess
import sys
import textwrap
import time
import venv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from diffusionnet_blender.errors import (
    Cancelled,
    DiffusionNetError,
    ModelError,
    SurfaceError,
    WorkerError,
)
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.labels import Polygons
from diffusionnet_blender.tasks.segment import job
from diffusionnet_blender.tasks.status import job as status
from diffusionnet_blender.tasks.status.job import LIBRARIES
from diffusionnet_blender.worker import protocol
from diffusionnet_blender.worker.client import Answer, Worker, WorkerFault
from diffusionnet_blender.worker.launch import Launch, environment, own_python
from tests.shapes import lumpy_body
from tests.waiting import LIMIT, moments

PACKAGE = protocol.PACKAGE
posix_only = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")


@pytest.fixture
def worker():
    worker = Worker(own_python())
    yield worker
    worker.stop()


def request_for(model, subdivisions=2, **changes):
    given = {"surface": Surface(*lumpy_body(subdivisions)), "model": str(model), "clean": False}
    return job.SegmentRequest(engine="numpy", **{**given, **changes})


def wait(worker, until=lambda progress: False):
    """Poll until the job is done, or `until` holds of its progress."""
    for _ in moments("the job is done"):
        found = worker.poll()
        if isinstance(found, Answer):
            return found.result
        if until(found):
            return found


def run(worker, request):
    worker.submit(job, request)
    return wait(worker)


@pytest.fixture(scope="module")
def expected(tiny_model):
    return job.run(request_for(tiny_model))


def assert_right(answer, expected):
    np.testing.assert_allclose(
        answer.vertex_probabilities, expected.vertex_probabilities, atol=1e-5
    )
    assert answer.class_names == expected.class_names
    assert answer.polygon_labels.shape == (320,)


def test_it_gives_what_the_task_gives_in_this_process(worker, tiny_model, expected):
    answer = run(worker, request_for(tiny_model))
    assert_right(answer, expected)
    np.testing.assert_array_equal(answer.polygon_labels, expected.polygon_labels)
    np.testing.assert_allclose(answer.polygon_areas, expected.polygon_areas)
    np.testing.assert_array_equal(answer.class_colours, expected.class_colours)
    assert answer.seconds.keys() == expected.seconds.keys()
    assert (answer.engine, answer.device, answer.model_name) == ("numpy", "cpu", "tiny")


def test_it_stays_for_the_next_job_and_leaves_no_files_of_the_last(worker, tiny_model, expected):
    assert not worker.alive
    run(worker, request_for(tiny_model))
    first = worker.pid
    assert_right(run(worker, request_for(tiny_model)), expected)
    assert worker.pid == first
    assert {path.name for path in worker._live.folder.iterdir()} == {
        protocol.MESSAGES,
        protocol.LOG,
    }


def test_progress_comes_in_the_order_of_the_stages(worker, tiny_model):
    seen = []
    worker.submit(job, request_for(tiny_model, subdivisions=5))
    for _ in moments("the job is done", pause=0.001):
        found = worker.poll()
        if isinstance(found, Answer):
            break
        seen.append(found)
    stages = list(dict.fromkeys(progress.stage for progress in seen))
    order = ["", "repair", "laplacian", "eigenbasis", "gradient", "network"]
    assert [stage for stage in order if stage in stages] == stages
    assert "eigenbasis" in stages
    assert all(0 <= progress.fraction <= 1 for progress in seen)


def test_nobody_needs_to_listen_for_it_to_go_on(worker, tiny_model):
    """What it says goes to a file, which never fills up as a pipe does."""
    worker.submit(job, request_for(tiny_model, subdivisions=4))
    answer = worker._live.folder / "job-1" / "result" / "value.json"
    for _ in moments("the result is there"):
        assert worker.alive
        if answer.exists():
            break
    assert len(wait(worker).vertex_probabilities) == 2562


@pytest.mark.parametrize(
    ("changes", "kind", "says"),
    [
        ({"model": "nobody"}, ModelError, "There is no model 'nobody'"),
        ({"surface": Surface(np.diag([1.0, 0, 0]), [[0, 1, 2]])}, SurfaceError, "Only 2"),
    ],
)
def test_an_error_comes_back_as_what_it_is(worker, tiny_model, expected, changes, kind, says):
    worker.submit(job, request_for(**{"model": tiny_model, **changes}))
    with pytest.raises(kind, match=says) as caught:
        wait(worker)
    assert caught.value.fix
    assert worker.alive
    assert_right(run(worker, request_for(tiny_model)), expected)


def test_a_fault_comes_back_with_its_traceback(worker, tiny_model, expected):
    too_few = Polygons(np.zeros(3, dtype=np.int32), 1)
    worker.submit(job, request_for(tiny_model, polygons=too_few))
    with pytest.raises(WorkerFault, match="ValueError") as caught:
        wait(worker)
    assert "labels.py" in caught.value.__notes__[0]
    assert_right(run(worker, request_for(tiny_model)), expected)


def test_cancel_before_it_has_even_started(worker, tiny_model, expected):
    worker.submit(job, request_for(tiny_model))
    worker.cancel()
    with pytest.raises(Cancelled):
        wait(worker)
    assert_right(run(worker, request_for(tiny_model)), expected)


@pytest.mark.parametrize("stage", ["laplacian", "eigenbasis", "network"])
def test_cancel_in_the_middle(worker, tiny_model, expected, stage):
    run(worker, request_for(tiny_model))
    worker.submit(job, request_for(tiny_model, subdivisions=5))
    wait(worker, until=lambda progress: progress.stage == stage)
    worker.cancel()
    with pytest.raises(Cancelled):
        wait(worker)
    assert not worker.busy
    assert_right(run(worker, request_for(tiny_model)), expected)


@posix_only
def test_cancel_kills_a_worker_that_does_not_listen(worker, tiny_model, expected):
    run(worker, request_for(tiny_model))
    deaf = worker.pid
    os.kill(deaf, signal.SIGSTOP)
    worker.submit(job, request_for(tiny_model))
    worker.cancel()
    with pytest.raises(Cancelled):
        wait(worker)
    assert_right(run(worker, request_for(tiny_model)), expected)
    assert worker.pid != deaf


@posix_only
@pytest.mark.parametrize(
    ("ending", "says"), [(signal.SIGKILL, "memory ran out"), (signal.SIGSEGV, "signal 11")]
)
def test_a_crash_is_one_message_and_the_next_job_is_done(
    worker, tiny_model, expected, ending, says
):
    run(worker, request_for(tiny_model))
    worker.submit(job, request_for(tiny_model, subdivisions=5))
    wait(worker, until=lambda progress: progress.stage == "eigenbasis")
    os.kill(worker.pid, ending)
    with pytest.raises(WorkerError, match=says) as caught:
        wait(worker)
    assert caught.value.fix
    assert_right(run(worker, request_for(tiny_model)), expected)


@pytest.mark.slow
@posix_only
def test_fifty_kills_at_random_moments(worker, tiny_model, expected):
    """Whatever it is doing, starting up included: the client lives and the next run is right."""
    random = np.random.default_rng(3)
    outcomes = set()
    for _ in range(50):
        # A worker at work is done within some hundredths of a second, one that starts is not.
        longest = 0.05 if worker.alive else 0.4
        worker.submit(job, request_for(tiny_model))
        time.sleep(random.uniform(0, longest))
        os.kill(worker._live.process.pid, signal.SIGKILL)
        try:
            assert_right(wait(worker), expected)
            outcomes.add("done before")
        except WorkerError:
            outcomes.add("killed")
        if random.random() < 0.7:
            assert_right(run(worker, request_for(tiny_model)), expected)
    assert "killed" in outcomes
    assert_right(run(worker, request_for(tiny_model)), expected)


def test_out_of_memory_is_told_before_anything_is_computed(worker, tiny_model):
    count = 1_000_000
    resource = pytest.importorskip("resource")
    if not hasattr(resource, "prlimit"):
        pytest.skip("address space limits of another process are Linux's")
    run(worker, request_for(tiny_model))
    resource.prlimit(worker.pid, resource.RLIMIT_AS, (2**31, 2**31))
    x = np.arange(count, dtype=float)
    huge = Surface(np.stack([x, x**2, x % 7], axis=1), [[0, 1, 2]])
    worker.submit(job, request_for(tiny_model, surface=huge, exact=True))
    with pytest.raises(DiffusionNetError, match="1,000,000 vertices need|Memory ran out") as caught:
        wait(worker)
    assert "decimate" in caught.value.fix
    assert not worker.busy


def test_an_idle_worker_ends_and_the_next_job_starts_another(tiny_model, expected):
    worker = Worker(own_python(), idle_seconds=0.2)
    run(worker, request_for(tiny_model))
    folder = worker._live.folder
    for _ in moments("the worker has ended"):
        if not worker.alive:
            break
    assert not folder.exists()
    assert_right(run(worker, request_for(tiny_model)), expected)
    worker.stop()


@posix_only
def test_a_job_for_a_worker_that_was_just_killed_is_handed_to_another(worker, tiny_model, expected):
    """The moment between the look whether it lives and the request cannot be closed."""
    run(worker, request_for(tiny_model))
    first = worker.pid
    os.kill(first, signal.SIGSTOP)
    worker.submit(job, request_for(tiny_model))
    os.kill(first, signal.SIGKILL)
    assert_right(wait(worker), expected)
    assert worker.pid != first


def test_another_version_on_disk_says_to_restart(tmp_path, tiny_model):
    copied = tmp_path / "copy"
    copy_package(copied)
    manifest = copied / "blender_manifest.toml"
    manifest.write_text(
        manifest.read_text().replace(f'version = "{protocol.VERSION}"', 'version = "99.0"')
    )
    worker = Worker(own_python(), package=copied)
    worker.submit(job, request_for(tiny_model))
    with pytest.raises(WorkerError, match="updated while Blender was running") as caught:
        wait(worker)
    assert caught.value.fix == "Restart Blender."
    assert not worker.alive
    worker.stop()


def copy_package(target):
    """The package's modules in a folder of another name."""
    for path in PACKAGE.rglob("*"):
        if path.is_file() and path.suffix in {".py", ".toml"}:
            copy = target / path.relative_to(PACKAGE)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())


def test_it_is_apart_from_its_surroundings(tmp_path, tiny_model, expected, monkeypatch):
    """Neither the package's folder name nor what lies about changes what it loads."""
    folder = tmp_path / "bl_ext_user_default_renamed"
    copy_package(folder)
    for name in ("numpy", "json", "scipy", "diffusionnet_blender"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('from the surroundings')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONHOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    worker = Worker(own_python(), package=folder)
    assert_right(run(worker, request_for(tiny_model)), expected)
    worker.stop()


def test_a_python_that_is_none_or_has_no_libraries_says_so(tmp_path, tiny_model):
    nobody = Worker(Launch(str(tmp_path / "python3")))
    with pytest.raises(WorkerError, match="cannot be started") as caught:
        nobody.submit(job, request_for(tiny_model))
    assert caught.value.fix
    # A package that cannot be loaded.
    (tmp_path / "worker").mkdir()
    bootstrap = PACKAGE / "worker" / "bootstrap.py"
    (tmp_path / "worker" / "bootstrap.py").write_text(bootstrap.read_text())
    broken = Worker(own_python(), package=tmp_path)
    broken.submit(job, request_for(tiny_model))
    with pytest.raises(WorkerError, match="could not start") as caught:
        wait(broken)
    assert "FileNotFoundError" in caught.value.__notes__[0]


def test_an_environment_of_the_users_runs_it(tmp_path, tiny_model, expected):
    """What it lacks it takes from Blender's, where that is of the same version of Python."""
    venv.create(tmp_path / "environment", with_pip=False)
    worker = Worker(environment(tmp_path / "environment"))
    worker.submit(status, status.StatusRequest())
    found = wait(worker)
    assert Path(found.executable).parent.parent == tmp_path / "environment"
    assert_right(run(worker, request_for(tiny_model)), expected)
    worker.stop()


def test_an_environment_that_lacks_a_library_says_what_to_type(tmp_path, tiny_model):
    venv.create(tmp_path / "environment", with_pip=False)
    bare = replace(environment(tmp_path / "environment"), spare_paths=())
    worker = Worker(bare)
    worker.submit(job, request_for(tiny_model))
    with pytest.raises(WorkerError, match="could not start|cannot be loaded") as caught:
        wait(worker)
    assert "-m pip install numpy scipy" in caught.value.fix
    worker.stop()
    with pytest.raises(WorkerError, match="no Python at"):
        environment(tmp_path / "nowhere")


def test_the_worker_tells_what_it_runs_on(worker):
    worker.submit(status, status.StatusRequest())
    found = wait(worker)
    assert found.python == sys.version.split()[0]
    assert found.libraries["numpy"] == np.__version__
    assert set(found.libraries) == set(LIBRARIES)
    assert found.engine in {"numpy", "torch"}
    assert "cpu" in found.devices
    assert found.free_bytes is None or found.free_bytes > 0


def test_stop_ends_the_process_and_removes_its_files(worker, tiny_model):
    worker.submit(job, request_for(tiny_model, subdivisions=5))
    process, folder = worker._live.process, worker._live.folder
    worker.stop()
    assert process.poll() is not None
    assert not folder.exists()
    with pytest.raises(Cancelled):
        worker.poll()


@posix_only
def test_it_ends_with_the_process_that_started_it(tmp_path, tiny_model):
    """Even when that one is killed and can say nothing more."""
    script = f"""
        import sys, time
        from tests.worker.test_worker import request_for, run
        from diffusionnet_blender.worker.client import Worker
        from diffusionnet_blender.worker.launch import own_python
        worker = Worker(own_python())
        run(worker, request_for({str(tiny_model)!r}))
        print(worker.pid, worker._live.folder, flush=True)
        time.sleep(60)
    """
    output = tmp_path / "output.txt"
    with open(output, "wb") as file:
        command = [sys.executable, "-c", textwrap.dedent(script)]
        parent = subprocess.Popen(command, stdout=file, cwd=PACKAGE.parent)
    try:
        for _ in moments("the job is done"):
            assert parent.poll() is None
            if output.read_text().endswith("\n"):
                break
    finally:
        parent.kill()
        parent.wait(timeout=LIMIT)
    pid, folder = output.read_text().split()
    for _ in moments("the worker has ended"):
        if not (Path(folder).exists() or is_running(int(pid))):
            break


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_line_that_is_not_whole_is_left_for_later(tmp_path):
    path = tmp_path / "messages"
    reader = protocol.MessageReader(path)
    assert list(reader.read()) == []
    whole, half = protocol.line_of({"a": 1}), protocol.line_of({"b": 2})
    path.write_bytes(whole + half[:4])
    assert list(reader.read()) == [{"a": 1}]
    path.write_bytes(whole + half)
    assert list(reader.read()) == [{"b": 2}]
