"""The report of a transfer tells how lips and lids meet in the keys of a face."""

import bpy
import numpy as np
import pytest

from diffusionnet_blender.matching.closest import ClosestPoints
from tests.heads import Head, blinked, on_head, opened
from tests.operators.test_transfer import keep_true_match
from tests.scenes import add_mesh

pytestmark = pytest.mark.usefixtures("blender")


def add_head(name, head):
    return add_mesh(name, head.vertices, head.faces)


def add_keys(obj, **positions):
    obj.shape_key_add(name="Basis", from_mix=False)
    for name, at in positions.items():
        key = obj.shape_key_add(name=name, from_mix=False)
        key.data.foreach_set("co", np.asarray(at, np.float32).ravel())


def effect(obj, name):
    found = []
    for key in (obj.data.shape_keys.key_blocks[name], obj.data.shape_keys.reference_key):
        at = np.empty(3 * len(key.data), np.float32)
        key.data.foreach_get("co", at)
        found.append(at.reshape(-1, 3))
    return found[0] - found[1]


@pytest.mark.parametrize("has_mouth", [True, False])
def test_the_report_tells_of_contact_and_of_a_mouth_without_an_opening(capfd, has_mouth):
    head, other = Head(3.0), Head(4.3, has_mouth=has_mouth)
    source, target = add_head("Source", head), add_head("Target", other)
    add_keys(source, open=opened(head), blink=blinked(head))
    points, _ = ClosestPoints(head.vertices, head.faces)(on_head(other.degrees))
    keep_true_match(source, target, points)
    pair = {"source": "Source", "target": "Target"}
    assert bpy.ops.diffusionnet.transfer(**pair, shape_keys=True) == {"FINISHED"}
    told = capfd.readouterr().out
    assert source.data.shape_keys.key_blocks.keys() == target.data.shape_keys.key_blocks.keys()
    assert "comes together in 1 key, as lips and lids" in told
    assert ("open cannot open here" in told) is not has_mouth
    # The keys are moved nevertheless.
    for name, true in (("open", opened(other)), ("blink", blinked(other))):
        off = np.linalg.norm(effect(target, name) - (true - other.vertices), axis=1)
        assert off.mean() < 0.25 * np.linalg.norm(true - other.vertices, axis=1).mean()
