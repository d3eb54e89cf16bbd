"""What a figure carries is no shape of it, and takes the part that it hangs on."""

import numpy as np
import pytest

from diffusionnet_blender.surface.character import Character
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.segment import segment
from diffusionnet_blender.tasks.segment.carried import (
    PROPS,
    body_of,
    carried_by,
    floating_members,
    with_carried,
    with_props,
)
from diffusionnet_blender.tasks.segment.request import Carried
from diffusionnet_blender.tasks.train.training_set import LabelledSurface
from tests.conftest import CLASSES
from tests.shapes import icosphere, lumpy_body


def ball(middle, radius):
    vertices, faces = icosphere(1)
    return Surface(vertices * radius + middle, faces)


def figure():
    return Surface(*lumpy_body(2))


def with_sword(distance=4.0):
    """A figure and a small thing beside it; the thing, carried by the highest vertex."""
    body, sword = figure(), ball((0, 0, distance), 0.1)
    character = Character([body, sword])
    own = np.flatnonzero(character.member == 1)
    carrier = np.array([int(body.vertices[:, 2].argmax())])
    return character, [Carried(own, carrier)]


def test_the_body_is_the_rest():
    character, carried = with_sword()
    surface, kept = body_of(character.surface, carried)
    np.testing.assert_array_equal(surface.vertices, figure().vertices)
    np.testing.assert_array_equal(surface.faces, figure().faces)
    np.testing.assert_array_equal(character.member[kept], 0)


@pytest.mark.parametrize(
    ("middle", "radius", "floats"),
    [
        ((0, 0, 3.0), 0.1, True),
        ((3, 0, 0), 0.1, True),
        # On the body, within it, and too large to be overlooked.
        ((0, 0, 2.2), 0.1, False),
        ((0, 0, 1.9), 0.05, False),
        ((0, 0, 4.0), 1.0, False),
    ],
)
def test_small_members_float_that_are_far_from_all_others(middle, radius, floats):
    character = Character([figure(), ball(middle, radius)])
    found = floating_members(character.surface, character.member)
    assert len(found) == floats
    for thing in found:
        np.testing.assert_array_equal(thing.vertices, np.flatnonzero(character.member == 1))
        (carrier,) = thing.carrier
        distances = np.linalg.norm(figure().vertices - middle, axis=1)
        # Nearest to one of its vertices, which lie up to the radius from the middle.
        assert distances[carrier] <= distances.min() + radius


def test_what_lies_on_the_middle_of_a_large_face_does_not_float():
    """Far from its corners, as a badge on the chest of a figure of few faces."""
    box = Surface(
        np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 2)], float),
        np.array([[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
                  [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]]),
    )  # fmt: skip
    character = Character([box, ball((-0.05, 0.4, 1.0), 0.05)])
    assert floating_members(character.surface, character.member) == []


def test_what_is_known_to_be_carried_does_not_float_as_well():
    character, carried = with_sword()
    assert carried_by(character.surface, character.member, carried) == carried
    (found,) = carried_by(character.surface, character.member, [])
    np.testing.assert_array_equal(found.vertices, carried[0].vertices)


@pytest.mark.parametrize("kind", ["points", "nothing else"])
def test_of_points_and_where_nothing_else_would_be_left_nothing_is_carried(kind):
    character, carried = with_sword()
    surface = character.surface
    if kind == "points":
        surface = Surface(surface.vertices)
    else:
        carried = [Carried(np.arange(len(surface.vertices)), np.array([0]))]
    assert carried_by(surface, character.member, carried) == []


def test_carried_things_take_the_mean_of_what_carries_them_by_area():
    character, carried = with_sword()
    carrier = np.arange(20)
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(3), len(character.member)).astype(np.float32)
    before = probabilities.copy()
    found = with_carried(character.surface, probabilities, [Carried(carried[0].vertices, carrier)])
    np.testing.assert_array_equal(probabilities, before)
    own = found[carried[0].vertices]
    np.testing.assert_allclose(own - own[0], 0)
    np.testing.assert_allclose(own.sum(1), 1, rtol=1e-5)
    assert (own[0] <= probabilities[carrier].max(0)).all()
    assert (own[0] >= probabilities[carrier].min(0)).all()
    rest = np.setdiff1d(np.arange(len(before)), carried[0].vertices)
    np.testing.assert_array_equal(found[rest], before[rest])
    apart = with_props(found, carried)
    assert apart.shape == (len(before), 4)
    np.testing.assert_array_equal(apart[rest, -1], 0)
    np.testing.assert_array_equal(apart[carried[0].vertices], [[0, 0, 0, 1]] * len(own))


def test_the_network_sees_the_figure_without_what_it_carries(tiny_model):
    character, carried = with_sword()
    alone = segment(figure(), str(tiny_model), engine="numpy")
    found = segment(character, str(tiny_model), engine="numpy", carried=tuple(carried))
    np.testing.assert_allclose(
        found.vertex_probabilities[character.member == 0], alone.vertex_probabilities, atol=1e-5
    )
    sword = found.vertex_probabilities[character.member == 1]
    (carrier,) = carried[0].carrier
    np.testing.assert_allclose(
        sword, np.broadcast_to(alone.vertex_probabilities[carrier], sword.shape), atol=1e-5
    )
    # It floats, too: without a rig it is found by its place.
    by_place = segment(character, str(tiny_model), engine="numpy")
    np.testing.assert_allclose(
        by_place.vertex_probabilities[character.member == 0],
        alone.vertex_probabilities,
        atol=1e-5,
    )
    apart = segment(character, str(tiny_model), engine="numpy", carried=tuple(carried), props=True)
    assert apart.class_names == (*CLASSES, PROPS)
    assert len(apart.class_colours) == len(apart.class_names)
    np.testing.assert_array_equal(apart.vertex_labels == len(CLASSES), character.member == 1)


def test_a_training_sees_what_a_segmentation_sees():
    character, carried = with_sword()
    labels = character.member + 5
    for known in (carried, ()):
        found = LabelledSurface.of("knight", character, labels, known)
        np.testing.assert_array_equal(found.surface.vertices, figure().vertices)
        np.testing.assert_array_equal(found.labels, np.full(len(figure().vertices), 5))
    # A class of the whole shape may depend on it.
    whole = LabelledSurface.of("knight", character, 1, carried)
    assert whole.surface is character.surface
