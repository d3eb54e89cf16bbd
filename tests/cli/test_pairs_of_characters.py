"""The commands `match` and `transfer` on files with characters of several objects."""

import numpy as np
import pytest

from tests.cli.test_segment import run

bpy = pytest.importorskip("bpy")


@pytest.fixture
def files(tmp_path):
    from tests.operators.characters import add_character

    for name, seed, rigged in (("Source", 0, True), ("Target", 3, False)):
        bpy.ops.wm.read_homefile(app_template="", use_empty=True)
        add_character(name, seed, rigged)
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / f"{name.lower()}.blend"))
    return tmp_path


@pytest.mark.slow
def test_a_map_of_characters_names_the_object_of_each_vertex(files):
    output = files / "map.npz"
    pair = files / "source.blend", files / "target.blend"
    assert run("match", *pair, "--output", output, "--model", "none", "--accept-uncertain") == 0
    with np.load(output) as found:
        assert found["target_objects"].tolist() == ["Target Body", "Target Shirt", "Target Eyes"]
        member, faces = found["source_member"], found["source_faces"]
        at = member[faces[found["target_to_source_face"], 0]]
        eyes = found["target_member"] == 2
        assert (at[eyes] == 2).all()
        assert (at[~eyes] < 2).all()


def test_each_takes_the_largest_mesh_or_the_named_one_alone(files):
    output = files / "map.npz"
    pair = files / "source.blend", files / "target.blend"
    options = ("--each", "--model", "none", "--accept-uncertain")
    assert run("match", *pair, "--output", output, *options) == 0
    with np.load(output) as found:
        assert "source_member" not in found
        body = len(found["source_vertices"])
    named = ("--source-object", "Source Shirt")
    assert run("match", *pair, "--output", output, *options, *named) == 0
    with np.load(output) as found:
        assert len(found["source_vertices"]) < body


@pytest.mark.slow
def test_data_goes_to_every_object_of_the_file(files, capfd):
    output = files / "rigged.blend"
    pair = files / "source.blend", files / "target.blend"
    moved = ("--what", "weights,armature", "--method", "MATCH", "--model", "none")
    options = ("--accept-uncertain", "--least-confidence", "0", "--target-object", "Target Eyes")
    assert run("transfer", *pair, *moved, *options, "--output", output) == 0
    bpy.ops.wm.open_mainfile(filepath=str(output))
    meshes = [obj for obj in bpy.data.objects if obj.type == "MESH"]
    assert sorted(obj.name for obj in meshes) == ["Target Body", "Target Eyes", "Target Shirt"]
    rigs = {m.object for obj in meshes for m in obj.modifiers if m.type == "ARMATURE"}
    assert len(rigs) == 1
    assert all(obj.vertex_groups for obj in meshes)
