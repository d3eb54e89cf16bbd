"""Human segmentation, whole, on a tiny stand-in; and folders that are no such data set."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("anny", reason="the bodies are made of anny")

from diffusionnet_blender.errors import DiffusionNetError  # noqa: E402
from diffusionnet_blender.surface.surface import Surface  # noqa: E402
from experiments import human_parts, results  # noqa: E402
from experiments.layouts import human_benchmark as layout  # noqa: E402
from experiments.stand_ins import human_benchmark as stand_in  # noqa: E402
from experiments.stand_ins import part_numbers  # noqa: E402

PUBLISHED = Path(__file__).parents[3] / "shared" / "published_weights"
VARIANTS = ("original", "edges", "faces")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    stand_in.write(folder, share=0.0, vertices=200, simplified_to=120)
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Results of this test alone."""
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    return lambda: results.kept(human_parts.NAME)


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_layout_is_read_whole(data, variant):
    learned = list(layout.read(data, "train", variant))
    unseen = list(layout.read(data, "test", variant))
    assert layout.count(data, "train", variant) == len(learned)
    assert layout.count(data, "test", variant) == len(unseen)
    assert len(learned) == 11
    assert len(unseen) == 18
    for member in learned + unseen:
        assert member.corners.shape == (len(member.labels), 2 if variant == "edges" else 3)
        assert member.right[np.arange(len(member.labels)), member.labels].all()
        assert member.share.sum() == pytest.approx(1.0)
    found = np.concatenate([member.labels for member in unseen])
    assert set(found) == set(range(layout.PARTS))


def test_shapes_of_one_origin_share_their_labels(data):
    """As in the benchmark: one file of labels for FAUST, for SCAPE, and for each take."""
    labels = sorted(path.name for path in (data / layout.ORIGINAL).glob("segs/train/*/*.txt"))
    assert "faust_corrected.txt" in labels
    assert "mit_crane_corrected.txt" in labels


def test_edges_are_numbered_as_they_first_come():
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0.0]])
    edges = layout.edges_of(Surface(vertices, np.array([[0, 1, 2], [2, 1, 3]])))
    assert edges.corners.tolist() == [[0, 1], [1, 2], [0, 2], [1, 3], [2, 3]]
    assert edges.of_face.tolist() == [[0, 1, 2], [1, 3, 4]]
    np.testing.assert_allclose(edges.area, np.array([1, 2, 1, 1, 1]) / 6)


def test_triangles_with_a_side_taken_are_left_out():
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    edges = layout.edges_of(Surface(vertices, np.array([[0, 1, 2], [0, 1, 3], [0, 1, 1]])))
    assert edges.faces.tolist() == [[0, 1, 2]]


def test_a_face_has_the_part_of_most_of_its_edges():
    labels = np.array([[1, 2, 2], [3, 1, 3], [4, 4, 2], [5, 6, 7]])
    assert layout.majority(labels).tolist() == [2, 3, 4, 5]


@pytest.mark.parametrize(
    "row",
    [
        "edges-xyz",
        pytest.param("original-hks", marks=pytest.mark.slow),
        pytest.param("faces-hks", marks=pytest.mark.slow),
    ],
)
def test_a_row_is_trained_measured_and_written(data, cache, kept, row):
    human_parts.train(row, data, cache, epochs=1, hours=None, processes=1)
    human_parts.measure(row, data, cache, epochs=1, weights=None)
    found = kept()[row]
    assert found["data"] == "stand-in"
    assert found["meshes"] == 11
    assert 0.0 < found["accuracy"] <= 1.0
    page = human_parts.page(kept())
    assert f"| {100 * found['accuracy']:.1f}% | not yet run | stand-in | 11 + 18 | 1 |" in page


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="../shared/published_weights is missing")
def test_published_weights_are_measured(data, cache, kept):
    weights = PUBLISHED / "human_seg_hks_4x128.pth"
    human_parts.measure("edges-xyz", data, cache, epochs=1, weights=weights)
    # The input is that of the weights; chance is about an eighth.
    assert kept()["edges-hks-published"]["accuracy"] > 0.3


@pytest.mark.slow
@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="../shared/published_weights is missing")
@pytest.mark.parametrize("features", ["hks", "xyz"])
def test_the_stand_in_numbers_parts_as_the_published_weights_do(features):
    weights = PUBLISHED / f"human_seg_{features}_4x128.pth"
    counts = part_numbers.found_beside_ours(weights, bodies=6)
    assert counts.argmax(axis=1).tolist() == list(range(layout.PARTS))


