"""The figures that models are taught on: every kind, by seed, with labels in the right places."""

import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("anny", reason="the synthetic figures need the training extras")

from scipy.sparse import coo_matrix  # noqa: E402
from scipy.sparse.csgraph import connected_components  # noqa: E402
from scipy.spatial import cKDTree  # noqa: E402

from diffusionnet_blender.surface.repair import repair  # noqa: E402
from diffusionnet_blender.surface.surface import Surface  # noqa: E402
from diffusionnet_blender.surface.winding import vertex_normals  # noqa: E402
from diffusionnet_blender.tasks.sides import mirrored_classes  # noqa: E402
from training import (  # noqa: E402
    bodies,
    characters,
    clothing,
    damage,
    examples,
    figures,
    landmarks,
    poses,
    remesh,
    robes,
    stylise,
    symmetry,
)
from training.clouds import point_cloud  # noqa: E402
from training.parts import FINE_NAMES, MIRRORED_LABEL, PART_NAMES, PART_OF_FINE  # noqa: E402
from training.suites import SUITES  # noqa: E402

T_POSE = bodies.Pose(bodies.Arm(raised=90, elbow=0), bodies.Arm(raised=90, elbow=0))
HELD_OUT = bodies.FIRST_HELD_OUT_SEED


def middle(vertices, labels, name):
    return vertices[labels == PART_NAMES.index(name)].mean(axis=0)


def piece_count(body):
    repaired = repair(Surface(body.vertices, body.faces)).surface
    edges = repaired.faces[:, [0, 1, 1, 2]].reshape(-1, 2)
    count = len(repaired.vertices)
    graph = coo_matrix((np.ones(len(edges)), edges.T), shape=(count, count))
    return connected_components(graph, directed=False)[0]


def test_fine_parts_lie_within_coarse_ones_on_both_sides():
    assert len(FINE_NAMES) == 23
    for fine, coarse in zip(FINE_NAMES, PART_OF_FINE, strict=True):
        side = fine.partition(".")[2]
        assert PART_NAMES[coarse].endswith(side) or PART_NAMES[coarse] == "torso"
    coarse_mirror, fine_mirror = (
        np.array(mirrored_classes(PART_NAMES)),
        np.array(mirrored_classes(FINE_NAMES)),
    )
    np.testing.assert_array_equal(PART_OF_FINE[fine_mirror], coarse_mirror[PART_OF_FINE])
    template = bodies.load_template()
    np.testing.assert_array_equal(PART_OF_FINE[template.fine], template.labels)
    assert np.bincount(template.fine, minlength=23).min() > 20


@pytest.mark.parametrize("kind", figures.FIGURES)
@pytest.mark.parametrize("seed", [5, 6, 7])
def test_every_part_of_a_figure_is_where_it_belongs(kind, seed):
    body = figures.sample_figure(np.random.default_rng(seed), kind, pose=T_POSE)
    assert np.isfinite(body.vertices).all()
    assert set(np.unique(body.labels)) == set(range(14))
    assert body.faces.max() < len(body.vertices) == len(body.fine) == len(body.component)
    # In a T-pose along +z, facing -y, the left is +x and limbs run outward and down.
    for limb in (("upper_arm", "forearm", "hand"), ("thigh", "shin", "foot")):
        left, right = (
            np.array([middle(body.vertices, body.labels, f"{name}.{side}") for name in limb])
            for side in "LR"
        )
        assert (left[:, 0] > right[:, 0]).all()
        along = left[:, 0] if limb[0] == "upper_arm" else -left[:, 2]
        assert (np.diff(along) > 0).all()
    head, torso = (middle(body.vertices, body.labels, name) for name in ("head", "torso"))
    assert head[2] > torso[2] > middle(body.vertices, body.labels, "shin.L")[2]


def test_clothes_stand_off_the_skin_and_carry_its_labels():
    body = bodies.rigged_body(bodies.rest_shape({}, {})[0])
    at = landmarks.landmarks()
    shirt = (at.height > 0.2) & (at.height < 1) & (at.arm < 1) & (at.leg < 0)
    garment = clothing.tailor(body, shirt, 0.02, 10, np.random.default_rng(1))
    distance, nearest = cKDTree(body.vertices).query(garment.figure.vertices)
    assert 0.003 < np.median(distance) < 0.04
    names = {FINE_NAMES[number] for number in np.unique(garment.figure.fine)}
    assert {"chest", "abdomen", "upper_arm.L", "upper_arm.R"} <= names
    assert not {"head", "thigh.L", "palm.L", "shin.R"} & names
    same = PART_OF_FINE[garment.figure.fine] == PART_OF_FINE[body.fine[nearest]]
    assert same.mean() > 0.95
    # What is beneath is known to be hidden, the rims' surroundings are not.
    assert garment.covered.sum() > 0.5 * shirt.sum()
    assert not garment.covered[~shirt].any()


