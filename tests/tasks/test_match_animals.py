"""Two animals are matched by their own model, in the frame of the animal's parts."""

from dataclasses import replace

import numpy as np
import pytest

from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.match import match
from diffusionnet_blender.tasks.match.body import with_parts_of
from diffusionnet_blender.tasks.match.request import PEOPLE, MatchRequest
from diffusionnet_blender.tasks.models import (
    ANIMAL_MATCH_MODEL,
    ANIMAL_PARTS_MODEL,
    DEFAULT_MATCH_MODEL,
    find_model,
    is_bundled,
)
from tests.animals import STANDING, STEPPING, error, posed, usual_animal
from tests.shapes import random_rotation

pytestmark = pytest.mark.skipif(
    not is_bundled(ANIMAL_MATCH_MODEL), reason="the model is not there yet"
)


@pytest.fixture(scope="module")
def animal():
    return usual_animal()


@pytest.mark.parametrize("turn", [np.eye(3), random_rotation(5)], ids=["upright", "anyhow"])
def test_an_animal_in_two_poses_is_matched_place_by_place(animal, turn):
    source, target = posed(animal, STANDING, 1500), posed(animal, STEPPING, 2200)
    found = match(
        Surface(source.vertices, source.faces),
        Surface(target.vertices @ turn.T, target.faces),
        ANIMAL_MATCH_MODEL,
        method="MATCH",
    )
    assert found.way == "features"
    assert not found.uncertain
    assert error(animal, source, target, found.target_to_source) < 0.02


def test_features_of_animals_are_seen_in_the_frame_of_an_animal(animal):
    body = posed(animal, STANDING, 1000)
    surface = Surface(body.vertices, body.faces)
    request = MatchRequest(surface, surface, ANIMAL_MATCH_MODEL)
    with_animals = with_parts_of(request, find_model(ANIMAL_MATCH_MODEL))
    assert with_animals.parts_models == (ANIMAL_PARTS_MODEL, ANIMAL_PARTS_MODEL)
    people = with_parts_of(request, find_model(DEFAULT_MATCH_MODEL))
    assert people.parts_models == PEOPLE
    # What was chosen stays.
    for chosen in (None, ("body_parts_fine", "animal_parts")):
        own = replace(request, parts_models=chosen)
        assert with_parts_of(own, find_model(ANIMAL_MATCH_MODEL)).parts_models == chosen
