"""Landmarks, bones and weights of rigs, on a mannequin of boxes whose joints are known."""

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from diffusionnet_blender.errors import DiffusionNetError, SurfaceError
from diffusionnet_blender.matching.limbs.parted import parted_mesh
from diffusionnet_blender.surface.surface import Surface, triangle_areas
from diffusionnet_blender.tasks.rig.bones import skeleton_of
from diffusionnet_blender.tasks.rig.eyes import eyeballs
from diffusionnet_blender.tasks.rig.job import STAGES, rig, run
from diffusionnet_blender.tasks.rig.judgement import doubts_of_joints, is_on_four_legs
from diffusionnet_blender.tasks.rig.kinds import HUMANOID, KINDS
from diffusionnet_blender.tasks.rig.landmarks import LAYOUT, landmarks_of
from diffusionnet_blender.tasks.rig.layout import missing_joints
from diffusionnet_blender.tasks.rig.request import RigRequest
from diffusionnet_blender.tasks.rig.weights import LIMIT, bone_weights
from tests.mannequin import FRAME, NAMES, NO_OFFSETS, PLACES, chain, mannequin
from tests.shapes import icosphere, joined, lumpy_body, random_rotation


def landmarks(vertices, faces, parts, frame=FRAME):
    mesh = parted_mesh(vertices, faces, parts, NAMES, frame)
    scale = np.sqrt(triangle_areas(vertices, faces).sum())
    found = landmarks_of(mesh, NO_OFFSETS)
    missing = missing_joints(mesh, LAYOUT)
    return {name: scale * place @ frame for name, place in found.items()}, missing


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_joints_are_found_at_the_borders_in_any_place_and_orientation(seed):
    vertices, faces, parts = mannequin()
    turn = np.eye(3) if seed is None else random_rotation(seed)
    found, missing = landmarks(3 * vertices @ turn.T + [1, 2, 3], faces, parts, turn.T)
    assert not missing
    for name in ("elbow", "wrist", "knee", "ankle"):
        for side in "LR":
            wanted = 3 * turn @ PLACES[f"{name}.{side}"] + [1, 2, 3]
            # A twenty-fifth of the height.
            assert np.linalg.norm(found[f"{name}.{side}"] - wanted) < 3 * 0.04 * 1.8, name


def test_a_straight_limb_is_bent_to_the_natural_side():
    found, _ = landmarks(*mannequin())
    for side in "LR":
        for ends, front in ((("hip", "knee", "ankle"), 1), (("shoulder", "elbow", "wrist"), -1)):
            first, middle, last = (found[f"{name}.{side}"] for name in ends)
            line = (last - first) / np.linalg.norm(last - first)
            away = middle - first - ((middle - first) @ line) * line
            # -y is the front.
            assert -front * away[1] > 0.019 * np.linalg.norm(last - first)


def test_a_figure_without_an_arm_gets_the_other_one_and_is_told():
    vertices, faces, parts = mannequin(without={"upper_arm.R"})
    found, missing = landmarks(vertices, faces, parts)
    assert "elbow.L" in found
    assert "elbow.R" not in found
    assert {"elbow.R", "wrist.R"} <= missing
    doubts = doubts_of_joints(found, np.array([0, 0, 1.0]), 1.8, 0.9, 1.0)
    assert doubts == ("right arm",)
    skeleton = skeleton_of(found, FRAME, "plain")
    assert "upper_arm.L" in skeleton.names
    assert "upper_arm.R" not in skeleton.names


def test_doubts_name_what_is_odd():
    up = np.array([0, 0, 1.0])
    assert doubts_of_joints(PLACES, up, 1.8, 0.9, 1.0) == ()
    odd = PLACES | {"knee.L": np.array([0.1, 0, 0.8])}
    assert "left leg" in doubts_of_joints(odd, up, 1.8, 0.9, 1.0)
    assert doubts_of_joints(PLACES, up, 1.8, 0.9, 0.6) == ("left and right",)
    assert doubts_of_joints(PLACES, up, 1.8, 0.3, None) == ("body parts",)
    assert "posture" in doubts_of_joints(PLACES, -up, 1.8, 0.9, 1.0)


