"""The pairs that matches between characters are measured on, and what is told of a map."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("anny", reason="characters are dressed on it")
pytest.importorskip("bpy")

from benchmarks import character_pairs, dressed_pairs
from benchmarks.character_pairs import FORMS, OURS, WAYS, Found
from benchmarks.character_sides import LINK_OF_JOINT, Side, file_side, merged_side
from diffusionnet_blender.matching.points import points_at_vertices
from diffusionnet_blender.surface.surface import Surface
from diffusionnet_blender.tasks.transfer.layers import Bones
from training import rigged
from training.left_out import OTHER_SIDE
from training.parts import PART_NAMES
from training.rig_parts import UNKNOWN
from training.rig_truth import MAIN_JOINTS
from training.shares import shares_of

SHARED = Path(__file__).parents[3] / "shared"
HANDS = [PART_NAMES.index(f"hand.{side}") for side in "LR"]


def test_pairs_are_of_two_packs_and_the_first_ones_stay():
    found = character_pairs.pairs_of_packs(None)
    pack_of = {name: pack for pack, names in rigged.PACKS.items() for name in names}
    sizes = [len(names) for names in rigged.PACKS.values()]
    assert len(set(found)) == len(found) == sum(sizes) ** 2 - sum(n * n for n in sizes)
    assert all(pack_of[one] != pack_of[other] for one, other in found)
    assert character_pairs.pairs_of_packs(7) == found[:7]


def test_what_is_found_in_no_part_is_wrong_on_both_sides():
    labels = np.array([UNKNOWN, HANDS[0], UNKNOWN])
    truth = np.array([PART_NAMES.index("foot.L"), HANDS[1], UNKNOWN])
    shares = shares_of(labels, truth, np.ones(3), PART_NAMES)
    assert (shares.right, shares.either_side) == (0.0, 0.5)
    assert OTHER_SIDE[labels].tolist() == [UNKNOWN, HANDS[1], UNKNOWN]


@pytest.fixture
def figure():
    """Two hands of four sides each, with the joints of a bone in either."""
    x, y, z = np.meshgrid([-1.0, 1.0], [-1.0, 1.0], np.linspace(0, 4, 9), indexing="ij")
    column = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    around = np.array([0, 2, 3, 1]) * 9
    quads = [
        [a + i, b + i, b + i + 1, a + i + 1]
        for a, b in zip(around, np.roll(around, -1), strict=True)
        for i in range(8)
    ]
    faces = np.array([[[a, b, c], [a, c, d]] for a, b, c, d in quads]).reshape(-1, 3)
    count = len(column)
    surface = Surface(
        np.concatenate([column + [3, 0, 0], column - [3, 0, 0]]),
        np.concatenate([faces, faces + count]),
    )
    influence = np.repeat(np.eye(2), count, axis=0)
    ends = np.array([[3.0, 0, 1], [-3.0, 0, 1]])
    bones = Bones(("L", "R"), ends, ends + [0, 0, 2], np.tile([0.0, -1, 0], (2, 1)), influence)
    joints = {f"wrist.{side}": np.array([i]) for i, side in enumerate("LR")}
    return Side("two hands", surface, np.repeat(HANDS, count), bones, joints)


def test_a_map_to_itself_is_right_and_one_across_is_turned(figure):
    count = len(figure.labels)
    vertices = np.arange(count)

    def told(of):
        points = points_at_vertices(of, figure.surface.faces)
        found = Found(points, np.full(count, 0.5), {}, "limbs", 1.0)
        return character_pairs.measured_character(figure, figure, found)

    itself = told(vertices)
    assert (itself["right"], itself["sides_swapped"], itself["way"]) == (1.0, False, "limbs")
    assert itself["confidence"] == pytest.approx(0.5)
    assert max(itself["joints"].values()) < 1e-6
    across = told(np.roll(vertices, count // 2))
    assert (across["right"], across["either_side"], across["sides_swapped"]) == (0.0, 1.0, True)
    lost = character_pairs.measured_character(
        figure, figure, Found(*character_pairs.nowhere(count), 1.0)
    )
    assert lost["right"] == 0.5
    assert np.isfinite(list(lost["joints"].values())).all()
    # From one column to the other, of the height of four.
    assert across["joints"]["wrist.L"] == pytest.approx(6 / 4, rel=1e-3)


def test_what_is_held_in_a_hand_is_no_place_to_go_to_and_counts_for_nothing(figure):
    count = len(figure.labels)
    held = replace(figure, labels=np.where(np.arange(count) < 9, UNKNOWN, figure.labels))
    points = points_at_vertices(np.arange(count), figure.surface.faces)
    found = Found(points, np.ones(count), {}, "limbs", 1.0)
    assert character_pairs.measured_character(figure, held, found)["right"] == 1.0
    of_source = character_pairs.measured_character(held, figure, found)
    lost = figure.areas[:9].sum() / figure.areas.sum()
    assert of_source["right"] == of_source["either_side"] == pytest.approx(1 - lost)


@pytest.mark.parametrize("name", ["k_knight", "q_goblin", "q_skeleton", "q_robot"])
def test_files_and_merged_ones_have_the_same_parts_and_joints(name, addon):
    path = SHARED / "characters" / f"{name}.glb"
    if not path.exists() or not (rigged.FOLDER / f"{name}.npz").exists():
        pytest.skip("the rigged characters are not here")
    sides = file_side(path), merged_side(name)
    shares, joints = [], []
    for side in sides:
        known = side.labels != UNKNOWN
        areas = np.bincount(side.labels[known], side.areas[known], len(PART_NAMES))
        shares.append(areas / areas.sum())
        places = side.joints(side.bones)
        assert set(places) <= set(LINK_OF_JOINT)
        ground = side.surface.vertices[known, 2].min()
        joints.append({key: (p[2] - ground) / side.height for key, p in places.items()})
        assert all(p[0] * (1 if key.endswith(".L") else -1) > 0 for key, p in places.items())
    np.testing.assert_allclose(*shares, atol=0.01)
    assert joints[0] == pytest.approx(joints[1], abs=0.01)
    assert (set(MAIN_JOINTS) <= set(joints[0])) == (name != "q_skeleton")


def test_a_body_lies_on_itself_beneath_its_clothes():
    if not (SHARED / "makehuman").exists():
        pytest.skip("MakeHuman's assets are not here")
    dressed, bare = (
        dressed_pairs.sampled(3, is_dressed, SHARED / "makehuman") for is_dressed in (True, False)
    )
    assert len(dressed.members) > 4
    np.testing.assert_array_equal(dressed.members[0].vertices, bare.surface.vertices)
    errors = dressed_pairs.Errors(dressed, bare)
    count = len(bare.surface.vertices)
    own = points_at_vertices(np.arange(count), dressed.surface.faces)
    assert errors(own).max() < 0.1
    assert max(errors.of_face(own), errors.of_hands(own)) < 1e-4
    elsewhere = points_at_vertices(np.random.default_rng(0).permutation(count), bare.surface.faces)
    assert errors(elsewhere).mean() > 20
    assert min(errors.of_face(elsewhere), errors.of_hands(elsewhere)) > 100


def test_tables_have_a_line_for_each_form_and_way():
    joints = dict.fromkeys(MAIN_JOINTS, 0.05)
    good = {"right": 0.9, "either_side": 0.95, "sides_swapped": False, "confidence": 0.8}
    good |= {"way": "limbs", "seconds": 3.0, "joints": joints}
    bad = good | {"right": 0.5, "sides_swapped": True, "joints": joints | {"knee.L": 0.2}}
    kept = {"merged": {"a > b": dict.fromkeys(WAYS, good), "c > d": dict.fromkeys(WAYS, bad)}}
    lines = character_pairs.reports(kept)["characters"].splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    ours = [row for row in cells if row and row[0] == f"{FORMS['merged']}, {WAYS[OURS]}"]
    assert ours == [
        [ours[0][0], "2", "70.0%", "95.0%", "0.80", "50.0%", "50.0%", "50.0% (c to d)", "3.0"],
        [ours[1][0], "2", "0.0%", "50.0%", "5.9%", "5.0%"],
    ]
    one = {"mean": 2.0, "face": 0.5, "astray": False, "confidence": 0.9, "way": "limbs"}
    one |= {"hands": 1.5, "seconds": 4.0}
    kept = {"bare to dressed, merged": {"0": dict.fromkeys(WAYS, one)}}
    found = character_pairs.reports(kept)
    assert list(found) == ["dressed"]
    row = "| bare to dressed, merged | 1 |"
    assert [line for line in found["dressed"].splitlines() if line.startswith(row)] == [
        f"{row} 2.00 | 2.00 | 2.00 | 2.00 | 0.0% | 0.90 | 4.0 |",
        f"{row} 0.50 | 0.50 | 0.50 | 1.50 | 1.50 | 1.50 |",
    ]
