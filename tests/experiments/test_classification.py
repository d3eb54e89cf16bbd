"""Classification, whole, on a tiny stand-in; and folders that are no such data set."""

import re
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("anny", reason="the bodies are made of anny")

from diffusionnet_blender.errors import DiffusionNetError  # noqa: E402
from experiments import classification, results  # noqa: E402
from experiments.layouts import shrec11 as layout  # noqa: E402
from experiments.stand_ins import shrec11 as stand_in  # noqa: E402
from experiments.stand_ins.solids import bent, plain, twisted  # noqa: E402
from tests.shapes import grid  # noqa: E402
from training.primitives import rounded_box  # noqa: E402

ANIMALS = Path(__file__).parents[3] / "shared" / "animals"
MEMBERS = 2


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Boxes of other proportions and roundness in place of the classes, which take longer."""
    rng = np.random.default_rng(0)
    solids = {
        f"box_{number:02}": rounded_box(rng.uniform(0.3, 1.0, 3), rng.uniform(0.2, 1.0), 8)
        for number in range(layout.CLASSES)
    }
    folder = tmp_path_factory.mktemp("data")
    makers = {name: partial(stand_in.varied, plain(*mesh)) for name, mesh in solids.items()}
    stand_in.write(folder, makers, 160, MEMBERS, simplified_to=80)
    return folder


@pytest.mark.parametrize("variant", ["original", "simplified"])
def test_each_layout_is_read_whole(data, variant):
    shapes = list(layout.read(data, variant))
    assert len(shapes) == MEMBERS * layout.CLASSES
    labels = [shape.labels for shape in shapes]
    assert np.bincount(labels).tolist() == [MEMBERS] * layout.CLASSES
    assert all("stand_in" in shape.name for shape in shapes)


def test_both_layouts_have_the_same_classes(data):
    original, simplified = (
        {shape.name: shape.labels for shape in layout.read(data, variant)}
        for variant in ("original", "simplified")
    )
    assert original == simplified


def test_a_row_is_trained_measured_and_written(data, tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    run = classification.Run(
        "simplified-hks", data, tmp_path, trials=1, epochs=1, learned=1, processes=1
    )
    classification.train(run)
    classification.measure(run)
    found = results.kept(classification.NAME)["simplified-hks"]
    assert found["data"] == "stand-in"
    assert len(found["accuracies"]) == 1
    page = classification.page({run.row: found})
    row = r"simplified, hks \| 99.5% \| \d+.\d% \| stand-in \| 8\d \| 1 \| 1 \|"
    assert re.search(row, page)
    found["accuracies"] = [0.9, 0.8]
    assert "| 85.0% ± 5.0 |" in classification.page({run.row: found})
    # A second time nothing is left to learn.
    classification.train(run)
    assert run.course(0).finished


def test_splits_are_by_chance_and_disjoint():
    labels = np.repeat(np.arange(3), 20)
    learned, unseen = classification.split(labels, 0)
    assert np.bincount(labels[learned]).tolist() == [10, 10, 10]
    assert not set(learned) & set(unseen)
    assert len(learned) + len(unseen) == 60
    assert learned.tolist() != classification.split(labels, 1)[0].tolist()
    assert learned.tolist() == classification.split(labels, 0)[0].tolist()


def test_too_few_shapes_of_a_class_are_told():
    with pytest.raises(DiffusionNetError, match="Class 1 has 10 shapes"):
        classification.split(np.repeat([0, 1], [20, 10]), 0)


def test_bends_and_twists_hardly_stretch():
    """Of a thin strip along z: its edges keep their lengths."""
    points, faces = grid(2, 30)
    strip = points[:, [0, 2, 1]] * [0.3, 1, 1]
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]]])

    def lengths(moved):
        return np.linalg.norm(moved[edges[:, 0]] - moved[edges[:, 1]], axis=1)

    for moved in (bent(strip, 0.9), bent(strip, -0.9), twisted(strip, 0.7)):
        assert np.abs(moved - strip).max() > 0.05
        np.testing.assert_allclose(lengths(moved), lengths(strip), rtol=0.02)


@pytest.mark.slow
def test_the_stand_in_has_thirty_classes_with_animals_or_without(tmp_path):
    makers = stand_in.classes(None)
    assert len(makers) == layout.CLASSES
    rng = np.random.default_rng(0)
    sizes = [len(stand_in.member(maker, 200, rng).vertices) for maker in makers.values()]
    # Now and then decimation ends early, where a shape is flat.
    assert 190 < np.median(sizes) < 210
    assert max(sizes) < 1000
    if ANIMALS.is_dir():
        with_animals = stand_in.classes(ANIMALS)
        assert len(with_animals) == layout.CLASSES
        assert {"cat", "zebra", "man"} < set(with_animals)


def test_a_folder_without_animals_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="no .glb files"):
        stand_in.classes(tmp_path)


@pytest.fixture
def broken(data, tmp_path):
    return shutil.copytree(data, tmp_path / "broken")


@pytest.mark.parametrize(
    ("variant", "lost", "fault"),
    [
        ("original", "shrec_11/test.cla", "the list of classes is missing"),
        ("original", "shrec_11/T7.off", "T7.off is missing"),
        ("simplified", "shrec_16/stand_in_box_03", "29 classes, not 30"),
        ("simplified", "shrec_16/stand_in_box_03/train", "29 classes, not 30"),
    ],
)
def test_what_is_missing_is_named_with_the_layout(broken, variant, lost, fault):
    path = broken / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(DiffusionNetError, match=fault) as told:
        next(layout.read(broken, variant))
    assert "Expected are" in told.value.fix


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda text: "OFF\n" + text, "does not begin with PSB"),
        (lambda text: text.rsplit("\n", 3)[0], "has fewer members"),
        (lambda text: text.replace(" 0 2\n", " 0 two\n", 1), "is no such list"),
    ],
)
def test_a_list_that_is_none_is_told(broken, change, fault):
    path = broken / "shrec_11" / "test.cla"
    path.write_text(change(path.read_text()))
    with pytest.raises(DiffusionNetError, match=fault):
        next(layout.read(broken, "original"))


def test_a_damaged_mesh_is_told(broken):
    max((broken / "shrec_16").rglob("*.obj")).write_text("no mesh")
    with pytest.raises(DiffusionNetError, match="no triangle mesh in the format OBJ"):
        next(layout.read(broken, "simplified"))


def test_the_published_list_of_categories_is_read(broken):
    """It is called otherwise, beside a folder `raw` with the meshes."""
    folder = broken / "shrec_11"
    (folder / "test.cla").rename(folder / "categories.txt")
    (folder / "raw").mkdir()
    for path in list(folder.glob("*.off")):
        path.rename(folder / "raw" / path.name)
    assert len(list(layout.read(folder, "original"))) == MEMBERS * layout.CLASSES
