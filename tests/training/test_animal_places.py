"""Animals of all species are known on one template."""

import numpy as np
import pytest

pytest.importorskip("anny")

from training import animals  # noqa: E402
from training.animal_places import (  # noqa: E402
    in_links_of,
    mirror,
    mirrored_places,
    places_of,
    template,
    with_worn,
)
from training.animal_variety import vary  # noqa: E402
from training.meshes import NOWHERE  # noqa: E402
from training.parts import ANIMAL_PART_NAMES, NO_PART, SIDES  # noqa: E402
from training.quadrupeds import sample_quadruped  # noqa: E402

pytestmark = pytest.mark.skipif(
    not animals.FOLDER.is_dir(), reason="training.animal_files has not been run"
)


def above_the_joints(animal, points):
    """Heights (V,) above the line from hips to shoulders, which not every animal holds level."""
    hips, shoulders = (
        np.mean(
            [animal.joints[animals.LINKS.index(f"{leg}_upper_leg.{side}")] for side in SIDES],
            axis=0,
        )
        for leg in ("hind", "front")
    )
    share = (points[:, 1] - hips[1]) / (shoulders[1] - hips[1])
    return points[:, 2] - hips[2] - share * (shoulders[2] - hips[2])


@pytest.mark.parametrize("name", ["wolf", "horse", "cow", "apatosaurus", "triceratops"])
def test_places_are_of_the_same_part_and_lie_alike_along_the_body(name):
    animal, known = animals.load_animal(name), template()
    place = places_of(animal)
    on = place != NOWHERE
    assert on.mean() > 0.95
    figure = animal.figure
    np.testing.assert_array_equal(known.figure.fine[place[on]], figure.fine[on])
    # From head to tail, and from the belly up, they come in the same order.
    torso = on & (figure.fine == ANIMAL_PART_NAMES.index("torso"))
    own, theirs = figure.vertices[torso], known.figure.vertices[place[torso]]
    assert np.corrcoef(own[:, 1], theirs[:, 1])[0, 1] > 0.98
    up = above_the_joints(animal, own), above_the_joints(known, theirs)
    assert np.corrcoef(*up)[0, 1] > 0.9
    for number, side in enumerate(SIDES):
        leg = on & (figure.fine == ANIMAL_PART_NAMES.index(f"hind_upper_leg.{side}"))
        assert (np.sign(known.figure.vertices[place[leg], 0]) == 1 - 2 * number).mean() > 0.9


def test_the_template_is_at_its_own_places():
    known = template()
    place = places_of(known)
    away = np.linalg.norm(known.figure.vertices[place] - known.figure.vertices, axis=1)
    assert np.quantile(away, 0.99) < 0.05
    np.testing.assert_allclose(in_links_of(known, known), known.figure.vertices, atol=1e-6)


def test_an_animal_in_any_pose_keeps_its_places_and_a_mirrored_one_has_them_on_the_other_side():
    animal = sample_quadruped(np.random.default_rng(3))
    rest = places_of(animal)
    seen = set()
    for seed in range(6):
        body = vary(animal, np.random.default_rng(seed))
        own = body.place[: len(rest)]
        if (own == rest).all():
            seen.add("as it was")
        else:
            np.testing.assert_array_equal(own, mirrored_places(rest))
            seen.add("mirrored")
    assert seen == {"as it was", "mirrored"}
    other = template().figure.vertices[mirror()] * [-1, 1, 1]
    assert np.abs(other - template().figure.vertices).max() < 0.05


@pytest.mark.parametrize("seed", range(3))
def test_of_a_centaur_all_but_its_arms_has_a_part_and_a_place(seed):
    animal = sample_quadruped(np.random.default_rng(seed), human=True)
    points, labels = animal.figure.vertices, animal.figure.fine
    arms = labels == NO_PART
    # On both sides of what is its neck by the links, and above the back.
    for sign in (1, -1):
        assert (np.sign(points[arms, 0]) == sign).any()
    assert points[arms, 2].min() > np.median(points[labels == ANIMAL_PART_NAMES.index("torso"), 2])
    np.testing.assert_array_equal(places_of(animal)[arms], NOWHERE)
    assert (places_of(animal)[~arms] != NOWHERE).mean() > 0.8


def test_what_is_worn_is_where_the_skin_beneath_it_is_or_nowhere():
    bare = np.array([[0.0, 0, 0], [1, 0, 0]])
    dressed = np.concatenate([bare, [[0.01, 0, 0], [1, 0.5, 0]]])
    place = with_worn(np.array([7, 9]), bare, dressed)
    np.testing.assert_array_equal(place, [7, 9, 7, NOWHERE])
