"""Four-legged animals as figures to learn from: parts by the place of bones, poses, mixtures."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy", reason="it reads the files of the animals")
pytest.importorskip("torch", reason="it trains")

from diffusionnet_blender.tasks.skeleton import Skeleton  # noqa: E402
from training import animal_files, animals  # noqa: E402
from training.animal_rigs import animal_rig  # noqa: E402
from training.animal_skins import thickness  # noqa: E402
from training.examples import at_rest, make_from  # noqa: E402
from training.parts import ANIMAL_PART_NAMES, ANIMALS, LEG_PARTS, LEGS, SIDES  # noqa: E402
from training.primitives import rounded_box  # noqa: E402
from training.quadrupeds import sample_quadruped  # noqa: E402
from training.symmetry import mirrored  # noqa: E402

FILES = Path(__file__).parents[3] / "shared" / "animals"
with_files = pytest.mark.skipif(not FILES.is_dir(), reason="../shared/animals is missing")
PAIRED = [f"{leg}_{part}" for leg in LEGS for part in LEG_PARTS]


@pytest.fixture(scope="module", autouse=True)
def _files(tmp_path_factory):
    """All animals read anew, not from what an earlier run has left."""
    before, animals.FOLDER = animals.FOLDER, tmp_path_factory.mktemp("animals")
    animal_files.FOLDER = animals.FOLDER
    animals.load_animal.cache_clear()
    animals.dense.cache_clear()
    if FILES.is_dir():
        list(animal_files.write_animals(FILES))
    yield
    animals.FOLDER = animal_files.FOLDER = before
    animals.load_animal.cache_clear()
    animals.dense.cache_clear()


def middles(example):
    """Centre of each part that an animal has, by its name."""
    points, labels = example.surface.vertices, example.labels
    return {
        name: points[labels == number].mean(axis=0)
        for number, name in enumerate(ANIMAL_PART_NAMES)
        if (labels == number).any()
    }


def is_in_order(found):
    """Feet are below lower legs, these below upper ones; front is ahead of hind, left is at +x."""
    for leg in LEGS:
        for side, sign in zip(SIDES, (1, -1), strict=True):
            upper, lower, foot = (found[f"{leg}_{part}.{side}"] for part in LEG_PARTS)
            assert upper[2] > lower[2] > foot[2]
            assert all(sign * place[0] > 0 for place in (upper, lower, foot))
    for side in SIDES:
        assert found[f"front_upper_leg.{side}"][1] < found[f"hind_upper_leg.{side}"][1]
    assert found["head"][1] < found["torso"][1]
    if "neck" in found:
        assert found["head"][1] < found["neck"][1] < found["torso"][1]


@with_files
@pytest.mark.parametrize("name", animals.NAMES)
def test_parts_of_an_animal_lie_where_they_should(name):
    example = at_rest(name)
    found = middles(example)
    is_in_order(found)
    missing = set(ANIMAL_PART_NAMES) - set(found)
    assert missing <= {"tail"}
    if "tail" in found:
        assert found["tail"][1] > found["torso"][1]
    areas = np.bincount(
        example.labels[example.labels >= 0],
        example.areas[example.labels >= 0],
        minlength=len(ANIMAL_PART_NAMES),
    )
    for stem in PAIRED:
        left, right = (areas[ANIMAL_PART_NAMES.index(f"{stem}.{side}")] for side in SIDES)
        assert left == pytest.approx(right, rel=0.3), stem


@with_files
def test_only_animals_without_bones_in_the_tail_may_lack_one():
    tailless = [name for name in animals.NAMES if "tail" not in middles(at_rest(name))]
    assert set(tailless) <= {"llama", "sheep"}


@with_files
@pytest.mark.parametrize("name", ["wolf", "zebra"])
@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_parts_do_not_hang_on_names_or_on_where_an_animal_faces(name, quarter):
    from training.rig_reading import read_meshes_with_bones

    found = read_meshes_with_bones(FILES / f"{name}.glb", lambda *_: 0)
    holds = np.isin(np.arange(len(found["bones"])), found["weights_indices"])
    angle = quarter * np.pi / 2
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    named, other = (
        animal_rig(Skeleton(names, found["parents"], heads, tails, holds), holds)
        for names, heads, tails in (
            (tuple(found["bones"]), found["heads"], found["tails"]),
            (
                tuple(map(str, range(len(holds)))),
                found["heads"] @ turn.T,
                found["tails"] @ turn.T,
            ),
        )
    )
    assert named.bones == other.bones
    np.testing.assert_allclose(other.forward, turn @ named.forward, atol=1e-9)


def test_a_skeleton_without_two_pairs_of_legs_is_refused():
    heads = np.array([[0, 0, 1.0], [0.2, 0, 0.9], [-0.2, 0, 0.9], [0, 0, 1.5]])
    biped = Skeleton(tuple("abcd"), np.array([-1, 0, 0, 0]), heads, heads - 0.3, np.ones(4, bool))
    with pytest.raises(ValueError, match="two legs"):
        animal_rig(biped, np.ones(4, bool))


@with_files
def test_the_same_seed_gives_the_same_animal_and_labels_are_whole():
    make = make_from("animals")
    for seed in range(4):
        first, again = make(seed), make(seed)
        np.testing.assert_array_equal(first.surface.vertices, again.surface.vertices)
        np.testing.assert_array_equal(first.fine, again.fine)
        assert first.anatomy is ANIMALS
        assert np.isfinite(first.surface.vertices).all()
        assert len(np.unique(first.labels)) >= 12


@with_files
def test_a_mirrored_animal_has_left_and_right_exchanged():
    name = "horse"
    figure = animals.load_animal(name).figure
    from training.meshes import Body

    body = Body(figure.vertices, figure.faces, figure.fine, figure.component, anatomy=ANIMALS)
    other = mirrored(body)
    left, right = (ANIMAL_PART_NAMES.index(f"hind_foot.{side}") for side in SIDES)
    np.testing.assert_array_equal(other.labels == left, body.labels == right)
    assert (other.vertices[other.labels == left][:, 0] > 0).all()


@pytest.mark.parametrize("seed", range(6))
def test_a_quadruped_of_no_species_has_every_part_where_it_should_be(seed):
    from training.examples import of_body
    from training.meshes import Body

    animal = sample_quadruped(np.random.default_rng(seed))
    figure = animal.figure
    body = Body(figure.vertices, figure.faces, figure.fine, figure.component, anatomy=ANIMALS)
    found = middles(of_body(body, "quadruped"))
    # A large head may hide a short neck.
    assert set(ANIMAL_PART_NAMES) - set(found) <= {"neck"}
    is_in_order(found)
    np.testing.assert_allclose(figure.weights.sum(axis=1), 1.0)


def test_the_thickness_of_a_box_is_that_of_its_sides():
    vertices, faces = rounded_box(np.array([4.0, 3.0, 0.5]), 0.05, 6)
    thick = thickness(vertices, faces)
    flat = (np.abs(vertices[:, 0]) < 1.5) & (np.abs(vertices[:, 1]) < 1.0)
    np.testing.assert_allclose(thick[flat], 0.5, atol=1e-4)


def test_things_have_no_parts_and_no_two_are_alike():
    make = make_from("things")
    found = [make(seed) for seed in range(8)]
    assert len({len(each.fine) for each in found}) > 4
    assert all((each.labels == 0).all() for each in found)
    assert all(np.isfinite(each.surface.vertices).all() for each in found)
