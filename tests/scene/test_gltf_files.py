"""Files of glTF that Blender reads, and what is told of those that it does not."""

import json
import shutil

import pytest

bpy = pytest.importorskip("bpy")

from diffusionnet_blender.errors import DiffusionNetError  # noqa: E402
from diffusionnet_blender.scene.compat import enable_addon, undecoded_gltf  # noqa: E402
from diffusionnet_blender.scene.files import WHOLE, add_file, open_file, save_file  # noqa: E402
from diffusionnet_blender.scene.gltf_header import DRACO, MESHOPT, reason_unread  # noqa: E402
from tests.glb import read_glb, write_glb  # noqa: E402
from tests.scenes import add_body, add_rig, chain  # noqa: E402

pytestmark = pytest.mark.usefixtures("blender")

TEXTURES = "KHR_texture_basisu"
MESHOPT_IS_READ = bpy.app.version >= (5, 2, 0)


@pytest.fixture
def plain(tmp_path):
    """A .glb that everything reads."""
    add_body()
    save_file(tmp_path / "plain.glb")
    return tmp_path / "plain.glb"


def changed(path, name, **changes):
    """A copy of a .glb with other entries in its JSON; None takes an entry out."""
    content, data = read_glb(path)
    content |= changes
    target = path.with_name(name)
    write_glb(target, {k: v for k, v in content.items() if v is not None}, data)
    return target


def told(path):
    with pytest.raises(DiffusionNetError) as caught:
        open_file(path)
    assert "Traceback" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["a.vrm", "a.VRM", "a.GLB"])
@pytest.mark.parametrize("reader", [open_file, add_file])
def test_a_vrm_is_a_glb_with_more_in_it(plain, name, reader):
    used = ["VRM", "VRMC_vrm", "KHR_materials_unlit"]
    path = changed(plain, name, extensionsUsed=used, extensions={"VRM": {"meta": {}}})
    (obj,) = reader(path)
    assert len(obj.data.polygons) == 320
    assert {file.name for file in path.parent.iterdir()} == {"plain.glb", name}


def test_bones_of_a_vrm_are_no_mesh(tmp_path):
    obj = add_body()
    obj.vertex_groups.new(name="head").add(range(162), 1.0, "REPLACE")
    add_rig(obj, chain("head", "neck"))
    save_file(tmp_path / "rigged.glb")
    (read,) = open_file(shutil.copy(tmp_path / "rigged.glb", tmp_path / "rigged.vrm"))
    assert read.find_armature()


def test_a_vrm_is_not_written(tmp_path):
    add_body()
    with pytest.raises(DiffusionNetError, match=r"a\.vrm cannot be written.*Write a \.glb") as e:
        save_file(tmp_path / "a.vrm")
    assert "Supported types" not in str(e.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".glb", ".vrm"])
@pytest.mark.parametrize(
    ("extensions", "words"),
    [
        *(
            pytest.param(
                [name],
                f"is compressed with meshopt ({name})",
                marks=pytest.mark.skipif(MESHOPT_IS_READ, reason="this Blender reads meshopt"),
            )
            for name in MESHOPT
        ),
        (["MESHOPT_compression"], "is compressed with meshopt"),
        ([TEXTURES], f"has KTX2 textures ({TEXTURES})"),
        (["MESHOPT_compression", TEXTURES], "has KTX2 textures and is compressed with meshopt"),
        (["FOO_bar"], "demands the glTF extension FOO_bar,"),
        (["FOO_bar", "FOO_baz"], "demands the glTF extensions FOO_bar, FOO_baz,"),
    ],
)
def test_what_a_file_demands_is_told_by_name(plain, suffix, extensions, words):
    path = changed(plain, f"a{suffix}", extensionsUsed=extensions, extensionsRequired=extensions)
    message = told(path)
    assert words in message
    assert f"Blender {bpy.app.version[0]}.{bpy.app.version[1]} does not read" in message
    assert "Export it again without" in message
    assert ("gltf-transform" in message) == ("FOO" not in words)
    assert WHOLE not in message


