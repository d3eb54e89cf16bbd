"""The middle of a limb, on tubes whose axis is known."""

import numpy as np
import pytest

from diffusionnet_blender.tasks.rig.middle import middle_of_limb
from tests.mannequin import PLACES, chain, mannequin
from tests.shapes import joined, random_rotation


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("away", [0.0, 0.03, 0.2])
def test_a_joint_goes_to_the_axis_of_its_limb_from_inside_and_from_outside(seed, away):
    turn = random_rotation(seed)
    tube, faces, _ = chain(np.array([[0, 0, 0.0], [0, 0, 1.0]]), [0.1])
    aside = np.array([np.cos(seed), np.sin(seed), 0.0])
    point = [0, 0, 0.4] + away * aside
    found = middle_of_limb(tube @ turn.T, faces, turn @ point, turn @ [0, 0, 2.0])
    np.testing.assert_allclose(found, turn @ [0, 0, 0.4], atol=2e-3)


def test_other_limbs_and_clothes_around_do_not_pull():
    limb, faces, _ = chain(np.array([[0, 0, 0.0], [0, 0, 1.0]]), [0.05])
    trunk, trunk_faces, _ = chain(np.array([[0.25, 0, 0.0], [0.25, 0, 1.0]]), [0.15])
    sleeve, sleeve_faces, _ = chain(np.array([[0.02, 0, 0.1], [0.02, 0, 0.9]]), [0.09])
    vertices, faces = joined((limb, faces), (trunk, trunk_faces), (sleeve, sleeve_faces))
    found = middle_of_limb(vertices, faces, np.array([0.02, 0.01, 0.5]), np.array([0, 0, 1.0]))
    np.testing.assert_allclose(found, [0, 0, 0.5], atol=1e-3)


def test_the_winding_of_the_faces_does_not_matter():
    vertices, faces, _ = mannequin()
    wanted = PLACES["elbow.L"]
    for own in (faces, faces[:, ::-1]):
        found = middle_of_limb(vertices, own, wanted + [0, 0.1, 0.02], np.array([1.0, 0, 0]))
        np.testing.assert_allclose(found, wanted, atol=5e-3)


def test_where_there_is_no_limb_nothing_is_found():
    limb, faces, _ = chain(np.array([[0, 0, 0.0], [0, 0, 1.0]]), [0.05])
    assert middle_of_limb(limb, faces, np.array([0, 0, 2.0]), np.array([0, 0, 1.0])) is None
    half = faces[(limb[faces][:, :, 0] > 0).all(axis=1)]
    assert middle_of_limb(limb, half, np.array([0, 0, 0.5]), np.array([0, 0, 1.0])) is None
