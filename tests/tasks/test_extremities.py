"""Each leg once, and one end of the trunk the neck's, on an animal whose parts are known."""

from dataclasses import replace

import numpy as np
import pytest

from diffusionnet_blender.surface.discretization import discretize
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.surface.triangles import compact
from diffusionnet_blender.tasks.segment.extremities import (
    Extremities,
    extremities_of,
    with_extremities_agreed,
)
from tests.animals import STANDING, posed
from training.animal_parts import card_of
from training.parts import ANIMAL_PART_NAMES, LEG_PARTS, LEGS, SIDES
from training.quadrupeds import sample_quadruped

SETTINGS = DiscretizationSettings(k=8)
COLUMN = {name: number for number, name in enumerate(ANIMAL_PART_NAMES)}
OF_LEG = {
    (leg, side): tuple(COLUMN[f"{leg}_{part}.{side}"] for part in LEG_PARTS)
    for leg in LEGS
    for side in SIDES
}
EXTREMITIES = Extremities(
    tuple(OF_LEG.values()), (COLUMN["neck"], COLUMN["head"]), (COLUMN["tail"],)
)


@pytest.fixture(scope="module")
def known():
    """Matrices of an animal, and the true part of each vertex."""
    animal = sample_quadruped(np.random.default_rng(1_000_003))
    body = posed(animal, STANDING, 3000)
    truth = animal.figure.fine[body.fine]
    return discretize(Surface(body.vertices, body.faces), SETTINGS), truth


def called(truth, wrong, sure=0.55, in_doubt=0.45):
    """Probabilities of parts that are taken for others, by a dictionary, by a narrow margin.

    Elsewhere they are certain.
    """
    found = np.full((len(truth), len(COLUMN)), 1e-4)
    rows = np.arange(len(truth))
    found[rows, truth] = 1.0
    for part, other in wrong.items():
        own = np.flatnonzero(truth == part)
        found[own, part], found[own, other] = in_doubt, sure
    return found / found.sum(axis=1, keepdims=True)


def renamed(one, other):
    return dict(zip(OF_LEG[one], OF_LEG[other], strict=True))


def right(shape, probabilities, truth):
    found = with_extremities_agreed(shape, probabilities, EXTREMITIES)
    return np.average(found.argmax(axis=1) == truth, weights=shape.mass)


def test_extremities_are_told_by_the_card_of_a_model_of_animals_alone():
    assert extremities_of(card_of(96, "")) == EXTREMITIES
    assert extremities_of(replace(card_of(96, ""), four_legs=False)) is None


def test_what_is_right_stays(known):
    shape, truth = known
    assert right(shape, called(truth, {}), truth) == 1.0


@pytest.mark.parametrize(
    "wrong",
    [
        renamed(("hind", "L"), ("front", "L")) | renamed(("hind", "R"), ("front", "R")),
        renamed(("front", "L"), ("front", "R")),
        renamed(("hind", "R"), ("front", "L")),
        {COLUMN["neck"]: COLUMN["tail"]},
        {COLUMN["tail"]: COLUMN["neck"]},
    ],
    ids=["all front", "one side", "one leg", "neck a tail", "tail a neck"],
)
def test_each_extremity_gets_a_name_of_its_own(known, wrong):
    shape, truth = known
    before = called(truth, wrong)
    assert np.average(before.argmax(axis=1) == truth, weights=shape.mass) < 0.98
    assert right(shape, before, truth) > 0.995


def test_ends_decide_which_legs_are_the_front_ones(known):
    """Legs that are taken for one another a little, and a head that is certain."""
    shape, truth = known
    wrong = {}
    for side in SIDES:
        wrong |= renamed(("front", side), ("hind", side)) | renamed(("hind", side), ("front", side))
    assert right(shape, called(truth, wrong), truth) > 0.995


def test_without_a_tail_the_legs_farther_from_the_head_are_the_hind_ones(known):
    shape, truth = known
    faces = shape.faces[(truth[shape.faces] != COLUMN["tail"]).all(axis=1)]
    faces, kept = compact(len(truth), faces)
    bare, truth = discretize(Surface(shape.vertices[kept], faces), SETTINGS), truth[kept]
    wrong = renamed(("hind", "L"), ("front", "L")) | renamed(("hind", "R"), ("front", "R"))
    assert right(bare, called(truth, wrong), truth) > 0.995


def test_with_three_legs_nothing_changes(known):
    shape, truth = known
    lost = np.isin(truth, OF_LEG["hind", "R"])
    faces, kept = compact(len(truth), shape.faces[~lost[shape.faces].any(axis=1)])
    three, truth = discretize(Surface(shape.vertices[kept], faces), SETTINGS), truth[kept]
    before = called(truth, renamed(("hind", "L"), ("front", "L"))).astype(np.float32)
    found = with_extremities_agreed(three, before, EXTREMITIES)
    np.testing.assert_array_equal(found, before)