def test_limbs_that_all_point_to_the_front_are_those_of_an_animal_unless_parts_are_sure():
    assert not is_on_four_legs(PLACES, FRAME, 0.6)
    crawling = dict(PLACES)
    for side in "LR":
        crawling[f"wrist.{side}"] = PLACES[f"shoulder.{side}"] + [0, -0.6, 0]
        crawling[f"ankle.{side}"] = PLACES[f"hip.{side}"] + [0, -0.6, -0.1]
    assert is_on_four_legs(crawling, FRAME, 0.6)
    assert not is_on_four_legs(crawling, FRAME, 0.8)
    without = {name: place for name, place in crawling.items() if "wrist" not in name}
    assert not is_on_four_legs(without, FRAME, 0.6)


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if not kind.four_legs])
def test_every_kind_has_its_bones_in_one_tree_between_the_joints(kind):
    skeleton = skeleton_of(PLACES, FRAME, kind)
    assert len(set(skeleton.names)) == len(skeleton.names)
    assert (skeleton.parents < 0).sum() == 1
    assert (skeleton.parents < np.arange(len(skeleton.names))).all()
    ends = dict(zip(skeleton.roles, zip(skeleton.heads, skeleton.tails, strict=True), strict=True))
    for role, head, tail in (
        ("upper_arm.L", "shoulder.L", "elbow.L"),
        ("forearm.R", "elbow.R", "wrist.R"),
        ("shin.L", "knee.L", "ankle.L"),
        ("foot.R", "ankle.R", "ball.R"),
    ):
        np.testing.assert_allclose(ends[role], [PLACES[head], PLACES[tail]], atol=1e-9)
    # The axis of a bone's turn is across it.
    way = skeleton.tails - skeleton.heads
    np.testing.assert_allclose(np.einsum("bi,bi->b", way, skeleton.z), 0, atol=1e-12)
    names = KINDS[kind].names
    assert set(names) <= {spec.name for spec in HUMANOID}
    assert len(set(names.values())) == len(names)


@pytest.mark.parametrize("role", ["forearm", "shin", "thigh"])
def test_a_positive_turn_about_x_bends_the_natural_way(role):
    skeleton = skeleton_of(PLACES, FRAME, "plain")
    for side, number in ((s, skeleton.roles.index(f"{role}.{s}")) for s in "LR"):
        # A turn about x takes y to z, so that the tip goes to z.
        front = -skeleton.z[number][1]
        assert (front > 0.9) == (role == "forearm"), side


def test_a_limb_that_is_bent_aside_a_little_bends_to_the_front_all_the_same():
    places = PLACES | {"elbow.R": PLACES["elbow.R"] + [0, -0.01, 0.03]}
    skeleton = skeleton_of(places, FRAME, "rigify")
    number = skeleton.roles.index("forearm.R")
    upper, elbow, wrist = (
        skeleton.heads[skeleton.roles.index("upper_arm.R")],
        skeleton.heads[number],
        skeleton.tails[number],
    )
    bend = (elbow - upper) / np.linalg.norm(elbow - upper)
    bend -= (wrist - elbow) / np.linalg.norm(wrist - elbow)
    # The hand goes where the limb closes: away from where the elbow points.
    assert bend[1] >= abs(bend[2]) - 1e-9 > 0


def test_groups_of_bones_are_left_out_on_request():
    fingers = {f"index{n}.L": np.array([0.8 + 0.03 * n, 0, 1.42]) for n in (1, 2, 3, 4)}
    places = PLACES | fingers
    assert "index.01.L" in skeleton_of(places, FRAME, "plain").names
    without = skeleton_of(places, FRAME, "plain", fingers=False, toes=False)
    assert not {"index.01.L", "toe.L"} & set(without.names)


def test_weights_follow_parts_and_turn_over_at_joints_within_a_part():
    vertices, _, parts = mannequin()
    skeleton = skeleton_of(PLACES, FRAME, "mixamo")
    own = {spec.name: spec.parts for spec in HUMANOID}
    weights = bone_weights(
        vertices, parts, NAMES, [own[r] for r in skeleton.roles], skeleton.heads, skeleton.tails
    )
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert (weights >= 0).all()
    assert ((weights > 0).sum(axis=1) <= LIMIT).all()
    in_forearm = parts[:, NAMES.index("forearm.L")] == 1
    assert (weights[in_forearm, skeleton.roles.index("forearm.L")] == 1).all()
    in_abdomen = parts[:, NAMES.index("abdomen")] == 1
    low, high = (weights[in_abdomen, skeleton.roles.index(r)] for r in ("spine", "spine1"))
    height = vertices[in_abdomen, 2]
    assert low[height < 1.07].min() > 0.6
    assert high[height > 1.18].min() > 0.6
    assert np.corrcoef(height, high)[0, 1] > 0.8


def test_a_stiff_piece_is_on_one_bone():
    vertices, _, parts = mannequin()
    skeleton = skeleton_of(PLACES, FRAME, "plain")
    own = {spec.name: spec.parts for spec in HUMANOID}
    stiff = np.full(len(vertices), -1)
    around_elbow = np.linalg.norm(vertices - PLACES["elbow.L"], axis=1) < 0.08
    stiff[around_elbow] = 0
    weights = bone_weights(
        vertices,
        parts,
        NAMES,
        [own[r] for r in skeleton.roles],
        skeleton.heads,
        skeleton.tails,
        stiff,
    )
    assert len(np.unique(weights[around_elbow], axis=0)) == 1
    assert weights[around_elbow].max() == 1


