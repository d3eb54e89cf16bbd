"""Presets of outputs, by Blender's own machinery."""

from pathlib import Path

import bpy
import pytest

from diffusionnet_blender.operators.presets import FOLDER, TRANSFER_FOLDER, TRANSFER_PANEL


def presets():
    return [path for folder in bpy.utils.preset_paths(FOLDER) for path in Path(folder).glob("*.py")]


def test_a_choice_of_outputs_comes_back_by_its_name(blender):
    settings = blender.context.scene.diffusionnet
    settings.materials, settings.group_weights, settings.attributes = True, "SOFT", False
    settings.clean = False
    bpy.ops.diffusionnet.add_preset(name="For Rigging")
    (path,) = presets()
    settings.materials, settings.group_weights, settings.attributes = False, "HARD", True
    settings.clean = True
    bpy.ops.script.execute_preset(filepath=str(path), menu_idname="DIFFUSIONNET_PT_presets")
    assert (settings.materials, settings.group_weights, settings.attributes) == (
        True,
        "SOFT",
        False,
    )
    assert not settings.clean
    bpy.ops.diffusionnet.add_preset(name="For Rigging", remove_name=True)
    assert not presets()


def test_names_that_lead_elsewhere_remove_nothing(blender):
    bpy.ops.diffusionnet.add_preset(name="kept")
    (kept,) = presets()
    victim = kept.parent.parent / "victim.py"
    victim.write_text("of the user")
    for name in ("../victim", str(victim.with_suffix("")), f"../{kept.parent.name}/kept"):
        with pytest.raises(RuntimeError, match="no name"):
            bpy.ops.diffusionnet.add_preset(name=name, remove_name=True)
    for name in ("..", " . "):
        with pytest.raises(RuntimeError, match="no name"):
            bpy.ops.diffusionnet.add_preset(name=name)
    assert victim.exists()
    assert presets() == [kept]
    bpy.ops.diffusionnet.add_preset(name="kept", remove_name=True)
    victim.unlink()


@pytest.mark.parametrize("name", ["../up", "a/b", "C:x", "a\\b"])
def test_names_with_separators_stay_in_the_folder(blender, name):
    bpy.ops.diffusionnet.add_preset(name=name)
    (path,) = presets()
    path.unlink()


def test_a_choice_of_what_is_moved_comes_back_by_its_name(blender):
    panel = blender.context.scene.diffusionnet.transfer
    chosen = {
        "texture": False, "shape_keys": True, "group_names": "arm*, *.L", "mirror": True,
        "region": "GROUP", "region_name": "face", "mix": 0.5, "limit": 8,
    }  # fmt: skip
    before = {name: getattr(panel, name) for name in chosen}
    for name, value in chosen.items():
        setattr(panel, name, value)
    bpy.ops.diffusionnet.add_transfer_preset(name="Face Only")
    folders = bpy.utils.preset_paths(TRANSFER_FOLDER)
    (path,) = [path for folder in folders for path in Path(folder).glob("*.py")]
    for name, value in before.items():
        setattr(panel, name, value)
    bpy.ops.script.execute_preset(filepath=str(path), menu_idname=TRANSFER_PANEL)
    assert {name: getattr(panel, name) for name in chosen} == chosen
    bpy.ops.diffusionnet.add_transfer_preset(name="Face Only", remove_name=True)
    assert not path.exists()
    assert not presets()
