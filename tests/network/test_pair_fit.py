"""A network is fitted to one pair of shapes."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fitting needs torch")

from diffusionnet_blender.network.architecture import Architecture  # noqa: E402
from diffusionnet_blender.network.card import ModelCard  # noqa: E402
from diffusionnet_blender.network.checkpoint import Model  # noqa: E402
from diffusionnet_blender.network.module import fresh_weights  # noqa: E402
from diffusionnet_blender.network.pair_fit import SETTINGS, PairFit, Teacher  # noqa: E402
from diffusionnet_blender.network.torch_engine import TorchEngine  # noqa: E402
from diffusionnet_blender.network.votes import VOTES  # noqa: E402
from diffusionnet_blender.surface.discretization import discretize  # noqa: E402
from diffusionnet_blender.surface.settings import DiscretizationSettings  # noqa: E402
from diffusionnet_blender.surface.surface import triangle_areas  # noqa: E402
from tests.matching.pairs import lumpy_surface  # noqa: E402


@pytest.fixture(scope="module")
def pair():
    return lumpy_surface(3), lumpy_surface(3, seed=6)


@pytest.fixture
def start():
    """A small network that has learned nothing yet."""
    torch.manual_seed(0)
    architecture = Architecture(inputs=32, outputs=32, width=32, blocks=3, dropout=0.1)
    card = ModelCard("start", "Start", (), (), ("hks", "wks"), architecture,
                     discretization=DiscretizationSettings(k=32))  # fmt: skip
    return Model(card, fresh_weights(architecture))


def fitted(start, pair, steps, learning_rate=1e-3):
    matrices = [discretize(surface, start.card.discretization) for surface, _ in pair]
    settings = replace(SETTINGS, steps=steps, learning_rate=learning_rate)
    fit = PairFit(start, matrices, [unit(s) for s, _ in pair], TorchEngine("cpu"), settings)
    fit.follow(teachers(pair))
    losses = [fit.learn() for _ in range(steps)]
    return [fit.features_of(found) for found in matrices], losses


def unit(surface):
    return surface.vertices / np.sqrt(triangle_areas(surface.vertices, surface.faces).sum())


def teachers(pair):
    """The true map, vertex to vertex."""
    return tuple(
        Teacher(unit(other)[(own @ partners.T).argmax(axis=1)], np.ones(len(own)))
        for (_, own), (other, partners) in (pair, pair[::-1])
    )


def margin(features, pair):
    """By how much true partners are more alike than vertices are in the mean."""
    similar = features[1] @ features[0].T
    partner = (pair[1][1] @ pair[0][1].T).argmax(axis=1)
    return similar[np.arange(len(partner)), partner].mean() - similar.mean()


def test_what_is_taught_is_in_the_features(pair, start):
    before, _ = fitted(start, pair, 0)
    after, losses = fitted(start, pair, 40, 5e-3)
    assert losses[-1] < 0.9 * losses[0]
    assert margin(before, pair) < 0.1
    assert margin(after, pair) > 0.2


def test_a_fit_is_the_same_again_and_leaves_the_weights_that_it_starts_from_alone(pair, start):
    before = {name: weight.copy() for name, weight in start.weights.items()}
    first, _ = fitted(start, pair, 3)
    for name, weight in start.weights.items():
        np.testing.assert_array_equal(weight, before[name])
    second, _ = fitted(start, pair, 3)
    np.testing.assert_allclose(first[0], second[0], atol=1e-6)


def test_a_network_with_frames_is_fitted_without(pair, start):
    architecture = replace(start.card.architecture, inputs=32 + 6, outputs=32 + VOTES)
    card = replace(start.card, features=("hks", "wks", "frame"), architecture=architecture)
    (first, _), _ = fitted(Model(card, fresh_weights(architecture)), pair, 1)
    assert first.shape[1] == 32
