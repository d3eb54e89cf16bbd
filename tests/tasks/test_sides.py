"""Names that tell a side."""

import pytest

from diffusionnet_blender.tasks.sides import mirrored_classes, other_side


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
