"""The buttons that install and remove PyTorch."""

import shutil
from pathlib import Path

import bpy
import pytest

from diffusionnet_blender.session import computing
from diffusionnet_blender.session.trouble import forget_trouble, last_trouble
from diffusionnet_blender.torch_installer import operators
from diffusionnet_blender.torch_installer.choice import torch_choice
from tests.operators.test_status import status_of_the_worker
from tests.scenes import add_body
from tests.waiting import moments
from tests.wheels import BROKEN, only_this_index, write_torch, write_wheel

pytestmark = pytest.mark.usefixtures("blender")


@pytest.fixture
def preferences(tmp_path, monkeypatch):
    """Those of the extension, with a folder of wheels as the index."""
    only_this_index(monkeypatch)
    addon = bpy.context.preferences.addons.new()
    addon.module = "diffusionnet_blender"
    addon.preferences.extras.torch.variant = "cpu"
    addon.preferences.extras.torch.index = str(write_torch(tmp_path / "wheels"))
    bpy.context.preferences.system.use_online_access = False
    yield addon.preferences
    computing.end_worker()
    forget_trouble()
    shutil.rmtree(torch_choice().root, ignore_errors=True)
    bpy.context.preferences.addons.remove(addon)


def test_offline_the_buttons_are_off_unless_the_wheels_are_here(preferences):
    assert bpy.ops.diffusionnet.find_torch.poll()
    assert bpy.ops.diffusionnet.install_torch.poll()
    for index in ("", "https://example.org/builds"):
        preferences.extras.torch.index = index
        assert not bpy.ops.diffusionnet.find_torch.poll()
        with pytest.raises(RuntimeError, match="Allow Online Access"):
            bpy.ops.diffusionnet.install_torch()
    bpy.context.preferences.system.use_online_access = True
    assert bpy.ops.diffusionnet.install_torch.poll()


def test_looked_up_installed_used_and_removed(preferences):
    assert bpy.ops.diffusionnet.find_torch() == {"FINISHED"}
    build = operators.found_build(torch_choice())
    assert build.version == "99.0+cpu"
    assert "2 packages" in operators.download_text(build)
    assert not torch_choice().installed
    assert not bpy.ops.diffusionnet.remove_torch.poll()

    assert bpy.ops.diffusionnet.install_torch() == {"FINISHED"}
    assert torch_choice().installed
    assert status_of_the_worker().libraries["torch"] == "99.0+cpu"

    assert bpy.ops.diffusionnet.remove_torch() == {"FINISHED"}
    assert not torch_choice().installed
    assert str(torch_choice().root) not in "".join(computing.the_worker().launch.paths)


def test_another_index_is_looked_up_anew(preferences):
    bpy.ops.diffusionnet.find_torch()
    preferences.extras.torch.variant = "cuda"
    assert operators.found_build(torch_choice()) is None
    with pytest.raises(RuntimeError, match="not for CUDA"):
        bpy.ops.diffusionnet.install_torch()
    assert last_trouble().fix
    assert not torch_choice().installed


def test_what_does_not_load_is_not_installed_and_segmenting_goes_on(preferences):
    write_wheel(Path(preferences.extras.torch.index), "torch", "99.1+cpu", BROKEN)
    with pytest.raises(RuntimeError, match="does not work here"):
        bpy.ops.diffusionnet.install_torch()
    assert list(torch_choice().root.iterdir()) == []
    body = add_body()
    assert bpy.ops.diffusionnet.segment(object_name=body.name) == {"FINISHED"}
    assert body.data.diffusionnet.parts


def test_a_run_that_is_cancelled_leaves_nothing(preferences):
    run = operators.DIFFUSIONNET_OT_install_torch.begin(None, bpy.context, at_once=True)
    seen = []
    for _ in moments("it is downloaded", pause=0):
        if run.progress.factor >= operators.DOWNLOAD_SHARE:
            break
        run.advance()
        seen.append(run.progress.factor)
    assert seen == sorted(seen)
    run.cancel()
    assert run.finished
    assert run.cancelled
    assert list(torch_choice().root.iterdir()) == []
