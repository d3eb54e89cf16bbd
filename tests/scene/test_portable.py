"""Files of every format are read back with all that they hold, whatever it is called."""

import re
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")
trimesh = pytest.importorskip("trimesh")

from diffusionnet_blender.scene.files import open_file, save_file  # noqa: E402
from diffusionnet_blender.scene.portable import RESERVED, unique_names  # noqa: E402
from tests.scenes import add_body  # noqa: E402

pytestmark = pytest.mark.usefixtures("blender")

# Spaces, dots, other alphabets, digits first, too long, reserved, equal once they are clean.
NAMES = (
    "part_vertex", "DN part", "part.x", "Größe", "日本", "本日", "1st", "two\nlines", "tab\tbed",
    "a b", "a_b", "a.b", "A_B", "x", "red", "vertex_indices", "long" * 15, "long" * 14 + "er",
    "_UPPER", "_lower name", '"quoted"', "comma, and more", "", "100%",
)  # fmt: skip


def give_names(obj, names, first=0.0):
    """An attribute of each name, with values of its own; their names on the mesh and values."""
    # Else a glTF has a vertex for each corner.
    obj.data.shade_smooth()
    given = {}
    for number, name in enumerate(names):
        attribute = obj.data.attributes.new(name, "INT" if number % 2 else "FLOAT", "POINT")
        values = first + number + np.arange(len(obj.data.vertices)) % 7
        kind = np.int32 if number % 2 else np.float32
        name = attribute.name
        obj.data.attributes[name].data.foreach_set("value", values.astype(kind))
        given[name] = values
    return given


def values_read(obj):
    found = {}
    for attribute in obj.data.attributes:
        if attribute.domain == "POINT" and attribute.data_type in {"FLOAT", "INT"}:
            values = np.empty(len(attribute.data), np.float32)
            attribute.data.foreach_get("value", values)
            found[attribute.name] = values
    return found


@pytest.mark.parametrize("suffix", [".ply", ".glb", ".gltf", ".usda", ".usdc"])
def test_attributes_come_back_under_names_of_one_word(tmp_path, suffix):
    obj = add_body()
    given = give_names(obj, NAMES)
    path = tmp_path / f"body{suffix}"
    remarks = save_file(path)
    assert set(given) <= set(obj.data.attributes.keys())
    (read,) = open_file(path)
    found = values_read(read)
    assert len(found) == len(given)
    for name in found:
        assert re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name)
        assert suffix not in {".glb", ".gltf"} or (name.startswith("_") and name == name.upper())
    wanted = sorted(sorted(values.tolist()) for values in given.values())
    # A glTF has vertices in another order, and as many here.
    assert sorted(sorted(values.tolist()) for values in found.values()) == wanted
    assert any("in the file" in remark for remark in remarks)


@pytest.mark.parametrize("suffix", [".ply", ".glb"])
def test_another_reader_finds_each_of_them_once(tmp_path, suffix):
    obj = add_body()
    given = give_names(obj, NAMES)
    path = tmp_path / f"body{suffix}"
    save_file(path)
    mesh = trimesh.load(path, force="mesh", process=False)
    if suffix == ".ply":
        header = path.read_bytes().split(b"end_header")[0].decode("ascii")
        lines = [line for line in header.splitlines() if line.startswith("property")]
        names = [line.split()[-1] for line in lines if "list" not in line]
        assert all(len(line.split()) == 3 for line in lines if "list" not in line)
        assert len(set(names)) == len(names)
        read = mesh.metadata["_ply_raw"]["vertex"]["data"]
        names = [name for name in names if name not in RESERVED]
        found = [read[name].ravel().tolist() for name in names]
    else:
        found = [v.ravel().tolist() for n, v in mesh.vertex_attributes.items() if n[0] == "_"]
    wanted = sorted(sorted(values.tolist()) for values in given.values())
    assert sorted(map(sorted, found)) == wanted


def test_vertex_groups_of_a_ply_have_names_of_one_word_too_and_modifiers_still_find_them(tmp_path):
    obj = add_body()
    half = [v.index for v in obj.data.vertices if v.co.z > 0]
    obj.vertex_groups.new(name="Öber half").add(half, 0.5, "REPLACE")
    obj.vertex_groups.new(name="Ober half").add(half, 1.0, "REPLACE")
    mask = obj.modifiers.new("Mask", "MASK")
    mask.vertex_group = "Öber half"
    path = tmp_path / "body.ply"
    save_file(path)
    assert obj.vertex_groups.keys() == ["Öber half", "Ober half"]
    assert not [o.name for o in bpy.data.objects if o.type == "MESH" and o != obj]
    assert bpy.context.view_layer.objects.active == obj
    assert obj.select_get()
    (read,) = open_file(path)
    assert len(read.data.vertices) == len(half)
    found = values_read(read)
    assert {name: set(values.tolist()) for name, values in found.items()} == {
        "Ober_half": {1.0}, "Ober_half_2": {0.5}
    }  # fmt: skip