def test_what_is_no_figure_is_refused_with_a_remedy():
    vertices, faces, _ = mannequin()
    with pytest.raises(SurfaceError, match="point cloud"):
        run(RigRequest(Surface(vertices, np.zeros((0, 3), int))))
    ball, triangles, _ = chain(np.array([[0, 0, 0.0], [0, 0, 1.0]]), [0.5])
    with pytest.raises(SurfaceError, match="(?s)body|trunk"):
        run(RigRequest(Surface(ball, triangles), engine="numpy"))


def test_shares_of_the_stages_add_up_to_one():
    assert sum(STAGES.values()) == pytest.approx(1.0)


def eyes_at(*places, radius=0.03):
    """Balls with an iris in each, a pupil-sized bead apart, and the number of each loose piece."""
    ball, faces = icosphere(2)
    pieces = [(size * radius * ball + place, faces) for place in places for size in (1.0, 0.6)] + [
        (0.1 * radius * ball + [0.0, 0.0, 1.0], faces)
    ]
    vertices, _ = joined(*pieces)
    return vertices, np.repeat(np.arange(len(pieces)), len(ball))


def test_eyes_are_the_balls_where_eyes_are():
    left, right = np.array([0.06, -0.2, 1.62]), np.array([-0.06, -0.2, 1.62])
    vertices, piece = eyes_at(left, right)
    usual = {"eye.L": left + [0.02, 0.03, -0.04], "eye.R": right + [-0.02, 0.03, -0.04]}
    found = eyeballs(vertices, piece, usual, 1.8)
    for name, place, own in (("eye.L", left, (0, 1)), ("eye.R", right, (2, 3))):
        np.testing.assert_allclose(found[name].centre, place, atol=1e-9)
        assert found[name].radius == pytest.approx(0.03, rel=0.01)
        # With its iris, and without the bead.
        np.testing.assert_array_equal(found[name].vertices, np.flatnonzero(np.isin(piece, own)))
    far = {name: place + [0.0, 0.0, 0.3] for name, place in usual.items()}
    assert eyeballs(vertices, piece, far, 1.8) == {}
    flat = vertices * [1.0, 0.2, 1.0]
    assert eyeballs(flat, piece, {n: p * [1, 0.2, 1] for n, p in usual.items()}, 1.8) == {}
    # A cyclops has no pair of eyes that turn.
    vertices, piece = eyes_at((left + right) / 2)
    assert eyeballs(vertices, piece, usual, 1.8) == {}


WRONG_MEMBERS = {
    "too few": np.zeros(3, int),
    "two columns": np.zeros((162, 2), int),
    "no numbers": np.full(162, np.nan),
    "fractions": np.full(162, 0.5),
    "negative": np.full(162, -1),
    "a list": [0] * 162,
}


@pytest.mark.parametrize("member", WRONG_MEMBERS.values(), ids=WRONG_MEMBERS)
def test_members_that_do_not_fit_are_refused(member):
    with pytest.raises(SurfaceError, match="members") as caught:
        rig(Surface(*lumpy_body(2)), member=member)
    assert caught.value.fix


@pytest.mark.parametrize("kind", ["dog", "", None])
def test_an_unknown_kind_is_refused_before_any_work(kind):
    stages = []
    with pytest.raises(DiffusionNetError, match="no kind of skeleton") as caught:
        rig(Surface(*lumpy_body(2)), kind, progress=lambda stage, _: stages.append(stage))
    assert "rigify" in caught.value.fix
    assert not stages


@pytest.mark.parametrize("shape", [None, np.zeros((4, 3)), ("vertices", "faces")])
def test_what_is_no_shape_is_refused(shape):
    with pytest.raises(SurfaceError, match="is no shape") as caught:
        rig(shape)
    assert caught.value.fix


def ball_of_points():
    points = np.random.default_rng(0).normal(size=(200, 3))
    corners, faces = np.unique(ConvexHull(points).simplices, return_inverse=True)
    return points[corners], faces.reshape(-1, 3)


@pytest.mark.parametrize(
    "mesh",
    [
        (np.eye(3)[[2, 0, 1]] - [0, 0, 1], [[0, 1, 2]]),
        ([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], [[0, 1, 2], [1, 3, 2]]),
        icosphere(0),
        ball_of_points(),
    ],
    ids=["a triangle", "two triangles", "an icosahedron", "a hull"],
)
def test_what_has_no_limbs_gets_no_skeleton(mesh):
    with pytest.raises(SurfaceError, match="No body with arms or legs"):
        rig(Surface(*map(np.asarray, mesh)))
