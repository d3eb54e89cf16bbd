"""The command `rig`, on files."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from tests.cli.test_segment import run

bpy = pytest.importorskip("bpy")

from diffusionnet_blender.scene.vrm import REQUIRED  # noqa: E402

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


def places_of_nodes(tree):
    """Place (4, 4) of each node of a glTF."""
    above = {child: n for n, node in enumerate(tree["nodes"]) for child in node.get("children", ())}

    def local(node):
        place = np.eye(4)
        x, y, z, w = node.get("rotation", (0, 0, 0, 1))
        place[:3, :3] = np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        ) * node.get("scale", (1, 1, 1))
        place[:3, 3] = node.get("translation", (0, 0, 0))
        return place

    def place(number):
        own = local(tree["nodes"][number])
        return place(above[number]) @ own if number in above else own

    return [place(number) for number in range(len(tree["nodes"]))]


@pytest.fixture(scope="module")
def turned_ada(tmp_path_factory):
    """A bare character that lies on its back, away from the origin."""
    path = tmp_path_factory.mktemp("files") / "turned.blend"
    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(ADA))
    obj = next(obj for obj in bpy.data.objects if obj.type == "MESH")
    obj.name = "Ada"
    while obj.parent is not None:
        obj = obj.parent
    obj.rotation_mode = "XYZ"
    obj.rotation_euler = (np.pi / 2, 0.0, np.pi / 2)
    obj.location = (3.0, 1.0, 2.0)
    bpy.ops.mesh.primitive_cube_add()
    bpy.context.object.name = "Bystander"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


def test_a_vrm_is_an_avatar_in_a_t_pose_that_faces_the_front(turned_ada, tmp_path, capfd):
    output = tmp_path / "ada.vrm"
    arguments = ("--kind", "vrm", "--object", "Ada", "--author", "Me", "--check")
    assert run("rig", turned_ada, *arguments, "--output", output) == 0
    assert "do not hold animations" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == [output]
    tree, _ = tree_of(output)
    assert "VRMC_vrm" in tree["extensionsUsed"]
    vrm = tree["extensions"]["VRMC_vrm"]
    assert vrm["specVersion"] == "1.0"
    assert vrm["meta"]["authors"] == ["Me"]
    assert vrm["meta"]["licenseUrl"] == "https://vrm.dev/licenses/1.0/"
    assert vrm["meta"]["name"] == "Ada"
    bones = {bone: found["node"] for bone, found in vrm["humanoid"]["humanBones"].items()}
    assert set(REQUIRED) <= bones.keys()
    (skin,) = tree["skins"]
    assert set(bones.values()) <= set(skin["joints"])
    assert not any(node.get("name") == "Bystander" for node in tree["nodes"])
    at = {bone: place[:3, 3] for bone, place in zip(
        bones, np.array(places_of_nodes(tree))[list(bones.values())], strict=True
    )}  # fmt: skip
    for side, out in (("left", 1), ("right", -1)):
        arm = at[f"{side}Hand"] - at[f"{side}UpperArm"]
        np.testing.assert_allclose(arm / np.linalg.norm(arm), [out, 0, 0], atol=1e-3)
        leg = at[f"{side}Foot"] - at[f"{side}UpperLeg"]
        np.testing.assert_allclose(leg / np.linalg.norm(leg), [0, -1, 0], atol=1e-3)
        # The front is +z.
        assert (at[f"{side}Toes"] - at[f"{side}Foot"])[2] > 0.02
    height = at["head"][1]
    assert 1.0 < height < 2.0
    np.testing.assert_allclose(at["hips"][[0, 2]], 0, atol=1e-3)
    assert 0 < at["leftFoot"][1] < 0.15 * height


def test_a_vrm_needs_the_bones_of_a_vrm(tmp_path, capfd):
    output = tmp_path / "ada.vrm"
    assert run("rig", ADA, "--kind", "mixamo", "--output", output) == 1
    assert "--kind vrm" in capfd.readouterr().err
    assert not list(tmp_path.iterdir())


def test_an_animal_is_rigged_by_the_model_of_its_parts(tmp_path, capfd):
    output = tmp_path / "dana.glb"
    model = ("--model", "animal_parts")
    assert run("rig", SAMPLES / "dana.glb", *model, "--kind", "vrm", "--output", output) == 1
    assert "no bones of an animal" in capfd.readouterr().err
    assert not output.exists()
    assert run("rig", SAMPLES / "dana.glb", *model, "--kind", "plain", "--output", output) == 0
    (skin,) = tree_of(output)[0]["skins"]
    names = {tree_of(output)[0]["nodes"][joint]["name"] for joint in skin["joints"]}
    assert {"hips", "tail.004", "front_foot.L", "shin.R"} <= names


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
