"""Presets of outputs, by Blender's own machinery."""

from pathlib import Path

import bpy

from diffusionnet_blender.operators.presets import FOLDER


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