def test_skirts_reach_around_both_legs():
    body = bodies.rigged_body(bodies.rest_shape({}, {})[0])
    made = clothing.skirt(body, np.random.default_rng(3)).figure
    names = {FINE_NAMES[number] for number in np.unique(made.fine)}
    assert (
        {"thigh.L", "thigh.R"} <= names <= {n for n in FINE_NAMES if n[:4] not in ("palm", "head")}
    )
    np.testing.assert_allclose(np.asarray(made.weights.sum(axis=1)).ravel(), 1.0, atol=1e-6)


def test_what_is_cut_off_is_gone_and_what_is_loose_stays_loose():
    body = bodies.build_body({})
    whole = piece_count(body)
    kinds = set()
    for seed in range(12):
        left = damage.cut(body, np.random.default_rng(seed))
        lost = set(range(14)) - set(np.unique(left.labels))
        kinds.add(frozenset(lost))
        assert len(left.faces) < len(body.faces)
        assert len(np.unique(left.labels)) >= 4
        assert set(np.unique(left.faces)) == set(range(len(left.vertices)))
    assert len(kinds) > 3
    counts = [piece_count(damage.loosen(body, np.random.default_rng(s))) for s in range(6)]
    assert min(counts) >= whole
    assert max(counts) > whole + 2
    assert len(damage.holes(body, np.random.default_rng(0)).faces) < len(body.faces)


def test_a_cloud_has_outward_normals_and_the_labels_beneath():
    body = remesh.keep_skin(bodies.build_body({}))
    cloud = point_cloud(body, 2000, np.random.default_rng(0))
    distance, nearest = cKDTree(body.vertices).query(cloud.points)
    assert np.median(distance) < 0.02
    assert (PART_OF_FINE[cloud.fine] == body.labels[nearest]).mean() > 0.95
    torso = PART_OF_FINE[cloud.fine] == 1
    away = cloud.points[torso] - cloud.points[torso].mean(axis=0)
    assert (np.einsum("ij,ij->i", away[:, :2], cloud.normals[torso, :2]) > 0).mean() > 0.85


@pytest.mark.parametrize("seed", [0, 2, 3, pytest.param(195, marks=pytest.mark.slow), HELD_OUT])
def test_examples_are_the_same_for_the_same_seed(seed):
    first, again = examples.sample_example(seed), examples.sample_example(seed)
    np.testing.assert_array_equal(first.surface.vertices, again.surface.vertices)
    np.testing.assert_array_equal(first.surface.faces, again.surface.faces)
    np.testing.assert_array_equal(first.fine, again.fine)
    assert first.kind == again.kind
    assert examples.LEAST_VERTICES <= len(first.fine) == len(first.surface.vertices)
    assert np.ptp(first.surface.vertices, axis=0).max() < 6.0  # metres: nothing explodes
    assert first.areas.sum() > 0


@pytest.mark.parametrize("name", [name for name in SUITES if name != "dense"])
def test_every_suite_gives_labelled_surfaces(name):
    example = SUITES[name].make(HELD_OUT + 3)
    again = SUITES[name].make(HELD_OUT + 3)
    np.testing.assert_array_equal(example.surface.vertices, again.surface.vertices)
    assert np.isfinite(example.surface.vertices).all()
    assert len(np.unique(example.labels)) >= 4
    assert example.surface.is_point_cloud == (name == "point cloud")


def test_the_mirrored_suite_swaps_the_sides():
    example = SUITES["mirrored"].make(HELD_OUT)
    points, labels = example.surface.vertices, example.labels
    up = middle(points, labels, "head") - middle(points, labels, "torso")
    toes, feet = (
        points[np.isin(example.fine, [FINE_NAMES.index(f"{name}.{side}") for side in "LR"])]
        for name in ("toes", "foot")
    )
    front = toes.mean(axis=0) - feet.mean(axis=0)
    across = middle(points, labels, "upper_arm.L") - middle(points, labels, "upper_arm.R")
    assert np.cross(up, front) @ across > 0