@pytest.mark.parametrize("extension", [*MESHOPT, DRACO, TEXTURES, "FOO_bar"])
def test_what_a_file_can_do_without_does_not_matter(plain, extension):
    path = changed(plain, "a.glb", extensionsUsed=[extension])
    assert len(open_file(path)) == 1


def test_a_decoder_that_is_missing_is_told_even_if_the_file_has_a_plain_copy(plain):
    path = changed(plain, "a.glb", extensionsUsed=[DRACO])
    message = str(reason_unread(path, [DRACO], {DRACO}, "Blender 0.1"))
    assert "is compressed with Draco (KHR_draco_mesh_compression), which Blender 0.1" in message
    assert reason_unread(path, [DRACO], (), "Blender 0.1") is None


def test_a_missing_decoder_is_told_by_the_file_that_needs_it(plain):
    enable_addon("io_scene_gltf2")
    missing = undecoded_gltf()
    if not missing:
        pytest.skip("this Blender has all decoders")
    content, data = read_glb(plain)
    for view in content["bufferViews"]:
        view["extensions"] = {name: {"buffer": 0, "count": 1} for name in missing - {DRACO}}
    for mesh in content["meshes"]:
        for primitive in mesh["primitives"]:
            primitive["extensions"] = {DRACO: {"bufferView": 0, "attributes": {}}}
    content |= {"extensionsUsed": sorted(missing), "extensionsRequired": sorted(missing)}
    path = plain.with_name("packed.glb")
    write_glb(path, content, data)
    assert "is compressed with" in told(path)


@pytest.mark.parametrize("suffix", [".glb", ".vrm"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-50],
        lambda content: content[:100],
        lambda content: content[:10],
        lambda content: b"",
        lambda content: b"hello",
        lambda content: b"[1, 2]",
        lambda content: b"[" * 100_000,
        lambda content: content[:12] + b"\xff" * 8 + content[20:],
    ],
)
def test_a_file_that_is_not_whole_is_asked_about(plain, suffix, damage):
    # Even if what is left of it says that it is compressed.
    whole = changed(plain, "whole.glb", extensionsUsed=["A"], extensionsRequired=["A"])
    path = plain.with_name(f"cut{suffix}")
    path.write_bytes(damage(whole.read_bytes()))
    assert WHOLE in told(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"extensionsRequired": [3]},
        {"extensionsRequired": {"a": 1}},
        {"extensionsRequired": "A", "extensionsUsed": 5},
        {"asset": 7},
        {"asset": None},
        {"buffers": 3},
        {"buffers": [3]},
        {"meshes": [{"primitives": [{"attributes": {"POSITION": 999}}]}]},
    ],
)
def test_nonsense_in_the_json_is_one_line(plain, changes):
    assert "\n" not in told(changed(plain, "a.glb", **changes))


@pytest.mark.parametrize("version", ["1.0", "3.0"])
def test_another_version_of_gltf_is_told(plain, version):
    path = changed(plain, "a.glb", asset={"version": version})
    assert f"The file is glTF {version}, and Blender" in told(path)


def test_a_binary_of_the_first_version_is_told(tmp_path):
    path = tmp_path / "a.glb"
    path.write_bytes(b"glTF\1\0\0\0" + b"\0" * 40)
    assert "The file is glTF 1.0" in told(path)


@pytest.mark.parametrize("there", [True, False])
def test_a_gltf_without_its_buffer_names_it(tmp_path, there):
    add_body()
    save_file(tmp_path / "a.gltf")
    path = tmp_path / "a.gltf"
    content = json.loads(path.read_text())
    content["buffers"][0]["uri"] = "a%20b.bin"
    path.write_text(json.dumps(content))
    if there:
        (tmp_path / "a.bin").rename(tmp_path / "a b.bin")
        assert len(open_file(path)) == 1
    else:
        assert "a b.bin is missing" in told(path)
