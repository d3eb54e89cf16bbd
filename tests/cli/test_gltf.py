"""Parts in the glTF files that the command line writes, and VRM files that it reads."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.cli.test_segment import run
from tests.conftest import MODEL

pytestmark = pytest.mark.usefixtures("blender")

CHARACTERS = Path(__file__).resolve().parents[3] / "shared" / "characters"
KNIGHT = CHARACTERS / "k_knight.glb"
needs_knight = pytest.mark.skipif(not KNIGHT.exists(), reason="shared/characters is not here")


@pytest.fixture
def body(blender, tmp_path):
    from diffusionnet_blender.scene.files import save_file
    from tests.scenes import add_body

    add_body().data.shade_smooth()
    save_file(tmp_path / "body.glb")
    return tmp_path / "body.glb"


def test_another_library_finds_the_labels_of_the_arrays(body, tmp_path):
    trimesh = pytest.importorskip("trimesh")
    out, arrays = tmp_path / "out.glb", tmp_path / "a.npz"
    assert run("segment", body, "--model", MODEL, "--output", out, "--labels", arrays) == 0
    mesh = trimesh.load(out, force="mesh", process=False)
    labels = np.load(arrays)
    # From y up to z up.
    places = mesh.vertices[:, [0, 2, 1]] * [1, -1, 1]
    distance = np.linalg.norm(places[:, None] - labels["vertices"][None], axis=2)
    assert distance.min(axis=1).max() < 1e-5
    found = mesh.vertex_attributes["_PART"].ravel()
    np.testing.assert_array_equal(found, labels["vertex_labels"][distance.argmin(axis=1)])
    entry = mesh.metadata["diffusionnet_parts"]
    assert [part["name"] for part in entry["parts"]] == labels["class_names"].tolist()
    assert entry["model"] == MODEL


def test_a_file_that_was_written_can_be_segmented_and_learned_from(body, tmp_path):
    once, twice = tmp_path / "once.glb", tmp_path / "twice.blend"
    assert run("segment", body, "--model", MODEL, "--output", once, "--quiet") == 0
    assert run("segment", once, "--model", MODEL, "--output", twice, "--quiet") == 0
    import bpy

    bpy.ops.wm.open_mainfile(filepath=str(twice))
    (obj,) = (obj for obj in bpy.data.objects if obj.type == "MESH")
    names = {name for name in obj.data.attributes.keys() if "part" in name.lower()}
    assert names == {"part", "part_vertex", "part_color", "part_confidence"}
    assert not [name for name in obj.vertex_groups.keys() if name.startswith("DN ")]


@pytest.mark.parametrize("command", ["segment", "transfer"])
def test_a_vrm_is_read_but_not_written(body, tmp_path, capfd, command):
    vrm, out = tmp_path / "in.vrm", tmp_path / "out.vrm"
    shutil.copy(body, vrm)
    files = [vrm, vrm] if command == "transfer" else [vrm]
    options = ["--what", "weights"] if command == "transfer" else ["--model", MODEL]
    assert run(command, *files, *options, "--output", out) == 1
    told = capfd.readouterr().err
    assert "out.vrm cannot be written" in told
    assert "Write a .glb" in told
    assert not out.exists()


def test_a_vrm_gives_the_labels_of_its_glb(body, tmp_path):
    vrm = tmp_path / "body.vrm"
    shutil.copy(body, vrm)
    found = []
    for path in (body, vrm):
        assert (
            run("segment", path, "--model", MODEL, "--labels", tmp_path / "a.npz", "--quiet") == 0
        )
        with np.load(tmp_path / "a.npz") as arrays:
            found.append(arrays["vertex_labels"])
    np.testing.assert_array_equal(*found)


@needs_knight
def test_a_character_of_many_objects_keeps_its_parts(tmp_path):
    from diffusionnet_blender.scene.files import open_file

    vrm, out = tmp_path / "knight.vrm", tmp_path / "out.glb"
    shutil.copy(KNIGHT, vrm)
    assert run("segment", vrm, "--model", MODEL, "--output", out, "--quiet") == 0
    assert len(open_file(vrm)) == 15
    objects = open_file(out)
    assert len(objects) == 15
    legends = [obj.data.diffusionnet.parts for obj in objects]
    assert all(legends)
    for of in ("name", "share"):
        assert len({tuple(getattr(part, of) for part in legend) for legend in legends}) == 1
    areas = np.array([[part.area for part in legend] for legend in legends]).sum(axis=0)
    shares = [part.share for part in legends[0]]
    np.testing.assert_allclose(shares, areas / areas.sum(), rtol=1e-5)
