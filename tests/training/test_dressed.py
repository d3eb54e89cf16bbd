"""Pieces of MakeHuman on bodies, and the characters of several objects that they make."""

from pathlib import Path

import numpy as np
import pytest

from training.makehuman import read_piece

MAKEHUMAN = Path(__file__).parents[3] / "shared" / "makehuman"
BINDING = """\
# a comment
name patch
obj_file  patch.obj
x_scale 0 1 2.0
y_scale 0 2 1.0
z_scale 0 3 1.0
verts 0
material patch.mhmat
 0
0 1 2 0.5 0.25 0.25 1.0 0.5 0.25
1 2 3 1.2 -0.1 -0.1 0.0 0.0 0.0

delete_verts
3 5 - 7 9
11
"""
PATCH = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1/1 2/2 3/3\n"
BASE = np.array([[0.0, 0, 0], [4, 0, 0], [0, 2, 0], [0, 0, 3]])


@pytest.fixture
def piece(tmp_path):
    (tmp_path / "patch.mhclo").write_text(BINDING)
    (tmp_path / "patch.obj").write_text(PATCH)
    return read_piece(tmp_path / "patch.mhclo")


def test_a_piece_is_read_and_fitted(piece):
    assert (piece.name, piece.polygons, piece.own_weights) == ("patch", [[0, 1, 2]], False)
    np.testing.assert_array_equal(piece.hidden, [3, 5, 6, 7, 9, 11])
    # Offsets grow with the body: twice along x and y, three times along z.
    wanted = [[0, 0, 0], [1 + 2, 0.5 + 1, 0.75], [4.8, -0.2, -0.3]]
    np.testing.assert_allclose(piece.fitted(BASE), wanted)


def test_weights_of_a_piece_are_none_below_zero_and_add_up_to_one(piece):
    weights = piece.weights(np.eye(4))
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    np.testing.assert_allclose(weights[1], [0.5, 0.25, 0.25, 0])
    np.testing.assert_allclose(weights[2], [0, 1, 0, 0])


def test_a_piece_bound_to_another_mesh_is_an_error(tmp_path):
    (tmp_path / "patch.mhclo").write_text(BINDING)
    (tmp_path / "patch.obj").write_text("v 0 0 0\nf 1 1 1\n")
    with pytest.raises(ValueError, match="binds 3 vertices of 1"):
        read_piece(tmp_path / "patch.mhclo")


@pytest.mark.slow
@pytest.mark.skipif(not MAKEHUMAN.is_dir(), reason="MakeHuman's assets are not there")
@pytest.mark.parametrize("seed", range(1_000_000, 1_000_004))
def test_a_dressed_character_is_whole_and_moves_as_its_bones_do(seed):
    pytest.importorskip("anny")
    bpy = pytest.importorskip("bpy")
    from training.bodies import sample_local_changes, sample_phenotype
    from training.dressed import dress_body, sample_outfit
    from training.dressed_scene import add_character
    from training.parts import PART_NAMES
    from training.poses import sample_pose

    rng = np.random.default_rng(seed)
    phenotype, changes = sample_phenotype(rng), sample_local_changes(rng)
    outfit = sample_outfit(rng, MAKEHUMAN, woman=phenotype["gender"] > 0.5)
    dressed = dress_body(phenotype, changes, outfit, MAKEHUMAN)
    pose = sample_pose(rng)
    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    _, meshes = add_character(dressed, "Rig", pose)
    depsgraph = bpy.context.evaluated_depsgraph_get()
    found = set()
    for obj, member, moved in zip(
        meshes, dressed.members, dressed.posed(pose).members, strict=True
    ):
        np.testing.assert_allclose(np.asarray(member.weights.sum(axis=1)), 1, atol=1e-6)
        assert np.unique(np.concatenate(member.polygons)).tolist() == [*range(len(member.labels))]
        seen = np.array([vertex.co for vertex in obj.evaluated_get(depsgraph).data.vertices])
        np.testing.assert_allclose(seen, moved.vertices, atol=1e-5)
        sided = np.array([PART_NAMES[label][-2:] for label in member.labels])
        assert (member.vertices[sided == ".L", 0] > -0.02).all()
        assert (member.vertices[sided == ".R", 0] < 0.02).all()
        found |= {PART_NAMES[label] for label in member.labels}
    assert found == set(PART_NAMES)


needs_makehuman = pytest.mark.skipif(
    not MAKEHUMAN.is_dir(), reason="MakeHuman's assets are not there"
)


@needs_makehuman
def test_pieces_held_out_are_there_and_share_no_mesh_with_others():
    from training.dressed import HELD_OUT, WORN, loose_garments, pieces_of
    from training.makehuman import triangles

    def shapes(path):
        piece = read_piece(path)
        part = loose_garments(len(piece.corners), triangles(piece.polygons))
        return {piece.corners[part == number].tobytes() for number in np.unique(part)}

    found = {path.stem for name in WORN for path in pieces_of(name, MAKEHUMAN, held_out=True)}
    assert found >= HELD_OUT
    for name in ("Suit", "Shoes", "Hair"):
        apart, learnt = (pieces_of(name, MAKEHUMAN, held_out=which) for which in (True, False))
        assert {path.stem for path in apart} <= HELD_OUT
        assert not {path.stem for path in learnt} & HELD_OUT
        assert sorted([*apart, *learnt]) == pieces_of(name, MAKEHUMAN)
        seen = set().union(*map(shapes, learnt))
        assert not any(shapes(path) & seen for path in apart), name


@needs_makehuman
@pytest.mark.slow
def test_dressed_figures_wear_nothing_that_is_held_out(monkeypatch):
    pytest.importorskip("anny")
    from training import dressed_figures
    from training.dressed import HELD_OUT

    read = []
    garments = dressed_figures.garments_of
    monkeypatch.setattr(
        dressed_figures,
        "garments_of",
        lambda name, path: read.append(path.stem) or garments(name, path),
    )
    for seed in range(12):
        dressed_figures.sample_dressed(np.random.default_rng(seed), MAKEHUMAN)
    assert len(set(read)) > 15
    assert not set(read) & HELD_OUT


@needs_makehuman
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_a_dressed_figure_is_whole_and_the_same_for_a_seed(seed):
    pytest.importorskip("anny")
    from training.dressed_figures import MOST_VERTICES, sample_dressed
    from training.meshes import HAIR
    from training.parts import FINE_NAMES, PART_NAMES
    from training.poses import Pose

    body, again = (sample_dressed(np.random.default_rng(seed), MAKEHUMAN, Pose()) for _ in range(2))
    np.testing.assert_array_equal(body.vertices, again.vertices)
    np.testing.assert_array_equal(body.fine, again.fine)
    assert np.isfinite(body.vertices).all()
    assert len(body.vertices) < 1.1 * MOST_VERTICES
    assert np.unique(body.faces).tolist() == [*range(len(body.vertices))]
    assert set(np.unique(body.labels)) == set(range(len(PART_NAMES)))
    assert (body.fine[body.component == HAIR] == FINE_NAMES.index("head")).all()
    # Upright, and each side of it on its own side.
    height = [body.vertices[body.labels == label, 2].mean() for label in range(len(PART_NAMES))]
    assert int(np.argmax(height)) == PART_NAMES.index("head")
    sided = np.array([name[-2:] for name in FINE_NAMES])[body.fine]
    reach = np.ptp(body.vertices[:, 2])
    assert (body.vertices[sided == ".L", 0] > -0.05 * reach).all()
    assert (body.vertices[sided == ".R", 0] < 0.05 * reach).all()
