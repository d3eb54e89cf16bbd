"""Sides of whole limbs, on a doll whose limbs are known."""

import numpy as np
import pytest

from diffusionnet_blender.surface.discretization import discretize
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.surface.voxels import outer_skin
from diffusionnet_blender.tasks.segment.limbs import with_sides_agreed
from tests.shapes import icosphere, joined

# Trunk, then upper and lower halves of limbs, left before right.
NAMES = ("trunk", "arm.L", "arm.R", "hand.L", "hand.R", "leg.L", "leg.R", "foot.L", "foot.R")
OTHER = [0, 2, 1, 4, 3, 6, 5, 8, 7]
LIMBS = [[1, 3], [5, 7]]
SETTINGS = DiscretizationSettings(k=8)
# Middle and half axes of the pieces that the doll is welded of; +x is its left.
PIECES = [
    ((0, 0, 0.2), (0.32, 0.25, 0.6)),
    *(((side * 0.65, 0, 0.6), (0.5, 0.1, 0.1)) for side in (1, -1)),
    *(((side * 0.24, 0, -0.7), (0.12, 0.13, 0.7)) for side in (1, -1)),
]


def doll(skirt=False):
    """Matrices of a doll and the true class of each vertex."""
    ball, faces = icosphere(3)
    pieces = list(PIECES)
    if skirt:
        pieces.append(((0, 0, -0.45), (0.45, 0.3, 0.25)))
    heap = joined(*((ball * axes + np.array(middle), faces) for middle, axes in pieces))
    skin = outer_skin(*heap, cells=50)
    shape = discretize(Surface(skin.vertices, skin.faces), SETTINGS)
    x, z = skin.vertices[:, 0], skin.vertices[:, 2]
    truth = np.zeros(len(x), int)
    arm, leg = (np.abs(x) > 0.35) & (z > 0.3), z < -0.3
    truth[arm], truth[leg] = 1, 5
    truth[arm & (np.abs(x) > 0.75)], truth[leg & (z < -0.8)] = 3, 7
    truth[(truth > 0) & (x < 0)] += 1
    return shape, truth


def sure_of(truth, share=0.9):
    """Probabilities that are this sure of the right classes, and think of the other side next."""
    found = np.full((len(truth), len(NAMES)), 1e-4)
    rows = np.arange(len(truth))
    found[rows, np.array(OTHER)[truth]] = 1 - share
    found[rows, truth] = share
    return found / found.sum(axis=1, keepdims=True)


def share_right(shape, probabilities, truth):
    return np.average(probabilities.argmax(axis=1) == truth, weights=shape.mass)


@pytest.fixture(scope="module")
def known():
    return doll()


def test_a_leg_of_the_wrong_side_is_outvoted(known):
    shape, truth = known
    given = sure_of(truth)
    leg = np.isin(truth, [5, 7])
    given[leg] = given[leg][:, OTHER]  # two right legs
    assert share_right(shape, given, truth) < 0.9
    found = with_sides_agreed(shape, given, LIMBS, OTHER)
    assert share_right(shape, found, truth) > 0.995
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-6)


def test_both_legs_swapped_follow_the_arms(known):
    shape, truth = known
    given = sure_of(truth)
    legs = truth > 4
    given[legs] = sure_of(truth, 0.6)[legs][:, OTHER]
    assert share_right(shape, given, truth) < 0.8
    assert share_right(shape, with_sides_agreed(shape, given, LIMBS, OTHER), truth) > 0.995


def test_patches_of_the_other_side_go_under_a_skirt():
    shape, truth = doll(skirt=True)
    given = sure_of(truth)
    doubtful = (truth > 4) & (shape.vertices[:, 1] > 0)
    given[doubtful] = given[doubtful][:, OTHER]
    before = share_right(shape, given, truth)
    after = share_right(shape, with_sides_agreed(shape, given, LIMBS, OTHER), truth)
    assert before < 0.85
    assert after > 0.97


def test_what_is_agreed_already_stays_as_it_is(known):
    shape, truth = known
    found = with_sides_agreed(shape, sure_of(truth), LIMBS, OTHER)
    # Where the legs meet, a vertex may be nearer to the other foot.
    assert share_right(shape, found, truth) > 0.995


def test_a_body_seen_the_wrong_way_round_keeps_its_sides(known):
    shape, truth = known
    swapped = np.array(OTHER)[truth]
    found = with_sides_agreed(shape, sure_of(swapped), LIMBS, OTHER)
    assert share_right(shape, found, swapped) > 0.995


def test_a_body_without_one_arm_stays_as_it_is(known):
    shape, truth = known
    less = np.where(np.isin(truth, [1, 3]), 0, truth)
    given = sure_of(less).astype(np.float32)
    given[truth == 5] = given[truth == 5][:, OTHER]
    np.testing.assert_array_equal(with_sides_agreed(shape, given, LIMBS, OTHER), given)
    none = sure_of(np.zeros_like(truth)).astype(np.float32)
    np.testing.assert_array_equal(with_sides_agreed(shape, none, LIMBS, OTHER), none)