def test_objects_of_one_file_share_the_names_of_its_properties(tmp_path):
    for number, name in enumerate(("One", "Two")):
        obj = add_body(name)
        obj.location.x = 5.0 * number
        give_names(obj, ("a b", "a_b"), first=10.0 * number)
    path = tmp_path / "both.ply"
    save_file(path)
    (read,) = open_file(path)
    found = values_read(read)
    assert set(found) == {"a_b", "a_b_2"}
    assert len(read.data.vertices) == 2 * 162


def test_several_materials_and_one_mesh_of_many_objects_are_read_back(tmp_path):
    obj = add_body()
    for name in "ab":
        obj.data.materials.append(bpy.data.materials.new(name))
    for polygon in obj.data.polygons[:100]:
        polygon.material_index = 1
    give_names(obj, ("part vertex", "DN part"))
    twin = bpy.data.objects.new("Twin", obj.data)
    bpy.context.collection.objects.link(twin)
    save_file(tmp_path / "two.glb")
    assert len(open_file(tmp_path / "two.glb")) == 2
    for obj in bpy.data.objects:
        assert set(values_read(obj)) == {"_PART_VERTEX", "_DN_PART"}


def give_everything(obj):
    give_names(obj, ("number",))
    for kind, domain in (("FLOAT_VECTOR", "POINT"), ("INT", "FACE"), ("FLOAT", "CORNER")):
        obj.data.attributes.new(f"{kind} {domain}", kind, domain)
    obj.data.attributes.new(".sculpt_face_set", "INT", "FACE")
    obj.data.color_attributes.new("Paint", "BYTE_COLOR", "CORNER")
    obj.data.materials.append(bpy.data.materials.new("Skin"))
    obj.vertex_groups.new(name="mask").add([0], 1.0, "REPLACE")
    obj.shape_key_add(name="Basis")


@pytest.mark.parametrize(
    ("suffix", "lost"),
    [(".stl", {"numbers on vertices", "colors", "materials", "vertex groups", "shape keys",
               "face sets"}),
     (".obj", {"numbers on vertices", "vertex groups", "shape keys", "face sets"}),
     (".ply", {"attributes of faces, corners and edges", "materials", "shape keys", "face sets"}),
     (".fbx", {"numbers on vertices", "vertex groups", "face sets"}),
     (".glb", {"vectors on vertices", "attributes of faces, corners and edges", "vertex groups"}),
     (".usdc", {"face sets"}),
     (".blend", set())],
)  # fmt: skip
def test_what_a_format_does_not_hold_is_told(tmp_path, suffix, lost):
    obj = add_body()
    give_everything(obj)
    path = tmp_path / f"body{suffix}"
    told = "; ".join(save_file(path))
    for kind in lost:
        assert kind in told
    assert bool(lost) == ("do not hold" in told)
    assert len(open_file(path)) == 1


@pytest.mark.parametrize("suffix", [".obj", ".stl", ".fbx", ".glb", ".usdc", ".ply", ".blend"])
@pytest.mark.parametrize(
    "name", ["Größe", "日本", "a b.001", "1", "x, y", "a/b", '"q"', "new\nline"]
)
def test_objects_of_any_name_are_read_back(tmp_path, suffix, name):
    obj = add_body(name)
    obj.data.name = name
    obj.data.uv_layers.new(name=name)
    obj.data.color_attributes.new(name[:1] + "c", "BYTE_COLOR", "CORNER")
    obj.data.materials.append(bpy.data.materials.new(name))
    path = Path(tmp_path) / f"body{suffix}"
    save_file(path)
    (read,) = open_file(path)
    assert len(read.data.polygons) == 320


def test_names_stay_as_they_are_where_writing_fails(tmp_path, monkeypatch):
    from diffusionnet_blender.errors import DiffusionNetError
    from diffusionnet_blender.scene import files

    obj = add_body()
    given = give_names(obj, NAMES)
    for suffix in (".ply", ".glb", ".usdc"):
        folder = tmp_path / f"locked{suffix}"
        folder.mkdir()
        # A folder is in the place of the file.
        with pytest.raises(DiffusionNetError):
            files.save_file(folder)
        assert set(given) <= set(obj.data.attributes.keys())
        assert not [o.name for o in bpy.data.objects if o.type == "MESH" and o != obj]


def test_clean_names_are_never_taken_from_one_that_has_them():
    assert unique_names(["a b", "a_b", "a.b"]) == {"a_b": "a_b", "a b": "a_b_2", "a.b": "a_b_3"}
    # The parts of a vector are names too.
    assert unique_names(["v", "v_x"]) == {"v": "v", "v_x": "v_x_2"}
