"""Parts come back from a glTF as they were, and other programs read them too."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from diffusionnet_blender.errors import DiffusionNetError  # noqa: E402
from diffusionnet_blender.scene import gltf  # noqa: E402
from diffusionnet_blender.scene.doubts import read_doubts  # noqa: E402
from diffusionnet_blender.scene.edit import (  # noqa: E402
    assign_selected,
    grow_part,
    merge_parts,
    recolour_part,
)
from diffusionnet_blender.scene.files import add_file, open_file, save_file  # noqa: E402
from diffusionnet_blender.scene.gltf_parts import EXTRAS, parts_from  # noqa: E402
from diffusionnet_blender.scene.labels import labels_to_write, read_labels  # noqa: E402
from diffusionnet_blender.scene.materials import is_edited, part_slots  # noqa: E402
from diffusionnet_blender.scene.options import Outputs  # noqa: E402
from diffusionnet_blender.scene.ownership import Kind, Role, still_ours  # noqa: E402
from diffusionnet_blender.scene.write import write_labels  # noqa: E402
from tests.conftest import CLASSES, COLOURS  # noqa: E402
from tests.glb import read_glb, write_glb  # noqa: E402
from tests.scenes import (  # noqa: E402
    add_body,
    add_quads,
    add_rig,
    chain,
    result_for,
    select,
    snapshot,
    values_of,
)

pytestmark = pytest.mark.usefixtures("blender")

ALL = {"confidence": True, "group_weights": "HARD"}


def smooth():
    obj = add_body()
    obj.data.shade_smooth()
    return obj


def of_polygons():
    obj = add_quads()
    obj.modifiers.new("Bevel", "BEVEL")
    return obj


def of_seams():
    obj = smooth()
    select(obj)
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.uv.smart_project()
    bpy.ops.object.mode_set(mode="OBJECT")
    return obj


def of_materials():
    obj = smooth()
    for name in "ab":
        obj.data.materials.append(bpy.data.materials.new(name))
    for polygon in list(obj.data.polygons)[::3]:
        polygon.material_index = 1
    return obj


def with_keys():
    obj = smooth()
    obj.shape_key_add(name="Basis")
    obj.shape_key_add(name="Wide").points[0].co.x += 1
    return obj


def rigged():
    obj = smooth()
    half = len(obj.data.vertices) // 2
    # A bone has the name of a part.
    obj.vertex_groups.new(name="head").add(range(half), 1.0, "REPLACE")
    obj.vertex_groups.new(name="spine").add(range(half, 2 * half), 1.0, "REPLACE")
    obj.parent = add_rig(obj, chain("spine", "head"))
    return obj


def turned():
    obj = smooth()
    obj.location, obj.rotation_euler, obj.scale = (1, 2, 3), (0.3, 0.5, 0.7), (2, -1, 1.5)
    bpy.context.view_layer.update()
    return obj


KINDS = (add_body, smooth, of_polygons, of_seams, of_materials, with_keys, rigged, turned)


def labelled(make=smooth, **outputs):
    obj = make()
    labels = replace(result_for(obj), unsure_of=("sides", "head"))
    write_labels(obj, labels, Outputs(**{**ALL, **outputs}))
    return obj


def faces_in_space(obj):
    """Part of each triangle by the place of its middle, in the world."""
    mesh = obj.data
    mesh.calc_loop_triangles()
    places = np.array([t.center for t in mesh.loop_triangles])
    places = places @ np.array(obj.matrix_world.to_3x3()).T + np.array(obj.matrix_world.translation)
    parts = values_of(obj, mesh.diffusionnet.face_attribute)
    return places, parts[[t.polygon_index for t in mesh.loop_triangles]]


def vertices_in_space(obj):
    places = np.array([obj.matrix_world @ vertex.co for vertex in obj.data.vertices])
    return places, values_of(obj, obj.data.diffusionnet.vertex_attribute)


def legend_of(obj):
    return [
        (part.name, np.round(tuple(part.color), 5).tolist()) for part in obj.data.diffusionnet.parts
    ]


def same_in_space(before, after):
    (places, parts), (found, read) = before, after
    nearest = np.linalg.norm(found[:, None] - places[None], axis=2)
    assert nearest.min(axis=1).max() < 1e-4
    np.testing.assert_array_equal(parts[nearest.argmin(axis=1)], read)


@pytest.mark.parametrize("suffix", [".glb", ".gltf"])
@pytest.mark.parametrize("make", KINDS)
def test_every_face_and_vertex_has_its_part_again(tmp_path, suffix, make):
    obj = labelled(make)
    legend, faces, vertices = legend_of(obj), faces_in_space(obj), vertices_in_space(obj)
    confidence = np.sort(np.unique(values_of(obj, "part_confidence")))
    before = snapshot(obj)
    told = "; ".join(save_file(tmp_path / f"a{suffix}"))
    assert "numbers" not in told
    assert "attributes of faces" not in told
    assert snapshot(obj) == before
    (read,) = open_file(tmp_path / f"a{suffix}")
    mesh = read.data
    assert legend_of(read) == legend
    assert mesh.diffusionnet.model == "by height"
    assert read_doubts(mesh) == ("sides", "head")
    assert len(read.data.loops) == 3 * len(faces[0])
    same_in_space(faces, faces_in_space(read))
    same_in_space(vertices, vertices_in_space(read))
    found = np.sort(np.unique(values_of(read, "part_confidence")))
    np.testing.assert_allclose(found, confidence, atol=1e-6)
    names = ["part", "part_vertex", "part_color", "part_confidence"]
    assert still_ours(read, Kind.ATTRIBUTE, Role.LABELS, names) == names
    assert mesh.color_attributes.keys() == ["part_color"]
    assert mesh.color_attributes.active_color_name == "part_color"
    groups = [part.vertex_group for part in mesh.diffusionnet.parts]
    assert still_ours(read, Kind.VERTEX_GROUP, Role.LABELS, groups) == groups
    assert groups[0] == ("DN head" if make is rigged else "head")
    assert not [name for name in mesh.attributes.keys() if name.startswith("_")]
    assert EXTRAS not in mesh.keys()


def test_what_is_done_with_parts_is_done_with_those_of_a_file(tmp_path):
    labelled(materials=True)
    save_file(tmp_path / "a.glb")
    (obj,) = open_file(tmp_path / "a.glb")
    outputs = Outputs(**ALL, materials=True)
    write_labels(obj, labels_to_write(obj), outputs)
    assert "DN part" not in obj.data.attributes
    assert {m.name for m in obj.data.materials if m and m.name.startswith("DN")} == {
        f"DN {name}" for name in CLASSES
    }
    before = np.bincount(read_labels(obj).polygon_labels, minlength=4)
    assert grow_part(obj, 0, 1) > 0
    obj.data.polygons.foreach_set("select", [n < 7 for n in range(len(obj.data.polygons))])
    assign_selected(obj, 2)
    recolour_part(obj, 1, (0.0, 0.0, 1.0))
    merge_parts(obj, 3, 2)
    labels = read_labels(obj)
    after = np.bincount(labels.polygon_labels, minlength=3)
    assert after[0] > before[0] - 7
    assert labels.class_names == CLASSES[:3]
    material = obj.data.materials[part_slots(obj.data)["torso"]]
    assert tuple(material.diffuse_color) == (0.0, 0.0, 1.0, 1.0)
    save_file(tmp_path / "b.glb")
    (again,) = open_file(tmp_path / "b.glb")
    assert legend_of(again)[1] == ("torso", [0.0, 0.0, 1.0])
    found = np.bincount(read_labels(again).polygon_labels, minlength=3)
    np.testing.assert_array_equal(found, after)


def test_a_material_that_was_edited_stays_the_artists(tmp_path):
    obj = labelled(materials=True)
    obj.data.materials["DN head"].roughness = 0.1
    obj.data.materials["DN head"].diffuse_color = (1, 0, 1, 1)
    save_file(tmp_path / "a.glb")
    (read,) = open_file(tmp_path / "a.glb")
    edited = {name: is_edited(read.data.materials[n]) for name, n in part_slots(read.data).items()}
    assert edited == {name: name == "head" for name in CLASSES}


@pytest.mark.parametrize(
    ("outputs", "attributes", "groups"),
    [
        ({"colors": False}, {"part", "part_vertex", "part_confidence"}, 4),
        ({"vertex_groups": False}, {"part", "part_vertex", "part_confidence", "part_color"}, 0),
        ({"confidence": False}, {"part", "part_vertex", "part_color"}, 4),
        ({"group_weights": "SOFT"}, {"part", "part_vertex", "part_confidence", "part_color"}, 4),
        ({"attributes": False, "confidence": False}, set(), 0),
    ],
)
def test_what_was_written_comes_back_and_no_more(tmp_path, outputs, attributes, groups):
    labelled(**outputs)
    save_file(tmp_path / "a.glb")
    (read,) = open_file(tmp_path / "a.glb")
    assert {n for n in read.data.attributes.keys() if n.startswith("part")} == attributes
    assert len(read.vertex_groups) == groups
    assert bool(read.data.diffusionnet.parts) == bool(attributes)


@pytest.mark.parametrize("missing", ["part", "part_vertex"])
def test_labels_of_faces_or_of_vertices_are_enough(tmp_path, missing):
    obj = labelled()
    faces = faces_in_space(obj)
    obj.data.attributes.remove(obj.data.attributes[missing])
    wanted = read_labels(obj).polygon_labels
    save_file(tmp_path / "a.glb")
    (read,) = open_file(tmp_path / "a.glb")
    if missing == "part_vertex":
        same_in_space(faces, faces_in_space(read))
    found = read_labels(read).polygon_labels
    np.testing.assert_array_equal(np.bincount(found), np.bincount(wanted))


def test_objects_and_shared_meshes_of_one_file(tmp_path):
    one = labelled()
    two = labelled(add_quads)
    two.location.x = 5
    twin = bpy.data.objects.new("Twin", one.data)
    bpy.context.collection.objects.link(twin)
    twin.location.x = -5
    plain = add_body("Plain")
    plain.location.y = 5
    wanted = {obj.name: legend_of(obj) for obj in (one, two, twin, plain)}
    faces = {obj.name: faces_in_space(obj) for obj in (one, two, twin)}
    save_file(tmp_path / "a.glb")
    objects = {obj.name: obj for obj in open_file(tmp_path / "a.glb")}
    assert {name: legend_of(obj) for name, obj in objects.items()} == wanted
    for name, before in faces.items():
        same_in_space(before, faces_in_space(objects[name]))
    assert objects["Body"].data == objects["Twin"].data


def test_parts_are_added_to_a_scene_that_has_some(tmp_path):
    obj = labelled()
    faces = faces_in_space(obj)
    save_file(tmp_path / "a.glb")
    before = snapshot(obj)
    (added,) = add_file(tmp_path / "a.glb")
    same_in_space(faces, faces_in_space(added))
    assert snapshot(obj) == before


@pytest.mark.parametrize("suffix", [".glb", ".gltf"])
def test_another_library_reads_them(tmp_path, suffix):
    trimesh = pytest.importorskip("trimesh")
    obj = labelled()
    places, parts = vertices_in_space(obj)
    centres, labels = faces_in_space(obj)
    save_file(tmp_path / f"a{suffix}")
    mesh = trimesh.load(tmp_path / f"a{suffix}", force="mesh", process=False)
    # From y up to z up.
    vertices = mesh.vertices[:, [0, 2, 1]] * [1, -1, 1]
    same_in_space((places, parts), (vertices, mesh.vertex_attributes["_PART"].ravel()))
    around = mesh.vertex_attributes["_PART_FACE"].ravel()[mesh.faces]
    assert (around == around[:, :1]).all()
    same_in_space((centres, labels), (vertices[mesh.faces].mean(axis=1), around[:, 0]))
    entry = mesh.metadata[EXTRAS]
    assert [part["name"] for part in entry["parts"]] == list(CLASSES)
    np.testing.assert_allclose([part["color"] for part in entry["parts"]], COLOURS, atol=1e-6)
    assert entry["model"] == "by height"


def test_extras_of_the_artist_are_kept(tmp_path):
    obj = labelled()
    obj.data["studio"], obj["asset"] = {"id": 7, "tags": ["a", "b"]}, 1.5
    bpy.context.scene["shot"] = "A1"
    for name in ("a", "b"):
        save_file(tmp_path / f"{name}.glb")
        content, _ = read_glb(tmp_path / f"{name}.glb")
        assert content["meshes"][0]["extras"]["studio"] == {"id": 7, "tags": ["a", "b"]}
        assert content["nodes"][0]["extras"] == {"asset": 1.5}
        assert content["scenes"][0]["extras"] == {"shot": "A1"}
        assert "diffusionnet" not in content["meshes"][0]["extras"]
        (read,) = open_file(tmp_path / f"{name}.glb")
        assert read.data["studio"].to_dict() == {"id": 7, "tags": ["a", "b"]}


def test_an_attribute_of_the_artist_of_that_name_is_beside_it(tmp_path):
    obj = add_body()
    obj.data.shade_smooth()
    for name in ("part", "_PART", "_part_face"):
        attribute = obj.data.attributes.new(name, "FLOAT", "POINT")
        attribute.data.foreach_set("value", np.full(162, 40.0, np.float32))
    write_labels(obj, result_for(obj), Outputs())
    other = add_body("Other")
    other.location.x = 5
    other.data.attributes.new("_PART", "FLOAT", "POINT").data.foreach_set("value", [9.0] * 162)
    told = "; ".join(save_file(tmp_path / "a.glb"))
    content, _ = read_glb(tmp_path / "a.glb")
    for mesh in content["meshes"]:
        names = {n for n in mesh["primitives"][0]["attributes"] if n.startswith("_")}
        if mesh["name"] == "Other":
            assert names == {"_PART"}
        else:
            assert {"_PART", "_PART_FACE"} < names
            assert len(names) == 6
    # "_PART" comes first in the alphabet.
    assert "'part' is '_PART_3'" in told
    assert set(obj.data.attributes.keys()) >= {"part", "_PART", "_part_face"}
    objects = {obj.name: obj for obj in open_file(tmp_path / "a.glb")}
    assert len(objects["Body"].data.diffusionnet.parts) == 4
    assert set(values_of(objects["Other"], "_PART")) == {9.0}
    assert not objects["Other"].data.diffusionnet.parts


def good_entry():
    parts = [
        {"name": name, "color": list(colour)} for name, colour in zip(CLASSES, COLOURS, strict=True)
    ]
    return {"version": 1, "model": "m", "parts": parts, "vertex_groups": False}


FOREIGN = [
    None, 3, "text", [], {}, {"version": 1}, {**good_entry(), "version": 2},
    {**good_entry(), "parts": []}, {**good_entry(), "parts": {}}, {**good_entry(), "parts": [1]},
    {**good_entry(), "model": 5}, {**good_entry(), "parts": good_entry()["parts"] * 2},
    {**good_entry(), "parts": [{"name": "", "color": [0, 0, 0]}]},
    {**good_entry(), "parts": [{"name": "a", "color": [0, 0]}]},
    {**good_entry(), "parts": [{"name": "a", "color": [0, 0, 7]}]},
    {**good_entry(), "parts": [{"name": "a", "color": [0, 0, "x"]}]},
    {**good_entry(), "parts": good_entry()["parts"][:2]},
    {**good_entry(), "unsure_of": "head"}, {**good_entry(), "unsure_of": [1]},
]  # fmt: skip


def test_a_good_entry_is_one():
    assert parts_from(good_entry()).names == CLASSES


@pytest.mark.parametrize("entry", FOREIGN)
def test_an_entry_of_other_content_stays_with_its_attributes(tmp_path, entry):
    labelled()
    save_file(tmp_path / "a.glb")
    content, data = read_glb(tmp_path / "a.glb")
    content["meshes"][0]["extras"][EXTRAS] = entry
    write_glb(tmp_path / "b.glb", content, data)
    (read,) = open_file(tmp_path / "b.glb")
    assert not read.data.diffusionnet.parts
    assert set(values_of(read, "_PART")) == {0.0, 1.0, 2.0, 3.0}


@pytest.mark.parametrize(
    "extras",
    [
        5,
        "text",
        [1],
        {"diffusionnet": 5},
        {"diffusionnet": {"parts": "x", "owned": [{"name": 3}]}},
    ],
)
def test_foreign_extras_do_not_become_a_legend(tmp_path, extras):
    add_body()
    save_file(tmp_path / "a.glb")
    content, data = read_glb(tmp_path / "a.glb")
    for item in (content["meshes"][0], content["scenes"][0], content["nodes"][0]):
        item["extras"] = extras
    write_glb(tmp_path / "b.glb", content, data)
    (read,) = open_file(tmp_path / "b.glb")
    assert not read.data.diffusionnet.parts
    write_labels(read, result_for(read), Outputs())
    assert len(read.data.diffusionnet.parts) == 4


@pytest.mark.parametrize("value", [-1.0, 4.0, 0.5])
def test_numbers_of_no_part_stay_attributes(tmp_path, value):
    labelled()
    save_file(tmp_path / "a.glb")
    content, data = read_glb(tmp_path / "a.glb")
    number = content["meshes"][0]["primitives"][0]["attributes"]["_PART"]
    view = content["bufferViews"][content["accessors"][number]["bufferView"]]
    start = view.get("byteOffset", 0)
    data = data[:start] + np.float32(value).tobytes() + data[start + 4 :]
    write_glb(tmp_path / "b.glb", content, data)
    (read,) = open_file(tmp_path / "b.glb")
    assert not read.data.diffusionnet.parts
    assert "_PART" in read.data.attributes


def test_a_mesh_of_which_another_program_made_a_part_without_numbers(tmp_path):
    labelled(of_materials)
    save_file(tmp_path / "a.glb")
    content, data = read_glb(tmp_path / "a.glb")
    del content["meshes"][0]["primitives"][1]["attributes"]["_PART"]
    write_glb(tmp_path / "b.glb", content, data)
    (read,) = open_file(tmp_path / "b.glb")
    assert not read.data.diffusionnet.parts


def test_numbers_that_were_changed_by_hand_to_no_part_are_no_parts(tmp_path):
    obj = labelled()
    for name in ("part", "part_vertex"):
        obj.data.attributes[name].data[0].value = 44
    save_file(tmp_path / "a.glb")
    content, _ = read_glb(tmp_path / "a.glb")
    assert EXTRAS not in content["meshes"][0].get("extras", {})


@pytest.mark.parametrize("wanted", [True, False])
def test_blenders_own_export_and_import(tmp_path, wanted):
    obj = labelled()
    faces, before = faces_in_space(obj), snapshot(obj)
    path = str(tmp_path / "a.glb")
    # As for the enabled extension.
    with gltf._hooks_at_hand():
        bpy.ops.export_scene.gltf(filepath=path, export_attributes=wanted)
        assert snapshot(obj) == before
        bpy.ops.wm.read_homefile(app_template="", use_empty=True)
        bpy.ops.import_scene.gltf(filepath=path)
    (read,) = (obj for obj in bpy.data.objects if obj.type == "MESH")
    assert bool(read.data.diffusionnet.parts) == wanted
    if wanted:
        same_in_space(faces, faces_in_space(read))


def test_vertices_that_the_importer_merges(tmp_path):
    obj = labelled(colors=False)
    vertices, wanted = vertices_in_space(obj), read_labels(obj).polygon_labels
    save_file(tmp_path / "a.glb")
    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    with gltf._hooks_at_hand():
        bpy.ops.import_scene.gltf(filepath=str(tmp_path / "a.glb"), merge_vertices=True)
    (read,) = (obj for obj in bpy.data.objects if obj.type == "MESH")
    assert len(read.data.vertices) == 162
    same_in_space(vertices, vertices_in_space(read))
    # What the two vertices at a border had is lost: there a face has the part of its corners.
    faces, of_vertex = read_labels(read).polygon_labels, values_of(read, "part_vertex")
    corners = of_vertex[[list(polygon.vertices) for polygon in read.data.polygons]]
    inside = (corners == corners[:, :1]).all(axis=1)
    np.testing.assert_array_equal(faces[inside], wanted[inside])
    assert (corners == faces[:, None]).any(axis=1).all()
    assert 0 < inside.sum() < len(faces)


@pytest.mark.parametrize("kind", ["SUBSURF", "MIRROR"])
def test_parts_of_what_modifiers_make(tmp_path, kind):
    obj = labelled()
    modifier = obj.modifiers.new("M", kind)
    with gltf._hooks_at_hand():
        bpy.ops.export_scene.gltf(
            filepath=str(tmp_path / "a.glb"), export_attributes=True, export_apply=True
        )
    obj.modifiers.remove(modifier)
    (read,) = open_file(tmp_path / "a.glb")
    assert len(read.data.polygons) >= 640
    mesh = read.data
    of_vertex = values_of(read, "part_vertex")
    for polygon, part in zip(mesh.polygons, values_of(read, "part"), strict=True):
        assert {of_vertex[v] for v in polygon.vertices} == {part}


def test_nothing_is_left_where_writing_fails(tmp_path):
    obj = labelled()
    addons = bpy.context.preferences.addons.keys()
    before = snapshot(obj)
    (tmp_path / "a.glb").mkdir()
    with pytest.raises(DiffusionNetError):
        save_file(tmp_path / "a.glb")
    assert snapshot(obj) == before
    assert bpy.context.preferences.addons.keys() == addons
    assert [file.name for file in tmp_path.iterdir()] == ["a.glb"]


def test_an_add_on_that_is_enabled_is_not_asked_twice(tmp_path):
    labelled()
    entry = bpy.context.preferences.addons.new()
    entry.module = gltf.EXTENSION
    try:
        save_file(tmp_path / "a.glb")
        assert gltf.EXTENSION in bpy.context.preferences.addons
    finally:
        bpy.context.preferences.addons.remove(bpy.context.preferences.addons[gltf.EXTENSION])
    content, _ = read_glb(tmp_path / "a.glb")
    assert json.dumps(content["meshes"]).count(EXTRAS) == 1


def test_the_package_has_hooks_without_importing_blender():
    code = (
        "import sys, diffusionnet_blender as dn; assert 'bpy' not in sys.modules; "
        "assert not hasattr(dn, 'glTF2ImportUserExtensions')"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ})
