"""Rigged characters as figures to learn from."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy", reason="it reads the files of the characters")

from training import rigged, rigged_files
from training.bodies import NATURAL
from training.parts import FINE_NAMES, MIRRORED_LABEL, PART_NAMES, PART_OF_FINE, PART_OF_LABEL
from training.poses import Arm, Leg, Pose
from training.rig_parts import UNKNOWN, labels_of_bones, part_of_bone, segment_of_bone

CHARACTERS = Path(__file__).parents[3] / "shared" / "characters"
NAMES = [name for pack in rigged.PACKS.values() for name in pack]
with_files = pytest.mark.skipif(not CHARACTERS.is_dir(), reason="../shared/characters is missing")


@pytest.fixture(scope="module", autouse=True)
def _files(tmp_path_factory):
    """All characters read anew, not from what an earlier run has left."""
    before, rigged.FOLDER = rigged.FOLDER, tmp_path_factory.mktemp("rigged")
    rigged_files.FOLDER = rigged.FOLDER
    rigged.load_rigged.cache_clear()
    if CHARACTERS.is_dir():
        list(rigged_files.write_rigged(CHARACTERS))
    yield
    rigged.FOLDER = rigged_files.FOLDER = before
    rigged.load_rigged.cache_clear()


def named(labels):
    every = [*FINE_NAMES, *PART_NAMES]
    return [None if label == UNKNOWN else every[label] for label in labels]


def test_the_fine_part_of_a_bone_is_given_where_its_rig_has_bones_for_all():
    bones = ["Hips", "Abdomen", "Torso", "Shoulder.L", "Palm.L", "MiddleHand.L", "Fingers.L"]
    whole = [*bones, "Neck", "Head", "Foot.R", "PoleTarget.L"]
    labels = labels_of_bones("HumanArmature", whole)
    assert named(labels) == [
        *("pelvis", "abdomen", "chest", "shoulder.L", "palm.L", "hand.L", "fingers.L"),
        *("neck", "head", "foot.R", None),
    ]
    assert labels[9] >= len(FINE_NAMES)
    labels = labels_of_bones("SkeletonArmature", ["Hips", "Torso", "L.DownLeg.001"])
    assert named(labels) == ["torso", "torso", "forearm.L"]


@pytest.mark.parametrize(
    ("rig", "bone", "link"),
    [
        ("Rig", "upperarm.l", "upper_arm.L"),
        ("Rig", "wrist.l", "palm.L"),
        ("Rig", "handslot.r", "palm.R"),
        ("Rig", "toes.r", "toes.R"),
        ("Rig", "kneeIK.l", None),
        ("Human Armature", "LeftForeArm", "forearm.L"),
        ("Human Armature", "RightUpLeg", "thigh.R"),
        ("Human Armature", "LeftHandThumb1", "fingers.L"),
        ("Human Armature", "LeftHandThumb3", "fingers.L"),
        ("Human Armature", "LeftShoulder", "shoulder.L"),
        ("HumanArmature", "LowerLeg.R_end", "shin.R"),
        ("HumanArmature", "Foot.L", "foot.L"),
        ("HumanArmature", "Bone", None),
        ("HatArmature", "Bone", "head"),
        ("SkeletonArmature", "L.UpperLeg.001", "upper_arm.L"),
        ("SkeletonArmature", "R.UpperLeg.001", "upper_arm.R"),
        ("SkeletonArmature", "R.DownLeg", "shin.R"),
    ],
)
def test_links_and_parts_of_bones(rig, bone, link):
    segment, part = segment_of_bone(rig, bone), part_of_bone(rig, bone)
    if link is None:
        assert segment == part == UNKNOWN
    else:
        assert FINE_NAMES[segment] == link
        assert part == PART_OF_FINE[segment]


@with_files
def test_every_character_is_in_a_pack():
    assert sorted(NAMES) == sorted(path.stem for path in CHARACTERS.glob("*.glb"))


@with_files
@pytest.mark.parametrize("name", NAMES)
def test_a_character_at_rest(name):
    character = rigged.load_rigged(name)
    np.testing.assert_allclose(character.weights.sum(axis=1), 1)
    assert np.isfinite(character.vertices).all()
    places = character.vertices[~character.carried]
    assert np.ptp(places[:, 2]) == pytest.approx(1.7, abs=0.01)
    labels = PART_OF_LABEL[character.fine]
    for index, part in enumerate(PART_NAMES):
        x = character.vertices[labels == index, 0]
        if part.endswith((".L", ".R")) and len(x):
            # A skirt or a boot may reach a little over the middle.
            assert (x * (1 if part.endswith(".L") else -1) > -0.02).mean() > 0.98, part

    def height(stem):
        of_part = np.isin(labels, [i for i, p in enumerate(PART_NAMES) if p.startswith(stem)])
        return np.median(character.vertices[of_part, 2])

    assert height("head") > height("torso") > height("thigh") > height("shin")
    # Wound outward: the volume is positive.
    a, b, c = character.vertices[character.faces].transpose(1, 0, 2)
    assert (np.cross(a, b) * c).sum() > 0


@with_files
@pytest.mark.parametrize("name", [name for name in NAMES if name != "q_skeleton"])
def test_feet_point_to_the_front(name):
    character = rigged.load_rigged(name)
    for side in "LR":
        foot = rigged.link(f"foot.{side}")
        assert character.ends[foot, 1] < character.joints[foot, 1]


@with_files
@pytest.mark.parametrize("name", NAMES)
def test_a_t_pose_is_level_and_symmetric_whatever_the_rest_is(name):
    character = rigged.load_rigged(name)
    arm = Arm(90.0, elbow=0.0)
    moves = rigged.link_moves(character, Pose(arm, arm), NATURAL, NATURAL)
    wrists = []
    for side, sign in (("L", 1), ("R", -1)):
        upper, fore = (rigged.link(f"{part}.{side}") for part in ("upper_arm", "forearm"))
        shoulder, elbow, wrist = (
            moves[link, :, :3] @ place + moves[link, :, 3]
            for link, place in (
                (upper, character.joints[upper]),
                (fore, character.joints[fore]),
                (fore, character.ends[fore]),
            )
        )
        np.testing.assert_allclose([elbow[1:], wrist[1:]], [shoulder[1:]] * 2, atol=1e-9)
        assert sign * wrist[0] > sign * elbow[0] > sign * shoulder[0] > 0
        wrists.append(wrist * [sign, 1, 1])
    np.testing.assert_allclose(*wrists, atol=1e-9)


@with_files
def test_arms_of_symmetric_characters_stay_mirror_images():
    character = rigged.load_rigged("q_smooth_female_dress")
    arm = Arm(35.0, forward=20.0, twist=15.0, elbow=40.0, pronation=20.0, wrist=5.0, curl=30.0)
    body = rigged.pose_rigged(character, Pose(arm, arm), NATURAL, NATURAL)
    one, two = rigged.twins(character.vertices, ~character.carried, 0.004)
    assert len(np.unique([one, two])) > 0.99 * len(character.vertices)
    np.testing.assert_allclose(body.vertices[one], body.vertices[two] * [-1, 1, 1], atol=1e-9)
    off = one != two
    np.testing.assert_array_equal(body.fine[one[off]], MIRRORED_LABEL[body.fine[two[off]]])


@with_files
def test_elbows_fold_to_the_front_and_knees_to_the_back():
    character = rigged.load_rigged("q_male_suit")
    standing, bent = (
        rigged.pose_rigged(character, pose, NATURAL, NATURAL)
        for pose in (
            Pose(Arm(0.0, elbow=0.0), Arm(0.0, elbow=0.0)),
            Pose(Arm(0.0, elbow=90.0), Arm(0.0, elbow=0.0), left_leg=Leg(knee=60.0)),
        )
    )
    moved = bent.vertices - standing.vertices
    left, right = (PART_NAMES.index(f"hand.{side}") for side in "LR")
    assert moved[bent.labels == left, 1].max() < -0.1
    assert np.abs(moved[bent.labels == right]).max() < 1e-6
    assert moved[bent.labels == PART_NAMES.index("foot.L"), 1].min() > 0.1


@with_files
def test_the_same_chance_gives_the_same_figure():
    one, two = (rigged.sample_rigged(np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one.vertices, two.vertices)
    np.testing.assert_array_equal(one.fine, two.fine)


@with_files
@pytest.mark.parametrize("pack", list(rigged.PACKS))
def test_figures_of_every_pack_are_whole(pack):
    for seed in range(6):
        body = rigged.sample_rigged(np.random.default_rng(seed), (pack,))
        count = len(body.vertices)
        assert 300 < count < 25_000
        assert len(body.fine) == len(body.component) == count
        assert np.isfinite(body.vertices).all()
        np.testing.assert_array_equal(np.unique(body.faces), np.arange(count))
        assert len(np.unique(body.labels)) >= 10
        assert body.component.max() <= 9
        assert body.component.min() >= 0


@with_files
def test_a_mirror_image_is_a_body_like_any_other():
    body = rigged.sample_rigged(np.random.default_rng(1), ("alien",))
    turned = rigged.mirrored(body)
    left = PART_NAMES.index("upper_arm.L")
    assert set(np.flatnonzero(turned.labels == left)) == set(
        np.flatnonzero(body.labels == left + 1)
    )
    twice = rigged.mirrored(turned)
    np.testing.assert_array_equal(twice.vertices, body.vertices)
    np.testing.assert_array_equal(twice.component, body.component)


@with_files
def test_what_is_carried_is_hand_and_can_be_left_out():
    character = rigged.load_rigged("k_knight")
    assert character.carried.any()
    hands = {PART_NAMES.index("hand.L"), PART_NAMES.index("hand.R")}
    assert set(PART_OF_LABEL[character.fine[character.carried]]) == hands
    figures = [rigged._without(character, np.random.default_rng(seed)) for seed in range(30)]
    held = {tuple(np.unique(figure.member[figure.carried])) for figure in figures}
    # Nothing, all that the file has, and one thing in each hand.
    assert () in held
    assert tuple(np.unique(character.member[character.carried])) in held
    assert {len(things) for things in held} >= {0, 2}
    for figure in figures:
        assert len(np.unique(figure.faces)) == len(figure.vertices)
