"""Errors that stay in sight, and the report that an artist copies."""

import venv
from pathlib import Path

import bpy
import pytest

from diffusionnet_blender.errors import Cancelled
from diffusionnet_blender.operators import background, status
from diffusionnet_blender.operators.trouble import forget_trouble, last_trouble, note_trouble
from diffusionnet_blender.preferences import settings
from tests.scenes import add_body, add_mesh, select

pytestmark = pytest.mark.usefixtures("blender")


@pytest.fixture(autouse=True)
def _no_trouble():
    forget_trouble()
    yield
    forget_trouble()
    background.end_worker()


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
    run = status.status_run()
    while not run.finished:
        run.advance(bpy.context)
    assert "cpu" in run.answer["devices"]


def test_clear_cache_empties_the_folder():
    add_body()
    bpy.ops.diffusionnet.segment()
    assert settings().cache().size()
    bpy.ops.diffusionnet.clear_cache()
    assert settings().cache().size() == 0


def test_another_environment_gets_a_worker_of_its_own(tmp_path, monkeypatch):
    from dataclasses import replace

    from diffusionnet_blender.worker.client import Worker

    first = background.the_worker()
    assert background.the_worker() is first
    venv.create(tmp_path / "environment", with_pip=False)
    chosen = replace(settings(), environment=tmp_path / "environment")
    monkeypatch.setattr(background, "settings", lambda: chosen)
    second = background.the_worker()
    assert isinstance(second, Worker)
    assert second is not first
    assert str(tmp_path) in second.launch.python
    run = status.status_run()
    while not run.finished:
        run.advance(bpy.context)
    assert str(tmp_path) in run.answer["executable"]
