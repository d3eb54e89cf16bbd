"""The truth that characters are measured by, and the shares."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("anny", reason="characters are dressed on it")
pytest.importorskip("bpy")

from benchmarks import characters
from benchmarks.character_files import Truth, read_truth, save_merged
from training.parts import PART_NAMES
from training.rig_parts import UNKNOWN
from training.shares import Shares

CHARACTERS = Path(__file__).parents[3] / "shared" / "characters"


def square(name, labels, x=0.0):
    vertices = np.array([[x, 0, 0], [x + 1, 0, 0], [x + 1, 1, 0], [x, 1, 0]])
    areas = np.full(4, 0.25)
    return Truth(name, vertices, vertices, [[0, 1, 2, 3]], np.array(labels), areas)


def test_shares_count_known_area_of_labelled_objects_alone():
    left, right = PART_NAMES.index("hand.L"), PART_NAMES.index("hand.R")
    found = [square("a", [0, 0, left, UNKNOWN]), square("b", [0, 0, 0, 0])]
    given = {"a": np.array([0, 1, right, 5])}
    shares = characters.share_right(found, given)
    assert (shares.right, shares.either_side) == pytest.approx((1 / 3, 2 / 3))
    assert characters.share_right(found, {}) == Shares(0.0, 0.0)


def test_merged_has_all_vertices_in_order(tmp_path):
    found = [square("a", [0] * 4), square("b", [1] * 4, x=3.0)]
    save_merged(found, tmp_path / "merged.blend")
    (merged,) = read_truth(tmp_path / "merged.blend")
    np.testing.assert_allclose(merged.vertices[:4], found[0].vertices)
    np.testing.assert_allclose(merged.vertices[4:], found[1].vertices)
    assert merged.polygons == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_the_table_has_a_line_for_each_kind_and_one_for_all():
    way = {"right": 0.5, "either": 0.75, "seconds": 2.0}
    better = way | {"right": 0.625, "seconds": 1.0}
    found = {"left out": 0.0, "imported": way, "merged": better}
    lines = characters.means_table(
        [("one object", found | {"imported": better}), ("several objects", found)]
    ).splitlines()
    assert len(lines) == 5
    cells = [cell.strip() for cell in lines[3].split("|")[1:-1]]
    assert cells == [
        *("several objects", "1", "50.0%", "62.5%", "-12.5", "75.0% / 75.0%", "0.0%", "2.00 x"),
    ]


def test_the_table_has_a_column_for_each_way_that_was_measured():
    way = {"right": 0.5, "either": 0.75, "seconds": 2.0}
    found = {"left out": 0.0, "imported": way, "merged": way}
    head, *_ = characters.means_table([("one object", found)]).splitlines()
    assert "before" not in head
    head, *_ = characters.means_table([("one object", found | {"before": way})]).splitlines()
    assert "before" in head


@pytest.mark.skipif(not CHARACTERS.is_dir(), reason="the folder of characters is not there")
@pytest.mark.parametrize("name", ["k_knight", "q_robot", "q_skeleton", "q_cowboy"])
def test_every_vertex_of_a_character_has_a_part(name):
    found = read_truth(CHARACTERS / f"{name}.glb")
    assert {PART_NAMES[label] for each in found for label in each.labels} >= {
        *("head", "torso", "upper_arm.L", "upper_arm.R", "thigh.L", "thigh.R"),
    }
    assert all((each.labels != UNKNOWN).all() for each in found)
