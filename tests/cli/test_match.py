"""The command `match`, on files."""

import numpy as np
import pytest

from tests.cli.test_segment import run, write_obj, write_ply
from tests.matching.pairs import lumpy_surface
from tests.shapes import random_rotation

pytest.importorskip("bpy")


@pytest.fixture
def files(tmp_path):
    source, source_directions = lumpy_surface(3)
    target, target_directions = lumpy_surface(3, seed=3)
    write_obj(tmp_path / "source.obj", source.vertices, source.faces)
    write_ply(tmp_path / "target.ply", target.vertices @ random_rotation(1).T, target.faces)
    return tmp_path, source_directions, target_directions


def test_the_map_is_in_the_files_own_order(files, capfd):
    folder, source_directions, target_directions = files
    output = folder / "map.npz"
    assert run("match", folder / "source.obj", folder / "target.ply", "--output", output) == 0
    with np.load(output) as found:
        assert set(found.files) == {
            "target_to_source_face", "target_to_source_barycentric", "confidence", "unmatched",
            "in_place", "source_vertices", "source_faces", "target_vertices", "target_faces",
            "seconds",
        }  # fmt: skip
        corners = found["source_faces"][found["target_to_source_face"]]
        shares = found["target_to_source_barycentric"]
        assert found["confidence"].shape == (len(found["target_vertices"]),)
    there = np.einsum("nc,nci->ni", shares, source_directions[corners])
    assert np.linalg.norm(there - target_directions, axis=1).mean() < 0.1
    told = capfd.readouterr().err
    assert "eigenbasis" in told
    assert "confident on" in told


@pytest.mark.slow
def test_pins_are_interpolated(files):
    folder, source_directions, target_directions = files
    # Vertices of opposite directions, which no match pairs by itself.
    source_vertex = int(source_directions[:, 0].argmax())
    target_vertex = int(target_directions[:, 0].argmin())
    output = folder / "map.npz"
    pin = f"{source_vertex}:{target_vertex}"
    pair = folder / "source.obj", folder / "target.ply"
    assert run("match", *pair, "--output", output, "--model", "none", "--pin", pin) == 0
    with np.load(output) as found:
        corners = found["source_faces"][found["target_to_source_face"][target_vertex]]
        shares = found["target_to_source_barycentric"][target_vertex]
        assert found["confidence"][target_vertex] == 1.0
    assert shares[corners == source_vertex] == pytest.approx(1.0)


@pytest.mark.parametrize("pin", ["5", "5:", "five:six", "1:2:3"])
def test_a_pin_is_two_numbers(pin, files, capfd):
    with pytest.raises(SystemExit):
        run("match", "source.obj", "target.ply", "--output", "m.npz", "--pin", pin)
    assert "is not two numbers of vertices" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [(["--output", "map.txt"], "not a .npz"), (["--output", "m.npz", "--model", "x"], "no model"),
     (["--output", "m.npz", "--source-object", "Hat"], "no mesh called 'Hat'"),
     (["--output", "m.npz", "--pin", "0:9999"], "vertex that the target does not have"),
     (["--output", "m.npz", "--pin", "0:1", "--pin", "2:1"], "Two pins")],
)  # fmt: skip
def test_what_cannot_end_well_is_told_on_one_line(files, options, words, capfd, monkeypatch):
    folder = files[0]
    monkeypatch.chdir(folder)
    assert run("match", "source.obj", "target.ply", *options) == 1
    told = capfd.readouterr().err.strip().splitlines()
    assert words in told[-1]
    assert not list(folder.glob("*.npz"))


def test_of_two_files_that_is_named_which_cannot_be_read(files, capfd, monkeypatch):
    monkeypatch.chdir(files[0])
    (files[0] / "broken.glb").write_text("hello")
    for name in ("missing.obj", "broken.glb"):
        assert run("match", "source.obj", name, "--output", "m.npz") == 1
        assert capfd.readouterr().err.strip().splitlines()[-1].startswith(f"{name}: ")