@pytest.mark.parametrize("kind", characters.CHARACTERS)
@pytest.mark.parametrize("seed", [1, 2])
def test_characters_have_their_sides_where_they_stand(kind, seed):
    body = figures.sample_figure(np.random.default_rng(seed), kind, pose=T_POSE)
    again = figures.sample_figure(np.random.default_rng(seed), kind, pose=T_POSE)
    np.testing.assert_array_equal(body.vertices, again.vertices)
    assert np.isfinite(body.vertices).all()
    assert body.faces.max() < len(body.vertices) == len(body.fine) == len(body.component)
    names = np.array(PART_NAMES)[body.labels]
    for side, sign in (("L", 1), ("R", -1)):
        own = np.char.endswith(names, f".{side}")
        assert np.mean(sign * body.vertices[own, 0] > -0.02) > 0.97
        limb = [middle(body.vertices, body.labels, f"{n}.{side}") for n in ("upper_arm", "forearm")]
        assert abs(limb[1][0]) > abs(limb[0][0])


def test_a_symmetric_figure_is_the_same_on_both_sides():
    rng = np.random.default_rng(4)
    body = figures.sample_figure(rng, "clothed", pose=poses.sample_exact_pose(rng))
    made = symmetry.symmetric(remesh.decimate(body, 3000), rng)
    distance, twin = cKDTree(made.vertices).query(made.vertices * [-1, 1, 1], k=4)
    assert distance[:, 0].max() == 0
    # Of vertices in one place one has the label of the other side.
    swapped = MIRRORED_LABEL[made.fine]
    found = ((made.fine[twin] == swapped[:, None]) & (distance == 0)).any(axis=1)
    in_plane = made.vertices[:, 0] == 0
    assert in_plane.any()
    assert found[~in_plane].all()
    facing = vertex_normals(made.vertices, made.faces)
    assert abs(facing[~in_plane, 0].mean()) < 1e-6


@pytest.mark.parametrize("share", [0.25, 0.37, 0.5])
def test_a_head_is_made_to_measure(share):
    rest, heads = bodies.rest_shape({}, {})
    body = bodies.rigged_body(rest)
    proportions = stylise.sample_chibi(np.random.default_rng(3))
    proportions = characters.with_head_share(body, heads, proportions, share)
    standing = bodies.pose_figure(body, heads, bodies.Pose(), proportions)
    skin = standing.component == 0
    head = skin & (standing.fine == FINE_NAMES.index("head"))
    found = np.ptp(standing.vertices[head, 2]) / np.ptp(standing.vertices[skin, 2])
    assert abs(found - share) < 0.02


@pytest.mark.parametrize("length", [0.3, 1.0])
@pytest.mark.parametrize("opening", [0.0, 0.5])
def test_below_the_hips_a_skirt_belongs_to_the_thigh_on_its_side(length, opening):
    body = bodies.rigged_body(bodies.rest_shape({}, {})[0])
    made = robes.long_skirt(body, np.random.default_rng(2), length, opening).figure
    names = np.array(FINE_NAMES)[made.fine]
    thighs = np.char.startswith(names, "thigh")
    assert set(names[~thighs]) <= {"pelvis", "abdomen"}
    assert made.vertices[~thighs, 2].min() > made.vertices[thighs, 2].max() - 0.03
    left = names == "thigh.L"
    assert (made.vertices[left, 0] > -0.02).all()
    assert (made.vertices[names == "thigh.R", 0] < 0.02).all()


def test_wide_sleeves_are_forearm_from_the_elbow_to_the_hem():
    body = bodies.rigged_body(bodies.rest_shape({}, {})[0])
    for seed in range(4):
        for garment in robes.sleeves(body, np.random.default_rng(seed)):
            names = set(np.array(FINE_NAMES)[garment.figure.fine])
            assert {name.partition(".")[0] for name in names} == {"upper_arm", "forearm"}
            assert len({name[-1] for name in names}) == 1
            sign = 1 if "forearm.L" in names else -1
            assert (sign * garment.figure.vertices[:, 0] > 0).all()
            assert not garment.covered[landmarks.landmarks().arm > 2.1].any()


def test_busts_keep_their_heads_and_lose_their_feet():
    for seed in range(6):
        rng = np.random.default_rng(seed)
        body = figures.sample_figure(rng, "bare", poses.sample_raised_arms(rng))
        left = set(np.unique(damage.bust(body, rng).labels))
        assert {0, 1} <= left
        assert not left & {PART_NAMES.index("foot.L"), PART_NAMES.index("foot.R")}


@pytest.mark.slow
def test_a_figure_is_the_same_in_every_process():
    code = (
        "import hashlib, numpy; from training.figures import sample_figure;"
        "body = sample_figure(numpy.random.default_rng(0), 'mannequin');"
        "print(hashlib.sha256(body.vertices.tobytes()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()[-1]
        for seed in ("1", "2")
    }
    assert len(found) == 1
