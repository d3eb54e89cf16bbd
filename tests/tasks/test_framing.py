"""The frame of a figure: from its parts, and sides that are known at some of its vertices."""

from types import SimpleNamespace

import numpy as np
import pytest

from diffusionnet_blender import segment
from diffusionnet_blender.network.features import input_features, with_frame
from diffusionnet_blender.network.frameless import frameless
from diffusionnet_blender.surface.discretization import discretize
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.engines import choose_engine
from diffusionnet_blender.tasks.inference import class_probabilities
from diffusionnet_blender.tasks.models import find_model
from diffusionnet_blender.tasks.segment.framing import frame_of_parts
from diffusionnet_blender.tasks.sides import mirrored_classes, side_of
from tests.conftest import CLASSES
from tests.framed import FEATURES, body, framed_model
from tests.shapes import random_rotation
from training.animal_poses import pose_turns
from training.animals import LINKS, PARENTS
from training.bodies import chain_moves, skinned
from training.quadrupeds import sample_quadruped

SURFACE = Surface(*body())
PARTS = find_model("body_parts")
# Middles of the parts of a figure that stands upright and faces -y, its left at +x.
PLACES = {
    "head": (0.0, 0.0, 1.6), "torso": (0.0, 0.0, 1.2), "upper_arm": (0.3, 0.0, 1.4),
    "forearm": (0.5, 0.0, 1.3), "hand": (0.7, 0.0, 1.2), "thigh": (0.1, 0.0, 0.7),
    "shin": (0.1, 0.0, 0.4), "foot": (0.1, -0.1, 0.0),
}  # fmt: skip


def figure(rotation):
    """One place of each part, as a surface with its probabilities."""
    names = PARTS.card.class_names
    places = [np.array(PLACES[name.split(".")[0]]) * (side_of(name) or 1, 1, 1) for name in names]
    shape = SimpleNamespace(vertices=np.array(places) @ rotation.T, mass=np.ones(len(names)))
    return shape, np.eye(len(names))


@pytest.mark.parametrize("seed", range(4))
def test_parts_lie_in_the_frame_of_their_figure(seed):
    rotation = random_rotation(seed)
    found = frame_of_parts(*figure(rotation), PARTS)
    np.testing.assert_allclose(found @ found.T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(found @ rotation, np.eye(3), atol=0.1)
    assert np.linalg.det(found) > 0


def test_parts_in_one_place_or_without_limbs_have_no_frame():
    shape, probabilities = figure(np.eye(3))
    shape.vertices[:] = 1.0
    assert frame_of_parts(shape, probabilities, PARTS) is None
    assert frame_of_parts(*figure(np.eye(3)), find_model("body_layers")) is None


def test_positions_and_normals_in_a_frame_replace_zeros_and_turn_with_the_frame():
    shape = discretize(SURFACE, framed_model().card.discretization)
    plain = input_features(shape, FEATURES)
    upright, turned = (
        with_frame(plain, shape, FEATURES, frame) for frame in (np.eye(3), random_rotation(0))
    )
    assert not plain[:, -6:].any()
    np.testing.assert_array_equal(upright[:, :-6], plain[:, :-6])
    np.testing.assert_allclose(upright[:, -6:-3], shape.vertices, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(upright[:, -3:], axis=1), 1.0, atol=1e-5)
    for columns in (slice(-6, -3), slice(-3, None)):
        expected = upright[:, columns] @ random_rotation(0).T
        np.testing.assert_allclose(turned[:, columns], expected, atol=1e-5)


def test_without_a_frame_a_network_is_the_same_without_that_input():
    model = framed_model()
    shape = discretize(SURFACE, model.card.discretization)
    engine = choose_engine("numpy", "cpu")
    one, other = (
        class_probabilities(each, shape, input_features(shape, each.card.features), engine)
        for each in (model, frameless(model))
    )
    assert one.shape == (len(SURFACE.vertices), len(CLASSES))
    np.testing.assert_allclose(one, other, atol=1e-6)
    assert frameless(frameless(model)).card == frameless(model).card


@pytest.mark.parametrize("known_as", ["known", "sides"])
@pytest.mark.parametrize("wrong", [False, True], ids=["as found", "other side"])
def test_sides_of_some_vertices_are_those_of_all_others(known_as, wrong):
    model = framed_model()
    free = segment(SURFACE, model, engine="numpy", clean=False)
    mirror = np.array(mirrored_classes(CLASSES))
    side = np.array([side_of(name) for name in CLASSES])
    labels = mirror[free.vertex_labels] if wrong else free.vertex_labels
    # The surest ones with a side.
    sure = np.argsort(np.where(side[labels] != 0, free.confidence, 0.0))[-9:]
    if known_as == "known":
        given = np.zeros((len(labels), len(CLASSES)), np.float32)
        given[sure, labels[sure]] = 1.0
    else:
        given = np.zeros(len(labels), np.int8)
        given[sure] = side[labels[sure]]
    found = segment(SURFACE, model, engine="numpy", clean=False, **{known_as: given})
    others = np.delete(np.arange(len(labels)), sure)
    np.testing.assert_array_equal(found.vertex_labels[others], labels[others])
    assert found.side_confidence is None


# Of an animal that stands upright and faces -y, its left at +x.
ANIMAL_PLACES = {
    "head": (0.0, -0.9, 1.0), "neck": (0.0, -0.7, 0.9), "torso": (0.0, 0.0, 0.8),
    "tail": (0.0, 0.7, 0.8), "front_upper_leg": (0.2, -0.5, 0.6),
    "front_lower_leg": (0.2, -0.5, 0.3), "front_foot": (0.2, -0.55, 0.0),
    "hind_upper_leg": (0.2, 0.5, 0.6), "hind_lower_leg": (0.2, 0.55, 0.3),
    "hind_foot": (0.2, 0.5, 0.0),
}  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_an_animal_stands_on_its_front_legs_too(seed):
    model = find_model("animal_parts")
    rotation, names = random_rotation(seed), model.card.class_names
    places = [
        np.array(ANIMAL_PLACES[name.split(".")[0]]) * (side_of(name) or 1, 1, 1) for name in names
    ]
    shape = SimpleNamespace(vertices=np.array(places) @ rotation.T, mass=np.ones(len(names)))
    found = frame_of_parts(shape, np.eye(len(names)), model)
    np.testing.assert_allclose(found @ rotation, np.eye(3), atol=0.15)


@pytest.mark.parametrize("seed", [1_000_110, 1_000_315])
def test_an_animal_that_is_at_home_either_way_faces_as_files_do(seed):
    # Its parts without any frame lie the other way round, and that frame is accepted, too.
    rng = np.random.default_rng(seed)
    made = sample_quadruped(rng)
    as_long = np.tile(np.eye(3), (len(LINKS), 1, 1))
    moves = chain_moves(PARENTS, made.joints, pose_turns(rng, LINKS), as_long)
    vertices = skinned(made.figure.vertices, made.figure.weights, moves)
    found = segment(Surface(vertices, made.figure.faces), "animal_parts")
    assert found.frame[1, 1] > 0.5
    names = np.array([name.partition("_")[0] for name in found.class_names])
    given = names[found.vertex_labels]
    front, hind = (vertices[given == end, 1].mean() for end in ("front", "hind"))
    assert front < hind
