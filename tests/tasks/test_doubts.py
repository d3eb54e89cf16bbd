"""What a model is unsure of: which sides and parts, in which order, and in how many words."""

from dataclasses import replace

import numpy as np
import pytest

from diffusionnet_blender import segment
from diffusionnet_blender.network.frameless import frameless
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.doubts import (
    LEAST_SHARE,
    MOST_NAMED,
    SIDES,
    SURE_OF_PART,
    SURE_OF_SIDES,
    WHOLE_FIGURE,
    doubts_of,
    in_short,
    renamed,
    still_meant,
)
from diffusionnet_blender.tasks.segment.framing import CONVENTION
from diffusionnet_blender.tasks.sides import without_side
from diffusionnet_blender.worker.codec import read_value, write_value
from tests.conftest import CLASSES
from tests.framed import body, framed_model

NAMES = ("head", "torso", "forearm.L", "forearm.R", "foot.L", "foot.R")
# Where nothing but the facing of files speaks for a side.
BY_CONVENTION = 1 / (1 + np.exp(-CONVENTION))
SURFACE = Surface(*body())


def places(*found):
    """Probabilities and areas of places: (class, probability, area), the rest on the next class."""
    probabilities = np.zeros((len(found), len(NAMES)))
    for row, (name, probability, _) in zip(probabilities, found, strict=True):
        number = NAMES.index(name)
        row[number] = probability
        row[(number + 1) % len(NAMES)] += 1.0 - probability
    return probabilities, np.array([area for *_, area in found])


def test_a_sure_result_has_no_doubts():
    found = places(("head", 0.9, 1.0), ("torso", 0.8, 2.0), ("forearm.L", 0.7, 1.0))
    for sides in (None, 1.0, SURE_OF_SIDES):
        assert doubts_of(*found, NAMES, sides) == ()


def test_sides_come_first_and_then_parts_by_area():
    found = places(
        ("head", 0.55, 1.0), ("torso", 0.95, 9.0), ("foot.L", 0.52, 2.0), ("foot.R", 0.55, 2.0)
    )
    assert doubts_of(*found, NAMES) == ("foot", "head")
    probabilities, areas = found
    # Feet that are surely feet.
    probabilities[3] = np.eye(len(NAMES))[5]
    assert doubts_of(probabilities, areas, NAMES, 0.6) == (SIDES, "head")


def test_both_sides_of_a_part_are_one_doubt_by_the_mean_over_their_area():
    sure, unsure = ("forearm.R", 0.95, 1.0), ("forearm.L", 0.51, 1.0)
    assert doubts_of(*places(sure, unsure), NAMES) == ()
    assert doubts_of(*places(sure, (*unsure[:2], 8.0)), NAMES) == ("forearm",)


def test_places_that_are_only_unsure_of_their_side_are_told_once():
    probabilities = np.array([[0, 0, 0.55, 0.45, 0, 0], [0.0, 1.0, 0, 0, 0, 0]])
    areas = np.ones(2)
    assert doubts_of(probabilities, areas, NAMES, 0.5) == (SIDES,)
    # The figure as a whole is sure of its sides, this arm is not.
    assert doubts_of(probabilities, areas, NAMES, 0.99) == ("forearm",)
    assert doubts_of(probabilities, areas, NAMES) == ("forearm",)


@pytest.mark.parametrize(("share", "told"), [(2 * LEAST_SHARE, True), (LEAST_SHARE / 2, False)])
def test_small_parts_are_not_worth_a_word(share, told):
    found = places(("torso", 1.0, 1.0 - share), ("forearm.R", SURE_OF_PART - 0.05, share))
    assert doubts_of(*found, NAMES) == (("forearm",) if told else ())
    assert doubts_of(*found, NAMES, 0.5) == ((SIDES, "forearm") if told else ())


def test_a_bust_without_sides_has_no_doubt_of_them():
    assert doubts_of(*places(("head", 0.9, 1.0), ("torso", 0.9, 1.0)), NAMES, 0.5) == ()


def test_without_any_area_there_is_nothing_to_doubt():
    assert doubts_of(np.zeros((0, 6)), np.zeros(0), NAMES, 0.5) == ()
    assert doubts_of(np.full((3, 6), 1 / 6), np.zeros(3), NAMES, 0.5) == ()


def test_many_doubts_are_the_whole_figure():
    names = tuple("abcdefg")
    assert in_short(names[:MOST_NAMED]) == names[:MOST_NAMED]
    assert in_short(names) == (WHOLE_FIGURE,)
    assert in_short(()) == ()


