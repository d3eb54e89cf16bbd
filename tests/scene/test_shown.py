"""Characters that panels show are found again after a change, and not at every drawing."""

import time

import bpy
import pytest

from diffusionnet_blender.scene import shown
from diffusionnet_blender.scene.character import alone
from tests.scenes import add_body, add_mesh

pytestmark = pytest.mark.usefixtures("addon", "blender")


@pytest.fixture(autouse=True)
def _handlers():
    """As in a window: without one there are no panels, and no handlers."""
    handlers = bpy.app.handlers.depsgraph_update_post
    handlers.append(shown.forget_shown)
    yield
    handlers.remove(shown.forget_shown)
    shown.forget_shown()


def finder(obj, seconds):
    calls = []

    def find():
        calls.append(obj)
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            pass
        return [alone(obj)]

    return find, calls


def test_what_is_found_quickly_is_found_every_time():
    find, calls = finder(add_body(), 0.0)
    for _ in range(3):
        assert shown.remembered("quick", find)[0].name == "Body"
    assert len(calls) == 3


def test_what_takes_long_is_kept_until_something_changes():
    body = add_body()
    find, calls = finder(body, 0.05)
    for _ in range(3):
        assert shown.remembered("slow", find)[0].name == "Body"
    assert len(calls) == 1
    shown.remembered("another", find)
    assert len(calls) == 2
    body.hide_viewport = True
    bpy.context.view_layer.update()
    shown.remembered("slow", find)
    assert len(calls) == 3


def test_it_is_not_kept_for_ever():
    find, calls = finder(add_body(), 0.01)
    shown.remembered("slow", find)
    time.sleep(0.01 * shown.KEPT_TIMES + 0.3)
    shown.remembered("slow", find)
    assert len(calls) == 2


def test_an_object_that_is_gone_is_not_shown():
    body, other = add_body(), add_mesh("Other", [(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(0, 1, 2)])
    shown.remembered("slow", finder(body, 0.05)[0])
    bpy.data.objects.remove(body)
    find, calls = finder(other, 0.0)
    assert shown.remembered("slow", find)[0].name == "Other"
    assert calls
