"""Errors that stay in sight, and the report that an artist copies."""

import venv
from pathlib import Path

import bpy
import pytest

from diffusionnet_blender.errors import Cancelled
from diffusionnet_blender.operators.run import JobRun
from diffusionnet_blender.scene.jobs import OneJob
from diffusionnet_blender.session import computing, status
from diffusionnet_blender.session.trouble import forget_trouble, last_trouble, note_trouble
from diffusionnet_blender.settings import settings
from diffusionnet_blender.tasks.status import job as status_job
from tests.scenes import add_body, add_mesh, select

pytestmark = pytest.mark.usefixtures("blender")


@pytest.fixture(autouse=True)
def _no_trouble():
    forget_trouble()
    yield
    forget_trouble()
    computing.end_worker()


def status_of_the_worker():
    jobs = OneJob(status_job, "Looking", status_job.StatusRequest())
    run = JobRun(jobs, computing.the_worker())
    while not run.finished:
        run.advance()
    return run.result


def test_an_error_stays_until_the_next_attempt():
    add_body()
    with pytest.raises(RuntimeError):
        bpy.ops.diffusionnet.segment(model="nobody")
    trouble = last_trouble()
    assert trouble.kind == "ModelError"
    assert "nobody" in trouble.message
    assert trouble.fix
    bpy.ops.diffusionnet.segment()
    assert last_trouble() is None


def test_what_went_wrong_with_one_of_several_stays_too():
    good, bad = add_body("Good"), add_mesh("Bad", [[1, 2, 3]] * 4, [[0, 1, 2]])
    select(good, bad)
    assert bpy.ops.diffusionnet.segment() == {"FINISHED"}
    assert "'Bad'" in last_trouble().message
    bpy.ops.diffusionnet.dismiss_error()
    assert last_trouble() is None


def test_to_cancel_is_no_error():
    note_trouble(Cancelled())
    assert last_trouble() is None


def test_the_report_has_versions_and_the_error_but_no_home(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    add_body()
    with pytest.raises(RuntimeError):
        bpy.ops.diffusionnet.segment(model=str(tmp_path / "secret" / "model.safetensors"))
    assert bpy.ops.diffusionnet.check() == {"FINISHED"}
    text = status.report_text()
    assert bpy.app.version_string in text
    assert "Libraries: numpy" in text
    assert "Traceback" in text
    assert "~/secret/model.safetensors" in text
    assert str(tmp_path) not in text


def test_the_worker_is_asked_without_waiting():
    assert "cpu" in status_of_the_worker().devices


def test_clear_cache_empties_the_folder():
    add_body()
    bpy.ops.diffusionnet.segment()
    assert settings().cache.size()
    bpy.ops.diffusionnet.clear_cache()
    assert settings().cache.size() == 0


def test_another_environment_gets_a_worker_of_its_own(tmp_path, monkeypatch):
    from dataclasses import replace

    from diffusionnet_blender.worker.client import Worker

    first = computing.the_worker()
    assert computing.the_worker() is first
    venv.create(tmp_path / "environment", with_pip=False)
    chosen = replace(settings(), environment=tmp_path / "environment")
    monkeypatch.setattr(computing, "settings", lambda: chosen)
    second = computing.the_worker()
    assert isinstance(second, Worker)
    assert second is not first
    assert str(tmp_path) in second.launch.python
    assert str(tmp_path) in status_of_the_worker().executable
