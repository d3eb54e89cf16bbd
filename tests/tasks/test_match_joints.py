"""Joints by which matched figures exchange their armatures."""

import numpy as np
import pytest

from diffusionnet_blender.matching.limbs.joints import rings_of
from diffusionnet_blender.matching.limbs.parted import parted_mesh
from diffusionnet_blender.tasks.match.joints import rings_of_landmarks
from diffusionnet_blender.tasks.rig.landmarks import landmarks_of
from tests.mannequin import FRAME, NAMES, mannequin
from tests.shapes import random_rotation


@pytest.mark.parametrize("seed", [0, 1])
def test_the_skin_around_a_joint_has_its_centre_where_rig_puts_the_joint(seed):
    vertices, faces, parts = mannequin()
    mesh = parted_mesh(vertices, faces, parts, NAMES, FRAME)
    landmarks, borders = landmarks_of(mesh), rings_of(mesh)
    turn = random_rotation(seed)
    found = rings_of_landmarks(mesh)
    assert found.keys() == borders.keys()
    for name, (points, weights) in found.items():
        assert weights.sum() == pytest.approx(1)
        # Anywhere: the ring moves with its skin.
        placed = 3 * mesh.vertices @ turn.T + [1, 2, 3]
        wanted = 3 * turn @ landmarks[name] + [1, 2, 3]
        np.testing.assert_allclose(weights @ placed[points], wanted, atol=1e-9)
        # It is the skin of the limb, hardly weighted otherwise.
        assert np.abs(weights).sum() < 2