def test_any_part_that_is_right_counts_at_a_border(data, cache, tmp_path):
    unseen = human_parts.shapes_of(data, cache, "test", "edges", 0)
    truths = list(layout.read(data, "test", "edges"))
    course = human_parts.course_of("edges-hks", tmp_path, data, 1, 11)
    trainer = course.trainer
    network = human_parts.Network(
        trainer.module.architecture, trainer.averaged_weights(), trainer.features
    )
    soft = human_parts.accuracy(network, unseen, truths, "edges")
    hard = [
        layout.replace(truth, right=np.eye(layout.PARTS, dtype=bool)[truth.labels])
        for truth in truths
    ]
    assert human_parts.accuracy(network, unseen, hard, "edges") < soft < 1.0
    with pytest.raises(DiffusionNetError, match="of other meshes"):
        human_parts.accuracy(network, unseen, truths[::-1], "edges")


@pytest.fixture
def broken(data, tmp_path):
    return shutil.copytree(data, tmp_path / "broken")


@pytest.mark.parametrize(
    ("variant", "lost", "fault"),
    [
        ("original", "sig17_seg_benchmark/segs/train/faust/faust_corrected.txt", "is missing"),
        ("original", "sig17_seg_benchmark/meshes/train/scape", "no meshes in meshes/train/scape"),
        ("original", "sig17_seg_benchmark/segs/train/mit", "mit_bouncing_corrected.txt is missing"),
        ("edges", "human_seg/train", "no meshes in train"),
        ("edges", "human_seg/sseg", r"seseg is missing"),
        ("faces", "human_seg/seg", r"eseg is missing"),
    ],
)
def test_what_is_missing_is_named_with_the_layout(broken, variant, lost, fault):
    path = broken / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(DiffusionNetError, match=fault) as told:
        next(layout.read(broken, "train", variant))
    assert "Expected are" in told.value.fix


@pytest.mark.parametrize(
    ("variant", "file", "change", "fault"),
    [
        ("original", "segs/test/shrec/shrec_3_full.txt", "9\n" * 3, "places for them"),
        ("edges", "seg/shrec__3.eseg", None, "more in it than whole numbers"),
        ("edges", "sseg/shrec__3.seseg", "0 1\n", "1 x 2 shares"),
    ],
)
def test_labels_that_do_not_fit_are_told(broken, variant, file, change, fault):
    folder = broken / (layout.ORIGINAL if variant == "original" else layout.SIMPLIFIED)
    path = folder / file
    path.write_text(path.read_text().replace("\n", ".5\n", 1) if change is None else change)
    with pytest.raises(DiffusionNetError, match=fault):
        next(layout.read(broken, "test", variant))


def test_parts_out_of_range_are_told(broken):
    path = broken / layout.ORIGINAL / "segs/test/shrec/shrec_3_full.txt"
    count = len(path.read_text().split())
    path.write_text("9\n" * count)
    with pytest.raises(DiffusionNetError, match="counted from 0"):
        list(layout.read(broken, "test", "original"))


def test_labels_may_be_written_as_decimals(broken):
    """As numpy.savetxt writes them: MeshCNN reads its own as such."""
    path = broken / layout.SIMPLIFIED / "seg/shrec__3.eseg"
    before = list(layout.read(broken, "test", "faces"))
    np.savetxt(path, np.loadtxt(path))
    after = list(layout.read(broken, "test", "faces"))
    assert all((a.labels == b.labels).all() for a, b in zip(before, after, strict=True))


def test_meshes_with_parts_at_faces_are_read_as_such(data, tmp_path):
    """As PD-MeshNet has them: PLY, and parts of triangles from 0."""
    import trimesh

    folder = tmp_path / layout.SIMPLIFIED
    (folder / "test").mkdir(parents=True)
    (folder / "seg").mkdir()
    expected = list(layout.read(data, "test", "faces"))[:2]
    for truth in expected:
        mesh = trimesh.Trimesh(truth.surface.vertices, truth.corners, process=False)
        mesh.export(folder / "test" / f"{truth.name}.ply")
        np.savetxt(folder / "seg" / f"{truth.name}.eseg", truth.labels, fmt="%d")
    for found, truth in zip(layout.read(folder, "test", "faces"), expected, strict=True):
        assert (found.labels == truth.labels).all()


def test_a_row_that_was_not_trained_is_told(data, tmp_path, kept):
    with pytest.raises(DiffusionNetError, match="was not trained over 7 epochs"):
        human_parts.measure("original-hks", data, tmp_path, epochs=7, weights=None)
    assert json.dumps(kept()) == "{}"
