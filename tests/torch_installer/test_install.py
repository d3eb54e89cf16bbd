"""PyTorch in a folder of its own: from a folder of wheels, of which one is called torch."""

import importlib.util
import subprocess
import sys
import venv

import numpy as np
import pytest

from diffusionnet_blender.errors import DeviceError, WorkerError
from diffusionnet_blender.tasks.status import job as status_job
from diffusionnet_blender.torch_installer.install import (
    SCRIPTS,
    TorchBuild,
    WorkingTorch,
    find_build,
    install_build,
    remove_torch,
    torch_folder,
)
from diffusionnet_blender.worker.client import Answer, Worker
from diffusionnet_blender.worker.launch import environment, own_python
from tests.waiting import moments
from tests.wheels import BROKEN, WORKING, only_this_index, write_torch, write_wheel


def value_of(steps, seen=None):
    """Take all steps; what the generator returns."""
    for _ in moments("the steps are taken", pause=0):
        try:
            step = next(steps)
        except StopIteration as end:
            return end.value
        if seen is not None:
            seen.append(step)


@pytest.fixture
def index(tmp_path, monkeypatch):
    only_this_index(monkeypatch)
    return write_torch(tmp_path / "wheels")


@pytest.fixture
def root(tmp_path):
    return tmp_path / "torch"


def install(root, index):
    build = value_of(find_build(root, "cpu", str(index)))
    return value_of(install_build(root, "cpu", str(index), build))


def test_what_would_be_downloaded_is_known_before(root, index):
    build = value_of(find_build(root, "cpu", str(index)))
    assert build.version == "99.0+cpu"
    assert set(build.packages) == {"torch==99.0+cpu", "helper==1.0"}
    wheels = [path for path in index.iterdir() if not path.name.startswith("numpy")]
    assert build.size == sum(path.stat().st_size for path in wheels)
    assert list(root.iterdir()) == []


def test_it_is_tried_and_put_in_place_without_a_numpy(root, index):
    seen = []
    build = value_of(find_build(root, "cpu", str(index)))
    found = value_of(install_build(root, "cpu", str(index), build), seen)
    assert found == WorkingTorch("99.0+cpu", ("cpu",))
    stages = list(dict.fromkeys(step.stage for step in seen))
    order = ["downloading", "unpacking", "trying"]
    assert [stage for stage in order if stage in stages] == stages
    assert {"downloading", "trying"} <= set(stages)
    (folder,) = root.iterdir()
    assert folder == torch_folder(root, "cpu")
    assert f"py{sys.version_info.major}{sys.version_info.minor}" in folder.name
    assert {path.name for path in folder.glob("*.py")} == {"torch.py", "helper.py"}


def test_the_worker_finds_it_and_this_process_does_not(root, index):
    install(root, index)
    worker = Worker(own_python(torch_folder(root, "cpu")))
    try:
        worker.submit(status_job, status_job.StatusRequest())
        for _ in moments("the job is done"):
            if isinstance(found := worker.poll(), Answer):
                break
    finally:
        worker.stop()
    libraries = found.result.libraries
    assert libraries["torch"] == "99.0+cpu"
    assert libraries["numpy"] == np.__version__
    assert str(root) not in "".join(sys.path)


def test_one_that_does_not_load_leaves_the_earlier_one(root, index):
    install(root, index)
    before = sorted(root.rglob("*.py"))
    write_wheel(index, "torch", "99.1+cpu", BROKEN)
    with pytest.raises(DeviceError, match=r"libcudart\.so\.99 is missing"):
        install(root, index)
    assert sorted(root.rglob("*.py")) == before
    assert "raise ImportError" not in (before[-1].parent / "torch.py").read_text()


def test_one_that_does_not_load_leaves_nothing(root, index):
    write_wheel(index, "torch", "99.1+cpu", BROKEN)
    with pytest.raises(DeviceError):
        install(root, index)
    assert list(root.iterdir()) == []


@pytest.mark.slow
def test_one_that_misreads_arrays_leaves_nothing(root, index):
    misreading = WORKING.replace("return self.array", "return self.array + 1")
    write_wheel(index, "torch", "99.1+cpu", misreading)
    with pytest.raises(DeviceError, match="misreads the arrays of NumPy"):
        install(root, index)
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("stage", ["looking up", "downloading", "trying"])
def test_cancelling_leaves_nothing(root, index, stage):
    def all_steps():
        build = yield from find_build(root, "cpu", str(index))
        yield from install_build(root, "cpu", str(index), build)

    steps = all_steps()
    for _ in moments(f"it is {stage}", pause=0):
        if next(steps).stage == stage:
            break
    assert list(root.iterdir())
    steps.close()
    assert list(root.iterdir()) == []


@pytest.mark.slow
def test_a_newer_one_takes_the_place_of_an_older_one(root, index):
    install(root, index)
    write_wheel(index, "torch", "99.2+cpu", WORKING.replace("99.0", "99.2"))
    assert install(root, index).version == "99.2+cpu"
    (folder,) = root.iterdir()
    assert "99.2" in (folder / "torch.py").read_text()


def test_the_build_for_something_else_is_refused_before_it_is_downloaded(root, index):
    with pytest.raises(WorkerError, match=r"99\.0\+cpu.*CPU.*ROCm") as error:
        value_of(find_build(root, "rocm", str(index)))
    assert "Index" in error.value.fix
    assert list(root.iterdir()) == []


def test_an_index_without_it_is_named(root, tmp_path, monkeypatch):
    only_this_index(monkeypatch)
    (tmp_path / "empty").mkdir()
    with pytest.raises(WorkerError, match="No matching distribution") as error:
        value_of(find_build(root, "cpu", str(tmp_path / "empty")))
    assert "torch" in error.value.fix
    assert list(root.iterdir()) == []


def test_a_build_that_is_gone_is_an_error(root, index):
    build = TorchBuild("99.9+cpu", ("torch==99.9+cpu",), 0)
    with pytest.raises(WorkerError, match="cannot be installed"):
        value_of(install_build(root, "cpu", str(index), build))
    assert list(root.iterdir()) == []


@pytest.mark.slow
def test_it_can_be_removed(root, index):
    install(root, index)
    remove_torch(root, "cpu")
    assert list(root.iterdir()) == []


@pytest.mark.skipif(
    importlib.util.find_spec("ensurepip") is None, reason="this Python comes without ensurepip"
)
def test_a_python_without_pip_has_one_packed(tmp_path):
    venv.create(tmp_path / "bare", with_pip=False)
    python = environment(tmp_path / "bare").python
    script = SCRIPTS / "run_pip.py"
    command = [python, "-I", script, "--version"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.startswith("pip "), done.stderr
    assert ".whl" in done.stdout
