"""Figures know their place on the template, dressed ones too, at no cost of chance."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("anny", reason="the synthetic figures need the training extras")

from training import (  # noqa: E402
    bodies,
    characters,
    clothing,
    dressed_figures,
    examples,
    figures,
    growths,
    landmarks,
    symmetry,
)
from training.meshes import CLOTHING, NOWHERE, SKIN  # noqa: E402
from training.parts import MIRRORED_LABEL, PART_NAMES, PART_OF_FINE  # noqa: E402
from training.places import mirrored_places, places_on  # noqa: E402
from training.remesh import KINDS, remesh  # noqa: E402

MAKEHUMAN = Path(__file__).parents[3] / "shared" / "makehuman"
TORSO = PART_NAMES.index("torso")


@pytest.fixture(scope="module")
def body():
    rest, _ = bodies.rest_shape({}, {})
    return bodies.rigged_body(rest)


def away_from_skin(body, figure, place):
    return np.linalg.norm(figure.vertices - body.vertices[place], axis=1)


def test_each_vertex_of_the_bare_body_is_its_own_place(body):
    place = places_on(body, body)
    skin = landmarks.landmarks().skin
    # Some vertices of the mouth lie on one another.
    assert away_from_skin(body, body, place)[skin].max() == 0
    assert (place[skin] == np.flatnonzero(skin)).mean() > 0.99


def test_a_shirt_lies_on_the_torso_where_it_is_torso(body):
    at = landmarks.landmarks()
    mask = at.skin & (at.height > 0.1) & (at.height < 0.9) & (at.leg < 0) & (at.upwards == 0)
    mask &= at.arm < 0.5
    shirt = clothing.tailor(body, mask, 0.03, 20, np.random.default_rng(0)).figure
    place = places_on(body, shirt)
    assert (place != NOWHERE).all()
    template = bodies.load_template()
    np.testing.assert_array_equal(template.fine[place], shirt.fine)
    assert TORSO in PART_OF_FINE[shirt.fine]
    assert away_from_skin(body, shirt, place).max() < 0.1


def test_a_skirt_is_a_place_of_the_thighs_to_its_hem_and_a_horn_of_nothing_at_its_tip(body):
    skirt = clothing.skirt(body, np.random.default_rng(0)).figure
    assert (places_on(body, skirt) != NOWHERE).mean() > 0.9
    hair = bodies.join(growths.long_hair(body, np.random.default_rng(3), 1.2, 0.15))
    place = places_on(body, hair)
    known = place != NOWHERE
    assert 0 < known.mean() < 1
    assert away_from_skin(body, hair, place)[known].max() < 0.06 * np.ptp(body.vertices[:, 2])


@pytest.mark.parametrize("kind", KINDS)
def test_places_follow_the_labels_through_every_remeshing(body, kind):
    figure = figures.sample_figure(np.random.default_rng(5), "clothed")
    made = remesh(figure, np.random.default_rng(1), kind, 2500)
    known = made.place != NOWHERE
    assert known.mean() > 0.5
    fine = bodies.load_template().fine
    np.testing.assert_array_equal(fine[made.place[known]], made.fine[known])


def test_the_two_halves_of_a_mirrored_figure_are_places_of_both_sides():
    pose = bodies.Pose(bodies.Arm(raised=90, elbow=0), bodies.Arm(raised=90, elbow=0))
    figure = figures.sample_figure(np.random.default_rng(5), "clothed", pose)
    made = symmetry.symmetric(figure, np.random.default_rng(0))
    known = made.place != NOWHERE
    fine = bodies.load_template().fine
    agree = fine[made.place[known]] == made.fine[known]
    assert agree.mean() > 0.98  # the template itself has borders that differ a little
    twice = mirrored_places(mirrored_places(made.place))
    assert (twice[~known] == NOWHERE).all()
    np.testing.assert_array_equal(MIRRORED_LABEL[MIRRORED_LABEL[made.fine]], made.fine)


DRAWS = {kind: partial(examples.draw_generated, kind=kind) for kind in examples.FIGURE_SHARES} | {
    "dressed": partial(examples.draw_dressed, makehuman=MAKEHUMAN)
}


@pytest.mark.parametrize("kind", DRAWS)
def test_places_change_nothing_of_a_figure(kind, monkeypatch):
    if kind == "dressed" and not MAKEHUMAN.is_dir():
        pytest.skip("the folder of MakeHuman's assets is not there")
    example = examples.sample_example(4, DRAWS[kind])
    for module in (figures, characters, dressed_figures):
        monkeypatch.setattr(module, "places_on", lambda body, figure: None)
    before = examples.sample_example(4, DRAWS[kind])
    np.testing.assert_array_equal(example.surface.vertices, before.surface.vertices)
    np.testing.assert_array_equal(example.surface.faces, before.surface.faces)
    np.testing.assert_array_equal(example.fine, before.fine)
    assert before.place is None
    if not len(example.surface.faces):
        return
    known = example.place != NOWHERE
    assert known.mean() > 0.5
    fine = bodies.load_template().fine
    assert (fine[example.place[known]] == example.fine[known]).mean() > 0.98


@pytest.mark.skipif(not MAKEHUMAN.is_dir(), reason="MakeHuman's assets are not there")
def test_what_people_modelled_lies_where_it_is_worn():
    figure = dressed_figures.sample_dressed(np.random.default_rng(2), MAKEHUMAN)
    cloth = (figure.component == CLOTHING) & (PART_OF_FINE[figure.fine] == TORSO)
    assert cloth.any()
    place = figure.place[cloth]
    known = place != NOWHERE
    assert known.mean() > 0.8
    template = bodies.load_template()
    assert (template.labels[place[known]] == TORSO).all()
    assert (template.component[place[known]] == SKIN).all()
