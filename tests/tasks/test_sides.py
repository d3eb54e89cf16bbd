"""Names that tell a side."""

import numpy as np
import pytest

from diffusionnet_blender.tasks.sides import (
    either_side,
    mirrored_classes,
    other_side,
    side_of,
    sides_of,
    with_known_sides,
)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("hand.L", "hand.R"), ("hand_r", "hand_l"), ("Left arm", "Right arm"),
        ("LeftArm", "RightArm"), ("mixamorig:LeftArm", "mixamorig:RightArm"),
        ("left_leg", "right_leg"), ("ear-LEFT", "ear-RIGHT"), ("L_foot", "R_foot"),
        ("wingLeft", "wingRight"), ("Left", "Right"),
    ],
)  # fmt: skip
def test_names_have_another_side(name, other):
    assert other_side(name) == other
    assert other_side(other) == name


@pytest.mark.parametrize("name", ["head", "leftover", "bright", "L", "tail.001", "Rightful king"])
def test_names_without_a_side(name):
    assert other_side(name) is None


def test_classes_are_mirrored_in_pairs_or_not_at_all():
    assert mirrored_classes(("head", "hand.L", "hand.R")) == [0, 2, 1]
    assert mirrored_classes(("head", "torso")) is None
    # A mirrored left hand would be taken for a left hand.
    assert mirrored_classes(("head", "hand.L")) is None


@pytest.mark.parametrize(
    ("name", "side"),
    [("hand.L", 1), ("hand_r", -1), ("Left arm", 1), ("mixamorig:RightArm", -1), ("torso", 0)],
)
def test_the_side_of_a_name(name, side):
    assert side_of(name) == side


NAMES = ("torso", "hand.L", "hand.R")


def test_a_vertex_is_on_a_side_that_most_of_its_probability_has():
    probabilities = [[0, 1, 0], [0.2, 0.1, 0.7], [0.3, 0.4, 0.3], [0, 0.5, 0.5], [0, 0, 0]]
    assert sides_of(np.array(probabilities, np.float32), NAMES).tolist() == [1, -1, 0, 0, 0]
    assert not sides_of(np.ones((2, 1)), ("torso",)).any()


def labels(probabilities, sides):
    found = with_known_sides(np.array(probabilities, np.float32), np.array(sides), NAMES)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-6)
    return [NAMES[row.argmax()] for row in found]


def test_vertices_of_a_known_side_have_no_part_of_the_other():
    probabilities = [[0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.9, 0.05, 0.05], [0.2, 0.3, 0.5]]
    assert labels(probabilities, [1, -1, -1, 0]) == ["hand.L", "hand.R", "torso", "hand.R"]


def test_where_most_sides_are_wrong_those_of_unknown_side_change_as_well():
    probabilities = [[0.1, 0.8, 0.1], [0.1, 0.7, 0.2], [0.2, 0.2, 0.6], [0.2, 0.2, 0.6]]
    assert labels(probabilities, [-1, 0, 1, 0]) == ["hand.R", "hand.R", "hand.L", "hand.L"]


def test_classes_without_sides_stay():
    probabilities = np.array([[0.3, 0.7]], np.float32)
    assert with_known_sides(probabilities, np.array([1]), ("head", "hand")) is probabilities


def test_probabilities_of_left_and_right_are_taken_as_one():
    names = ["head", "hand.L", "hand.R"]
    found = either_side(np.array([[0.2, 0.5, 0.3], [1.0, 0.0, 0.0]]), names)
    np.testing.assert_allclose(found, [[0.2, 0.8, 0.8], [1.0, 0.0, 0.0]])
    np.testing.assert_allclose(either_side(np.eye(2), ["head", "torso"]), np.eye(2))
