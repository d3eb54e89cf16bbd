"""Molecular segmentation on a tiny data set in both layouts."""

import io
import lzma
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")

from diffusionnet_blender.errors import DiffusionNetError  # noqa: E402
from experiments import molecule_levers, molecules  # noqa: E402
from experiments.layouts.molecules import count, read  # noqa: E402
from tests.shapes import lumpy_body  # noqa: E402

NAMES = {"train": ("1ABC_A", "2DEF_B"), "test": ("3GHI_C",)}
RNA = Path(__file__).parents[3] / "shared" / "rna"


def molecule(seed):
    """A lumpy surface with a class for each octant, -1 to 6."""
    vertices, faces = lumpy_body(2)
    vertices = np.round(vertices * [1.0 + 0.2 * seed, 1.0, 1.0], 3)
    return vertices, faces, (vertices > 0) @ [1, 2, 4] - 1


def as_text(folder):
    """The layout of the authors."""
    for kind in ("off", "labels"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    seed = 0
    for split, names in NAMES.items():
        (folder / f"{split}.txt").write_text("".join(f"{name}.off\n" for name in names))
        for name in names:
            vertices, faces, labels = molecule(seed)
            seed += 1
            lines = [f"OFF\n{len(vertices)} {len(faces)} 0"]
            lines += [" ".join(f"{x:.3f}" for x in vertex) for vertex in vertices]
            lines += ["3 " + " ".join(map(str, face)) for face in faces]
            (folder / "off" / f"{name}.off").write_text("\n".join(lines) + "\n")
            (folder / "labels" / f"{name}.txt").write_text("\n".join(map(str, labels)))
    return folder


def packed(folder):
    """The same, packed."""

    def planes(integers):
        return integers.astype("<i4").reshape(-1, 1).view(np.uint8).T

    folder.mkdir(parents=True, exist_ok=True)
    seed = 0
    for split, names in NAMES.items():
        arrays = {}
        for name in names:
            vertices, faces, labels = molecule(seed)
            seed += 1
            steps = np.diff(np.rint(1000 * vertices), axis=0, prepend=0)
            first = np.diff(faces[:, 0], prepend=0)
            rest = faces[:, 1:] - faces[:, :1]
            arrays[f"{name}/v"] = planes(steps)
            arrays[f"{name}/f"] = planes(np.column_stack([first, rest]))
            arrays[f"{name}/labels"] = labels.astype(np.int16)
        file = io.BytesIO()
        np.savez(file, **arrays)
        (folder / f"{split}-00.npz.xz").write_bytes(lzma.compress(file.getvalue()))
    return folder


@pytest.mark.parametrize("layout", [as_text, packed])
def test_both_layouts_are_read(layout, tmp_path):
    folder, seed = layout(tmp_path), 0
    for split, names in NAMES.items():
        found = list(read(folder, split))
        assert [member.name for member in found] == list(names)
        assert count(folder, split) == len(names)
        for member in found:
            vertices, faces, labels = molecule(seed)
            seed += 1
            np.testing.assert_allclose(member.surface.vertices, vertices, atol=1e-9)
            np.testing.assert_array_equal(member.surface.faces, faces)
            np.testing.assert_array_equal(member.labels, labels + 1)


@pytest.mark.skipif(not RNA.is_dir(), reason="the data set is not at hand")
def test_the_data_set_is_read():
    first = next(read(RNA, "test"))
    assert 10_000 < len(first.surface.vertices) < 20_000
    assert len(np.unique(first.labels)) > 100


def no_list(folder):
    (folder / "test.txt").unlink()


def no_mesh(folder):
    (folder / "off" / "3GHI_C.off").unlink()


def other_labels(folder):
    (folder / "labels" / "3GHI_C.txt").write_text("1\n2\n3\n")


def words_for_labels(folder):
    (folder / "labels" / "3GHI_C.txt").write_text("helix\n" * 162)


def labels_beyond(folder):
    (folder / "labels" / "3GHI_C.txt").write_text("259\n" * 162)


def quads(folder):
    path = folder / "off" / "3GHI_C.off"
    path.write_text(path.read_text().replace("\n3 ", "\n4 "))


def cut_short(folder):
    path = folder / "off" / "3GHI_C.off"
    path.write_text(path.read_text()[:2000])


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (no_list, "neither test-"),
        (no_mesh, "3GHI_C.off is missing"),
        (other_labels, "3 labels"),
        (words_for_labels, "whole numbers"),
        (labels_beyond, "do not fit"),
        (quads, "no triangle mesh"),
        (cut_short, "no triangle mesh"),
    ],
)
def test_a_folder_that_does_not_fit_is_an_error_with_a_remedy(harm, message, tmp_path):
    folder = as_text(tmp_path)
    harm(folder)
    with pytest.raises(DiffusionNetError, match=message) as raised:
        list(read(folder, "test"))
    assert raised.value.fix


def test_a_damaged_packed_file_is_an_error(tmp_path):
    folder = packed(tmp_path)
    shard = folder / "test-00.npz.xz"
    shard.write_bytes(shard.read_bytes()[:100])
    with pytest.raises(DiffusionNetError, match="damaged"):
        list(read(folder, "test"))


@pytest.mark.parametrize("name", ["mesh-hks", pytest.param("cloud-xyz", marks=pytest.mark.slow)])
def test_a_variant_is_trained_measured_and_goes_on(name, tmp_path, monkeypatch):
    monkeypatch.setattr(molecules.results, "FOLDER", tmp_path / "results")
    data, cache = as_text(tmp_path / "data"), tmp_path / "cache"
    with pytest.raises(DiffusionNetError, match="not trained"):
        molecules.measure(name, data, cache, 1)
    # No hours at all: stopped after the first epoch, and then resumed.
    molecules.train(name, data, cache, hours=0.0, processes=1)
    molecules.measure(name, data, cache, 1)
    first = molecules.results.kept("molecules")[name]["stages"]
    assert [len(stage["points"]) for stage in first] == [1]
    molecules.train(name, data, cache, None, 1)
    molecules.measure(name, data, cache, 1)
    found = molecules.results.kept("molecules")[name]
    stages = molecules.VARIANTS[name].stages
    assert [len(stage["points"]) for stage in found["stages"]] == [s.epochs for s in stages]
    assert found["stages"][0]["points"][0] == first[0]["points"][0]
    points = found["stages"][0]["points"]
    assert points[-1]["loss"] < points[0]["loss"]
    assert 0 < found["accuracy"] < 1
    text = molecules.tables({name: found})
    assert molecules.PAPER[name] in text
    molecules.draw({name: found}, tmp_path / "curve.webp")
    assert (tmp_path / "curve.webp").stat().st_size > 1000


@pytest.mark.parametrize("name", list(molecule_levers.LEVERS))
def test_every_lever_is_measured(name, tmp_path):
    data = as_text(tmp_path / "data")
    lever = molecule_levers.LEVERS[name]
    learnt, unseen = (
        molecules.shapes_of(data, tmp_path / "cache", split, kind)
        for split, kind in (("train", lever.kind), ("test", "mesh"))
    )
    found = molecule_levers.measured(lever, learnt, unseen, minutes=0.002)
    assert found["steps"] >= 1
    assert 0 <= found["accuracy"] <= 1
    assert f"| {name} |" in molecule_levers.tables({name: found})
