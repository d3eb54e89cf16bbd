"""What ships: whole, complete, the same on both engines."""

import numpy as np
import pytest

from diffusionnet_blender.network.features import input_features
from diffusionnet_blender.surface.discretization import discretize
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.engines import choose_engine
from diffusionnet_blender.tasks.inference import class_probabilities
from diffusionnet_blender.tasks.models import BUNDLED, find_model, list_models
from tests.shapes import lumpy_body

NAMES = [card.name for card in list_models()]


def test_body_parts_is_bundled():
    assert "body_parts" in NAMES


@pytest.mark.skipif("body_parts_fine" not in NAMES, reason="the fine model is not there yet")
def test_both_models_of_body_parts_are_one_network_with_two_last_layers():
    """They are learned in one run, so that both see a mesh alike and share what the cache has."""
    coarse, fine = find_model("body_parts"), find_model("body_parts_fine")
    for fact in ("features", "discretization", "outer_skin", "training_data", "licence"):
        assert getattr(coarse.card, fact) == getattr(fine.card, fact)
    assert len(coarse.card.class_names) < len(fine.card.class_names)
    assert coarse.weights.keys() == fine.weights.keys()
    for name in coarse.weights:
        if not name.startswith("last."):
            np.testing.assert_array_equal(coarse.weights[name], fine.weights[name])


@pytest.mark.parametrize("name", NAMES)
def test_a_card_says_all_that_a_user_should_know(name):
    card = find_model(name).card
    for fact in (card.title, card.description, card.training_data, card.licence):
        assert fact
    assert all(0.0 < share <= 1.0 for share in card.accuracy.values())
    assert card.accuracy
    assert len({tuple(colour) for colour in card.class_colours}) == len(card.class_names)
    assert (BUNDLED / f"{name}.safetensors").stat().st_size < 4e6


@pytest.mark.parametrize("name", NAMES)
def test_both_engines_give_the_same_probabilities(name):
    pytest.importorskip("torch", reason="torch is optional")
    model = find_model(name)
    surface = Surface(*lumpy_body(4))
    shape = discretize(surface, model.card.discretization)
    features = input_features(shape, model.card.features)
    one, other = (
        class_probabilities(model, shape, features, choose_engine(engine, "cpu"))
        for engine in ("numpy", "torch")
    )
    np.testing.assert_allclose(one, other, atol=1e-4)
