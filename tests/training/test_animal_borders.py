"""Parts of all animals meet at the same places, wherever a rigger let them begin."""

import numpy as np
import pytest

pytest.importorskip("bpy", reason="animals are read by it")

from training import animals  # noqa: E402
from training.animal_borders import with_even_borders  # noqa: E402
from training.parts import ANIMAL_PART_NAMES, LEGS, SIDES  # noqa: E402
from training.quadrupeds import sample_quadruped  # noqa: E402

TORSO, NECK, HEAD, TAIL = (
    ANIMAL_PART_NAMES.index(name) for name in ("torso", "neck", "head", "tail")
)


def begins(animal):
    """Where each link begins, by its name; the first of a chain by that of the chain."""
    return {
        link.removesuffix(".0"): animal.joints[number] for number, link in enumerate(animals.LINKS)
    }


def bordered(animal, labels):
    figure = animal.figure
    return with_even_borders(figure.vertices, figure.faces, labels, begins(animal))


@pytest.mark.parametrize("seed", range(6))
def test_borders_do_not_hang_on_where_a_rigger_let_parts_begin(seed):
    animal = sample_quadruped(np.random.default_rng(seed))
    labels = animal.figure.fine
    once = bordered(animal, labels)
    np.testing.assert_array_equal(bordered(animal, once), once)
    # One rigger lets the neck go, another has it reach to the middle of the trunk.
    points = animal.figure.vertices
    for neck in (np.zeros(len(points), bool), points[:, 1] < 0):
        other = labels.copy()
        either = np.isin(labels, [TORSO, NECK])
        other[either] = np.where(neck, NECK, TORSO)[either]
        np.testing.assert_array_equal(bordered(animal, other), once)
    # A third lets the hind legs go up to the back.
    other, hip = labels.copy(), begins(animal)["hind_upper_leg.L"]
    for side, sign in zip(SIDES, (1, -1), strict=True):
        higher = (points[:, 1] > 0.3) & (points[:, 2] > hip[2]) & (sign * points[:, 0] > 1e-6)
        other[higher & (labels == TORSO)] = ANIMAL_PART_NAMES.index(f"hind_upper_leg.{side}")
    assert (other != labels).any()
    np.testing.assert_array_equal(bordered(animal, other), once)
    # A fourth lets the tail begin above the hips.
    above = (points[:, 1] > hip[1]) & (points[:, 1] < hip[1] + 0.04)
    other = np.where((labels == TORSO) & above, TAIL, labels)
    assert (other != labels).any()
    np.testing.assert_array_equal(bordered(animal, other), once)


def test_a_tail_and_a_head_may_leave_no_trunk_above_the_legs():
    animal = sample_quadruped(np.random.default_rng(0))
    points, labels = animal.figure.vertices, animal.figure.fine.copy()
    labels[(labels == TORSO) & (points[:, 1] > 0.15)] = TAIL
    labels[(labels == TORSO) & (points[:, 1] < -0.15)] = HEAD
    after = bordered(animal, labels)
    # It begins behind the hips all the same.
    assert points[after == TAIL, 1].min() > begins(animal)["hind_upper_leg.L"][1]


@pytest.mark.parametrize("seed", range(6))
def test_only_trunk_neck_upper_legs_and_the_root_of_the_tail_change(seed):
    animal = sample_quadruped(np.random.default_rng(seed))
    before, after = animal.figure.fine, bordered(animal, animal.figure.fine)
    changed = before != after
    movable = [TORSO, NECK] + [
        ANIMAL_PART_NAMES.index(f"{leg}_upper_leg.{side}") for leg in LEGS for side in SIDES
    ]
    assert np.isin(before[changed], [*movable, TAIL]).all()
    assert np.isin(after[changed], movable).all()


@pytest.mark.skipif(not animals.FOLDER.is_dir(), reason="training.animal_files has not been run")
@pytest.mark.parametrize("name", animals.NAMES)
def test_a_neck_lies_between_trunk_and_head_and_legs_end_below_the_back(name):
    animal = animals.dense(name, (True,))
    points, labels, begin = animal.figure.vertices, animal.figure.fine, begins(animal)
    shoulders = np.mean([begin[f"front_upper_leg.{side}"] for side in SIDES], axis=0)
    along = (points - shoulders) @ (begin["head"] - shoulders)
    top = points[(labels == TORSO) & (points[:, 1] < 0), 2].max()
    # A frill stands up above the back, and reaches over the trunk.
    low = points[:, 2] < top
    assert along[low & (labels == NECK)].min() > along[labels == TORSO].max() - 1e-9
    assert np.median(along[labels == NECK]) < np.median(along[labels == HEAD])
    for leg in LEGS:
        for side in SIDES:
            upper = labels == ANIMAL_PART_NAMES.index(f"{leg}_upper_leg.{side}")
            hip = begin[f"{leg}_upper_leg.{side}"]
            near = (labels == TORSO) & (np.abs(points[:, 1] - hip[1]) < 0.2)
            assert points[upper, 2].max() < points[near, 2].max()


@pytest.mark.skipif(not animals.FOLDER.is_dir(), reason="training.animal_files has not been run")
def test_a_frill_is_no_trunk():
    figure = animals.load_animal("triceratops").figure
    points, labels = figure.vertices, figure.fine
    back = points[(np.abs(points[:, 1]) < 0.25), 2].max()
    frill = (points[:, 1] < -0.3) & (points[:, 2] > back)
    assert frill.any()
    assert np.isin(labels[frill], [NECK, HEAD]).all()
