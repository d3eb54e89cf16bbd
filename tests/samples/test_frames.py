"""The bundled model on a figure that stands, faces aside, lies or is mirrored."""

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from diffusionnet_blender import segment
from diffusionnet_blender.scene.files import open_file
from diffusionnet_blender.scene.read import read_object
from diffusionnet_blender.surface.surface import Surface, vertex_areas
from diffusionnet_blender.tasks.models import find_model
from diffusionnet_blender.tasks.sides import mirrored_classes, side_of

SAMPLES = Path(__file__).parents[2] / "samples"
TURNS = {
    "turned by a quarter": ("z", 90.0),
    "turned about": ("z", 180.0),
    "face down": ("x", 90.0),
    # On its back in Blender's axes.
    "with y up": ("x", -90.0),
    "on its side": ("y", 90.0),
    "upside down": ("y", 180.0),
}
# Of the area that has the same parts; borders move a little.
ALIKE = 0.95
# Of sides; votes are taught to leave a twentieth open.
SURE = 0.95


@pytest.fixture(scope="module")
def model():
    return find_model("body_parts")


@pytest.fixture(scope="module")
def ada():
    """A posed character in Blender's axes."""
    return read_object(open_file(SAMPLES / "ada.glb")[0]).surface


@pytest.fixture(scope="module")
def upright(model, ada):
    return segment(ada, model)


def share_alike(surface, one, other):
    return np.average(one == other, weights=vertex_areas(surface.vertices, surface.faces))


def test_who_stands_upright_has_sides_that_the_model_is_sure_of(model, ada, upright):
    assert upright.side_confidence > SURE
    # Those of Blender's axes: left at +x.
    side = np.array([side_of(name) for name in model.card.class_names])[upright.vertex_labels]
    x = ada.vertices[:, 0] - ada.vertices[:, 0].mean()
    assert x[side == 1].mean() > 0 > x[side == -1].mean()


@pytest.mark.parametrize("turn", TURNS)
def test_parts_are_the_same_however_a_figure_is_turned(model, ada, upright, turn):
    axis, degrees = TURNS[turn]
    rotation = Rotation.from_euler(axis, degrees, degrees=True)
    found = segment(Surface(rotation.apply(ada.vertices), ada.faces), model)
    assert share_alike(ada, found.vertex_labels, upright.vertex_labels) > ALIKE
    assert found.side_confidence > SURE


def test_a_mirror_exchanges_sides(model, ada, upright):
    other_side = np.array(mirrored_classes(model.card.class_names))
    image = Surface(ada.vertices * [-1, 1, 1], ada.faces[:, ::-1])
    found = segment(image, model)
    assert share_alike(ada, found.vertex_labels, other_side[upright.vertex_labels]) > ALIKE


def test_bones_of_some_parts_decide_on_the_sides_of_all_others(model, ada, upright):
    """One hand that is known as the other one: the whole figure changes sides."""
    names = model.card.class_names
    known = np.zeros((len(ada.vertices), len(names)), np.float32)
    hand = upright.vertex_labels == names.index("hand.L")
    known[hand, names.index("hand.R")] = 1.0
    found = segment(ada, model, known=known)
    other_side = np.array(mirrored_classes(names))
    assert share_alike(ada, found.vertex_labels, other_side[upright.vertex_labels]) > ALIKE
    assert found.side_confidence is None