def test_doubts_follow_the_names_of_the_parts():
    doubts = (SIDES, "forearm", "head")
    doubts = renamed(doubts, "forearm.L", "lower_arm.L")
    names = ("head", "lower_arm.L", "forearm.R")
    assert still_meant(doubts, names) == (SIDES, "forearm", "lower_arm", "head")
    doubts = renamed(doubts, "forearm.R", "lower_arm.R")
    assert still_meant(doubts, ("head", "lower_arm.L", "lower_arm.R")) == (
        SIDES,
        "lower_arm",
        "head",
    )
    assert still_meant(doubts, ("torso", "ear")) == ()


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("hand.L", "hand"), ("Hand_R", "Hand"), ("left_leg", "leg"), ("LeftArm", "Arm"),
        ("armRight", "arm"), ("mixamorig:LeftArm", "mixamorig:Arm"), ("rig:left_arm", "rig:arm"),
        ("upper arm left", "upper arm"), ("head", "head"), ("collar", "collar"), ("left", "left"),
    ],
)  # fmt: skip
def test_a_name_without_its_side(name, part):
    assert without_side(name) == part


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        ({"sure": -CONVENTION}, 0.5),
        ({"sure": 0.0}, BY_CONVENTION),
        ({"sure": 1.0}, 0.881),
        ({"sure": 5.0}, 0.998),
        ({"sure": -5.0}, 0.982),
        ({"sure": 5.0, "refused": True}, 0.5),
    ],
    ids=["as good turned", "by convention", "unsure", "upright", "turned", "in no frame"],
)
def test_a_network_that_votes_on_the_frame_is_as_sure_of_sides_as_its_votes(votes, expected):
    found = segment(SURFACE, framed_model(**votes), engine="numpy")
    assert found.side_confidence == pytest.approx(expected, abs=0.005)
    assert (SIDES in found.unsure_of) == (expected < SURE_OF_SIDES)


@pytest.mark.parametrize("case", ["no frame", "no sides", "sides of bones", "parts of bones"])
def test_sides_are_no_question_where_nothing_judges_them_or_bones_tell(case):
    model, options = framed_model(), {}
    count = len(SURFACE.vertices)
    if case == "no frame":
        model = frameless(model)
    elif case == "no sides":
        model = framed_model(class_names=("a", "b", "c"))
    elif case == "sides of bones":
        options["sides"] = np.sign(SURFACE.vertices[:, 0]).astype(np.int8)
    else:
        known = np.zeros((count, len(CLASSES)), np.float32)
        known[: count // 2, CLASSES.index("upper_arm.L")] = 1.0
        options["known"] = known
    found = segment(SURFACE, model, engine="numpy", **options)
    assert found.side_confidence is None
    assert SIDES not in found.unsure_of


def test_what_bones_tell_nothing_of_leaves_the_sides_to_the_votes():
    known = np.zeros((len(SURFACE.vertices), len(CLASSES)), np.float32)
    known[:9, CLASSES.index("head")] = 1.0
    found = segment(SURFACE, framed_model(), engine="numpy", known=known)
    assert found.side_confidence == pytest.approx(BY_CONVENTION)


def test_a_model_that_is_sure_of_nothing_says_so_and_bones_are_sure():
    model = framed_model(sharpness=1e-3)
    found = segment(SURFACE, model, engine="numpy")
    assert set(found.unsure_of) - {SIDES}
    assert found.doubts == in_short(found.unsure_of)
    # Weights of two bones at each vertex.
    known = np.full((len(SURFACE.vertices), len(CLASSES)), 0.25, np.float32)
    assert segment(SURFACE, model, known=known).unsure_of == ()


def test_a_point_cloud_has_doubts_like_its_mesh():
    model = framed_model(sharpness=1e-3)
    cloud = segment(Surface(SURFACE.vertices), model, engine="numpy")
    assert cloud.side_confidence == pytest.approx(BY_CONVENTION)
    assert set(cloud.unsure_of) - {SIDES}


def test_the_worker_hands_back_doubts(tmp_path):
    found = segment(SURFACE, framed_model(sharpness=1e-3), engine="numpy")
    for number, confidence in enumerate((0.5, None)):
        value = replace(found, side_confidence=confidence)
        write_value(tmp_path / f"{number}", value)
        read = read_value(tmp_path / f"{number}", type(value))
        assert (read.side_confidence, read.unsure_of) == (confidence, found.unsure_of)
