"""What commands of training and of measuring have in common."""

import pytest

from training.commands import glb_files


def test_characters_are_those_of_the_folder_by_name(tmp_path):
    for name in ("b.glb", "a.glb", "c.obj"):
        (tmp_path / name).touch()
    assert [path.stem for path in glb_files(tmp_path)] == ["a", "b"]
    assert [path.stem for path in glb_files(tmp_path, ["b", "c"])] == ["b"]


def test_a_folder_without_the_characters_is_an_error(tmp_path):
    (tmp_path / "a.glb").touch()
    with pytest.raises(FileNotFoundError, match="characters called bo"):
        glb_files(tmp_path, ["bo"])
    with pytest.raises(FileNotFoundError, match="missing has no .glb"):
        glb_files(tmp_path / "missing")
