"""What a scene writes is what the preferences say, until it is chosen there; so are the colours."""

from types import SimpleNamespace

import bpy
import numpy as np
import pytest

from diffusionnet_blender.operators import segment as segment_operators
from diffusionnet_blender.properties import outputs
from diffusionnet_blender.properties.outputs import OUTPUT_NAMES
from diffusionnet_blender.scene.palette import safe_colours
from diffusionnet_blender.settings import settings
from tests.conftest import CLASSES, COLOURS
from tests.scenes import add_body

pytestmark = pytest.mark.usefixtures("blender")


@pytest.fixture
def preferred(monkeypatch):
    """The default outputs of the preferences: here a scene's that nothing else looks at."""
    scene = bpy.data.scenes.new("Preferences")
    stored = SimpleNamespace(outputs=scene.diffusionnet.own_outputs)
    monkeypatch.setattr(outputs, "stored_preferences", lambda: stored)
    return scene.diffusionnet.own_outputs


def test_without_preferences_outputs_have_their_own_defaults():
    chosen = bpy.context.scene.diffusionnet
    assert chosen.attributes
    assert chosen.vertex_groups
    assert not chosen.face_sets
    assert chosen.group_weights == "HARD"


def test_what_a_scene_has_not_chosen_follows_the_preferences(preferred):
    chosen = bpy.context.scene.diffusionnet
    preferred.face_sets, preferred.vertex_groups, preferred.group_weights = True, False, "SOFT"
    assert chosen.face_sets
    assert not chosen.vertex_groups
    assert chosen.group_weights == "SOFT"
    obj = add_body()
    bpy.ops.diffusionnet.segment()
    assert ".sculpt_face_set" in obj.data.attributes
    assert not obj.vertex_groups


def test_what_a_scene_has_chosen_stays(preferred, tmp_path):
    chosen = bpy.context.scene.diffusionnet
    chosen.face_sets, chosen.group_weights = False, "HARD"
    preferred.face_sets, preferred.group_weights = True, "SOFT"
    assert not chosen.face_sets
    assert chosen.group_weights == "HARD"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "file.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "file.blend"))
    chosen = bpy.context.scene.diffusionnet
    assert not chosen.face_sets
    assert chosen.group_weights == "HARD"


def test_every_output_can_be_chosen():
    chosen = bpy.context.scene.diffusionnet
    for name in OUTPUT_NAMES:
        values = ("SOFT", "HARD") if name == "group_weights" else (True, False)
        for value in values:
            setattr(chosen, name, value)
            assert getattr(chosen, name) == value


def test_colours_for_all_eyes_are_those_of_the_legend(monkeypatch):
    from dataclasses import replace

    obj = add_body()
    bpy.ops.diffusionnet.segment()
    colours = [tuple(part.color) for part in obj.data.diffusionnet.parts]
    assert np.allclose(colours, COLOURS, atol=1e-6)
    chosen = replace(settings(), palette="SAFE")
    monkeypatch.setattr(segment_operators, "settings", lambda: chosen)
    bpy.ops.diffusionnet.segment()
    bpy.ops.diffusionnet.write_labels(colors=True)
    colours = [tuple(part.color) for part in obj.data.diffusionnet.parts]
    assert np.allclose(colours, safe_colours(CLASSES), atol=1e-6)


def test_safe_colours_differ_and_both_sides_have_one_hue():
    names = ["head", *(f"part{i}.{side}" for i in range(7) for side in "RL")]
    colours = safe_colours(names)
    distances = np.linalg.norm(colours[:, None] - colours[None], axis=2)
    assert distances[~np.eye(len(names), dtype=bool)].min() > 0.1
    right, left = colours[1::2], colours[2::2]
    assert np.allclose(np.cross(right, left), 0.0)
    assert (left.sum(axis=1) > right.sum(axis=1)).all()
