"""Matrices of a data set, kept in a folder."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="shapes to train on are made with torch")

from diffusionnet_blender.errors import DiffusionNetError  # noqa: E402
from diffusionnet_blender.surface.settings import DiscretizationSettings  # noqa: E402
from diffusionnet_blender.surface.surface import Surface  # noqa: E402
from diffusionnet_blender.tasks.train.training_set import LabelledSurface  # noqa: E402
from experiments.matrices import Shapes, require_room  # noqa: E402
from tests.shapes import icosphere, lumpy_body  # noqa: E402

SETTINGS = DiscretizationSettings(k=8)


def members():
    for name, (vertices, faces) in (("lumpy", lumpy_body(1)), ("sphere", icosphere(1))):
        # One vertex too many, which repair drops: labels are those of the vertices that stay.
        vertices = np.concatenate([[[9.0, 9.0, 9.0]], vertices])
        yield LabelledSurface(name, Surface(vertices, faces + 1), np.arange(len(vertices)))


def two():
    return 2


def not_again():
    raise AssertionError("what is kept is not read again")


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_shapes_are_made_once_and_read_from_the_folder(processes, tmp_path):
    made = Shapes(members, tmp_path, SETTINGS, two, processes)
    kept = Shapes(not_again, tmp_path, SETTINGS, two, processes)
    assert made.names == kept.names == ["lumpy", "sphere"]
    for index, member in enumerate(members()):
        shape = kept[index]
        assert shape.labels.min() == 1
        prepared, labels = kept.prepared(index)
        np.testing.assert_array_equal(labels, member.labels)
        np.testing.assert_array_equal(prepared.to_user_vertices(shape.labels)[1:], labels[1:])
        assert shape.discretization.eigenvalues.shape == (8,)


def test_an_interrupted_run_goes_on(tmp_path):
    def interrupted():
        yield next(members())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Shapes(interrupted, tmp_path, SETTINGS, two)
    first = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.npz")}
    assert len(first) == 1
    shapes = Shapes(members, tmp_path, SETTINGS, two)
    assert len(shapes) == 2
    (name, written), *_ = first.items()
    assert (tmp_path / name).stat().st_mtime_ns >= written
    assert shapes[1].labels.max() == 42


def test_a_damaged_file_is_an_error_with_a_remedy(tmp_path):
    shapes = Shapes(members, tmp_path, SETTINGS, two)
    for path in tmp_path.glob("*.npz"):
        path.write_bytes(b"no archive")
    with pytest.raises(DiffusionNetError, match="damaged") as raised:
        shapes[0]
    assert str(tmp_path) in raised.value.fix


@pytest.mark.parametrize("text", ["", "[1, 2]", '{"data": ""}'])
def test_a_damaged_list_of_members_is_an_error_with_a_remedy(tmp_path, text):
    Shapes(members, tmp_path, SETTINGS, two)
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(DiffusionNetError, match="damaged") as raised:
        Shapes(not_again, tmp_path, SETTINGS, two)
    assert str(tmp_path) in raised.value.fix


def test_a_disk_without_room_is_told_before_matrices_are_made(tmp_path):
    member = next(members())
    require_room(tmp_path, member, SETTINGS, 2)
    with pytest.raises(DiffusionNetError, match="GB") as raised:
        Shapes(members, tmp_path, SETTINGS, lambda: 10**12)
    assert raised.value.fix
    assert not list(tmp_path.glob("*.npz"))


def test_other_data_under_the_same_folder_are_told(tmp_path):
    data, cache = tmp_path / "data", tmp_path / "cache"
    data.mkdir()
    (data / "one.off").write_text("OFF")
    Shapes(members, cache, SETTINGS, two, data=data)
    Shapes(not_again, cache, SETTINGS, two, data=data)
    (data / "two.off").write_text("OFF")
    with pytest.raises(DiffusionNetError, match="other data") as raised:
        Shapes(not_again, cache, SETTINGS, two, data=data)
    assert raised.value.fix
