"""The command `rig`, on files."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from tests.cli.test_segment import run

bpy = pytest.importorskip("bpy")

SAMPLES = Path(__file__).parents[2] / "samples"
ADA = SAMPLES / "ada.glb"


def tree_of(path):
    """The JSON of a .glb, and its binary part."""
    content = path.read_bytes()
    size = struct.unpack("<I", content[12:16])[0]
    return json.loads(content[20 : 20 + size]), content[28 + size :]


def test_a_bare_character_gets_a_skin_with_sums_of_one(tmp_path, capfd):
    output = tmp_path / "rigged.glb"
    assert run("rig", ADA, "--kind", "mixamo", "--check", "--output", output) == 0
    told = capfd.readouterr().err
    assert "bones on" in told
    assert "look at" not in told
    tree, binary = tree_of(output)
    (skin,) = tree["skins"]
    names = {tree["nodes"][joint]["name"] for joint in skin["joints"]}
    assert {"mixamorig:Hips", "mixamorig:LeftForeArm", "mixamorig:RightHandIndex1"} <= names
    assert len(tree["animations"]) == 1
    (mesh,) = tree["meshes"]
    for primitive in mesh["primitives"]:
        accessor = tree["accessors"][primitive["attributes"]["WEIGHTS_0"]]
        view = tree["bufferViews"][accessor["bufferView"]]
        start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
        weights = np.frombuffer(binary, np.float32, 4 * accessor["count"], start)
        np.testing.assert_allclose(weights.reshape(-1, 4).sum(axis=1), 1, atol=1e-4)


def test_what_already_has_a_rig_is_a_failure_and_nothing_is_written(tmp_path, capfd):
    output = tmp_path / "again.blend"
    assert run("rig", SAMPLES / "cleo.glb", "--kind", "plain", "--output", output) == 1
    assert "already bound" in capfd.readouterr().err
    assert not output.exists()


def test_a_shape_without_a_body_is_told(tmp_path, capfd):
    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    bpy.ops.mesh.primitive_uv_sphere_add()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "ball.blend"))
    output = tmp_path / "out.blend"
    assert run("rig", tmp_path / "ball.blend", "--output", output) == 1
    told = capfd.readouterr().err
    assert "body" in told or "trunk" in told
    assert not output.exists()
