"""Eyes of the dressed sample are found, and turn with bones of their own."""

from pathlib import Path

import bpy
import numpy as np
import pytest

from diffusionnet_blender.scene.character import characters_of
from diffusionnet_blender.scene.files import open_file
from diffusionnet_blender.scene.rig_jobs import rig_request
from diffusionnet_blender.tasks.rig import job
from diffusionnet_blender.tasks.rig.bones import skeleton_of

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.mark.slow
def test_eyes_of_a_dressed_character_turn_with_bones_of_their_own(addon):
    (character,) = characters_of(open_file(SAMPLES / "cleo.glb"), bpy.context.view_layer)
    _, request = rig_request(character)
    fitted = job.run(request)
    skeleton = skeleton_of(fitted.places, fitted.frame, "mixamo", face=True)
    weights = job.weights_of(request.surface.vertices, fitted, skeleton)
    names = [obj.name for obj in character.members]
    for side in ("L", "R"):
        number = names.index(f"Eye.{side}")
        own = request.surface.vertices[request.member == number]
        middle = (own.min(axis=0) + own.max(axis=0)) / 2
        np.testing.assert_allclose(fitted.places[f"eye.{side}"], middle, atol=1e-6)
        column = fitted.part_names.index(f"eye.{side}")
        np.testing.assert_array_equal(fitted.parts[:, column] > 0.5, request.member == number)
        bone = skeleton.roles.index(f"eye.{side}")
        np.testing.assert_array_equal(weights[:, bone] > 0.5, request.member == number)
