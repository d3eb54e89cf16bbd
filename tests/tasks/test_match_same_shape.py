"""Animals of nearly one shape are matched by distances along them, others by features alone."""

from dataclasses import replace

import numpy as np
import pytest

from diffusionnet_blender.matching.by_features import map_by_features
from diffusionnet_blender.surface.discretization import truncated
from diffusionnet_blender.surface.repair import repair
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.clock import Clock
from diffusionnet_blender.tasks.engines import choose_engine
from diffusionnet_blender.tasks.match.body import both_bodies, with_parts_of
from diffusionnet_blender.tasks.match.request import MatchRequest
from diffusionnet_blender.tasks.match.same_shape import refined_where_alike
from diffusionnet_blender.tasks.match.side import prepare_side, vertex_features
from diffusionnet_blender.tasks.match.ways import first_maps
from diffusionnet_blender.tasks.models import ANIMAL_MATCH_MODEL, find_model, is_bundled
from diffusionnet_blender.tasks.progress import SILENT
from diffusionnet_blender.tasks.segment.framing import HALF_TURN
from tests.animals import STANDING, STEPPING, error, posed, usual_animal
from training.quadrupeds import sample_quadruped

pytestmark = pytest.mark.skipif(
    not is_bundled(ANIMAL_MATCH_MODEL), reason="the model is not there yet"
)


@pytest.fixture(scope="module")
def model():
    return find_model(ANIMAL_MATCH_MODEL)


@pytest.fixture(scope="module")
def animal():
    return sample_quadruped(np.random.default_rng(1_000_012))


def both_sides(one, other, model):
    """Source and target as they are matched, with the features of the model."""
    surfaces = [Surface(body.vertices, body.faces) for body in (one, other)]
    request = with_parts_of(MatchRequest(*surfaces, ANIMAL_MATCH_MODEL), model)
    repaired = repair(surfaces[0]), repair(surfaces[1])
    clock = Clock(SILENT)
    parts = both_bodies(request, repaired, (None, None), model.card.discretization, clock)
    engine, no_pins = choose_engine(), np.zeros(0, int)
    return [
        prepare_side(surfaces[i], repaired[i], no_pins, None, parts[i], model, engine, clock, name)
        for i, name in enumerate(("source", "target"))
    ]


def test_one_animal_in_two_poses_is_found_by_distances_beyond_its_features(animal, model):
    one, other = posed(animal, STANDING, 1500), posed(animal, STEPPING, 2200)
    source, target = both_sides(one, other, model)
    maps, way, _ = first_maps(source, target, model, None, Clock(SILENT))
    assert way == "features"
    refined = refined_where_alike(source, target, maps, Clock(SILENT))
    assert refined.way == "features"
    before, after = (error(animal, one, other, each[0]) for each in (maps, refined.maps))
    assert after < 0.85 * before


def test_features_that_take_an_animal_the_wrong_way_round_are_recognised(animal, model):
    one, other = posed(animal, STANDING, 1500), posed(animal, STEPPING, 2200)
    source, target = both_sides(one, other, model)
    matrices = truncated(target.matrices, model.card.discretization.k)
    frame = HALF_TURN @ target.of_body.frame
    turned = replace(target, features=vertex_features(model, matrices, choose_engine(), frame))
    maps = map_by_features(source.mesh, turned.mesh, source.features, turned.features)
    assert error(animal, one, other, maps[0]) > 0.1
    refined = refined_where_alike(source, turned, maps, Clock(SILENT))
    assert refined.way == "distances"
    assert error(animal, one, other, refined.maps[0]) < 0.02


def test_animals_of_unlike_shapes_keep_the_map_by_features(animal, model):
    one, other = posed(usual_animal(), STANDING, 1500), posed(animal, STEPPING, 2200)
    source, target = both_sides(one, other, model)
    maps, way, _ = first_maps(source, target, model, None, Clock(SILENT))
    assert way == "features"
    refined = refined_where_alike(source, target, maps, Clock(SILENT))
    assert refined.maps is maps
    assert refined.way == "features"
