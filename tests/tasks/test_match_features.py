"""Features of a network at the vertices of a side of a match, in a frame and without."""

from dataclasses import replace

import numpy as np
import pytest

from diffusionnet_blender.network.architecture import Architecture
from diffusionnet_blender.network.card import ModelCard
from diffusionnet_blender.network.checkpoint import Model
from diffusionnet_blender.network.features import input_width
from diffusionnet_blender.network.votes import VOTES
from diffusionnet_blender.surface.discretization import discretize
from diffusionnet_blender.surface.settings import DiscretizationSettings
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.engines import choose_engine
from diffusionnet_blender.tasks.match.side import vertex_features
from diffusionnet_blender.tasks.segment.framing import HALF_TURN, UPRIGHT
from tests.network.test_forward import random_weights
from tests.shapes import lumpy_body

OUTPUTS = 8
ENGINE = choose_engine("numpy", "cpu")


def model(features):
    framed = "frame" in features
    network = Architecture(
        inputs=input_width(features), outputs=OUTPUTS + VOTES * framed, width=16, blocks=1
    )
    weights = {name: w.astype(np.float32) for name, w in random_weights(network).items()}
    settings = DiscretizationSettings(k=16)
    return Model(ModelCard("any", "Any", (), (), features, network, settings), weights)


@pytest.fixture(scope="module")
def shape():
    return discretize(Surface(*lumpy_body(2)), DiscretizationSettings(k=16))


@pytest.mark.parametrize(
    ("features", "frame", "columns"),
    [
        (("hks",), None, 2 * OUTPUTS),
        (("hks",), UPRIGHT, 2 * OUTPUTS),
        (("hks", "frame"), None, 2 * OUTPUTS),
        (("hks", "frame"), UPRIGHT, 2 * OUTPUTS),
    ],
)
def test_rows_have_unit_length_and_no_votes(shape, features, frame, columns):
    found = vertex_features(model(features), shape, ENGINE, frame)
    assert found.shape == (len(shape.vertices), columns)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_a_frame_turns_with_the_figure(shape):
    framed = model(("hks", "frame"))
    turned = replace(shape, vertices=(shape.vertices @ HALF_TURN.T).astype(np.float32))
    one = vertex_features(framed, shape, ENGINE, UPRIGHT)
    np.testing.assert_allclose(vertex_features(framed, turned, ENGINE, HALF_TURN), one, atol=1e-4)
    assert np.abs(vertex_features(framed, turned, ENGINE, UPRIGHT) - one).max() > 0.01


def test_a_figure_and_its_mirror_image_have_the_same_two_views_exchanged(shape):
    framed = model(("hks", "frame"))
    mirror = np.diag([-1.0, 1.0, 1.0]).astype(np.float32)
    # One tangent axis changes its sense, so that normals still point outward.
    image = replace(shape, vertices=shape.vertices @ mirror, gradient_y=-shape.gradient_y)
    one, other = (vertex_features(framed, each, ENGINE, UPRIGHT) for each in (shape, image))
    swapped = np.concatenate([other[:, OUTPUTS:], other[:, :OUTPUTS]], axis=1)
    np.testing.assert_allclose(swapped, one, atol=1e-4)
    assert np.abs(other - one).max() > 0.01
