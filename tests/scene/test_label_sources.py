"""Labels read back from everything that an artist labels with."""

import bpy
import numpy as np
import pytest

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.scene.attributes import (
    CORNER_COLOURS,
    FACE_LABELS,
    VERTEX_COLOURS,
    VERTEX_LABELS,
    write_attribute,
)
from diffusionnet_blender.scene.label_sources import read_label_source
from diffusionnet_blender.scene.options import SOURCES, LabelSource, Outputs
from diffusionnet_blender.scene.read import read_object
from diffusionnet_blender.scene.write import FACE_SETS, write_labels
from tests.scenes import add_body, add_quads, result_for

pytestmark = pytest.mark.usefixtures("blender")

RED, GREEN = (1.0, 0.0, 0.0, 1.0), (0.0, 1.0, 0.0, 1.0)


def read(obj, source, name=""):
    return read_label_source(obj, read_object(obj), LabelSource(source, name))


def halves(obj):
    """Faces below and above the middle, and vertices."""
    centres = np.array([p.center[:] for p in obj.data.polygons])[:, 2]
    heights = np.array([v.co[:] for v in obj.data.vertices])[:, 2]
    return (centres > 0).astype(int), (heights > 0).astype(int), np.abs(heights) > 0.5


def named(found):
    """Name of each vertex's class, "" where it has none."""
    return np.array([*found.class_names, ""])[found.labels]


def assert_halves(obj, found, low, high):
    """Away from the border, where faces and vertices may differ, all is as it was made."""
    _, of_vertices, clear = halves(obj)
    names = named(found)
    np.testing.assert_array_equal(names[clear], np.where(of_vertices, high, low)[clear])
    assert set(names) == {low, high}


def test_parts_are_read_with_names_and_colours():
    obj = add_body()
    result = result_for(obj)
    write_labels(obj, result, Outputs())
    found = read(obj, "PARTS")
    np.testing.assert_array_equal(found.labels, result.vertex_labels)
    assert found.class_names == result.class_names
    np.testing.assert_allclose(found.class_colours, result.class_colours, atol=1e-3)


def test_of_vertex_groups_the_heaviest_counts_and_none_is_no_label():
    obj = add_body()
    low, high = obj.vertex_groups.new(name="low"), obj.vertex_groups.new(name="high")
    count = len(obj.data.vertices)
    low.add(list(range(count - 5)), 0.4, "REPLACE")
    high.add(list(range(10)), 0.6, "REPLACE")
    names = named(read(obj, "VERTEX_GROUPS"))
    assert set(names[:10]) == {"high"}
    assert set(names[10 : count - 5]) == {"low"}
    assert set(names[count - 5 :]) == {""}


def test_face_sets_are_classes_by_their_numbers():
    obj = add_body(subdivisions=3)
    faces, _, _ = halves(obj)
    write_attribute(obj.data, FACE_SETS, FACE_LABELS, 1 + 6 * faces)
    assert_halves(obj, read(obj, "FACE_SETS"), "face set 1", "face set 7")


def test_materials_are_classes_by_their_names_and_an_empty_slot_is_no_label():
    obj = add_body(subdivisions=3)
    faces, _, _ = halves(obj)
    for material in (bpy.data.materials.new("Skin"), None):
        obj.data.materials.append(material)
    write_attribute(obj.data, "material_index", FACE_LABELS, faces)
    found = read(obj, "MATERIALS")
    assert found.class_names == ("Skin",)
    assert_halves(obj, found, "Skin", "")


def test_the_numbers_that_blender_gives_materials_of_one_name_tell_no_classes_apart():
    found = []
    for number in range(2):
        obj = add_body(f"Body {number}", subdivisions=3)
        faces, _, _ = halves(obj)
        for name in ("Skin", "Shirt"):
            obj.data.materials.append(bpy.data.materials.new(name))
        write_attribute(obj.data, "material_index", FACE_LABELS, faces)
        found.append(read(obj, "MATERIALS"))
    assert obj.data.materials[0].name == "Skin.001"
    assert found[0].class_names == found[1].class_names == ("Skin", "Shirt")
    # Two of one name on one mesh are two classes still.
    obj.data.materials[1].name = "Skin.002"
    assert read(obj, "MATERIALS").class_names == ("Skin.001", "Skin.002")


@pytest.mark.parametrize("kind", [VERTEX_LABELS, FACE_LABELS])
def test_integers_are_classes_and_negative_ones_no_label(kind):
    obj = add_body(subdivisions=3)
    faces, vertices, _ = halves(obj)
    values = vertices if kind is VERTEX_LABELS else faces
    write_attribute(obj.data, "zone", kind, np.where(values, 4, -1))
    found = read(obj, "ATTRIBUTE", "zone")
    assert found.class_names == ("zone 4",)
    assert_halves(obj, found, "", "zone 4")


@pytest.mark.parametrize("kind", [VERTEX_COLOURS, CORNER_COLOURS])
def test_colours_are_classes_but_for_what_a_soft_brush_mixed(kind):
    obj = add_body(subdivisions=3)
    faces, vertices, _ = halves(obj)
    values = vertices if kind is VERTEX_COLOURS else np.repeat(faces, 3)
    colours = np.where(values[:, None], RED, GREEN)
    colours[:1] = (0.5, 0.5, 0.0, 1.0)
    write_attribute(obj.data, "paint", kind, colours)
    for name in ("paint", ""):
        found = read(obj, "COLOR", name)
        assert set(found.class_names) == {"#ff0000", "#00ff00"}
        assert dict(zip(found.class_names, found.class_colours, strict=True))["#ff0000"] == (
            1.0, 0.0, 0.0,
        )  # fmt: skip
        names = named(found)
        _, of_vertices, clear = halves(obj)
        right = names == np.where(of_vertices, "#ff0000", "#00ff00")
        assert right[clear].sum() >= clear.sum() - 1


def test_quads_hand_their_labels_to_their_vertices():
    obj = add_quads()
    faces = np.zeros(len(obj.data.polygons), dtype=int)
    lid = max(obj.data.polygons, key=lambda p: p.center[2])
    faces[lid.index] = 3
    write_attribute(obj.data, "zone", FACE_LABELS, faces)
    names = named(read(obj, "ATTRIBUTE", "zone"))
    # A corner of the lid, half of a hexagon, has more of it around than of the two sides.
    assert {names[i] for i in lid.vertices} <= {"zone 0", "zone 3"}
    assert {names[i] for i in range(len(names)) if i not in set(lid.vertices)} == {"zone 0"}


def test_labels_are_read_in_edit_mode_too():
    obj = add_body()
    _, vertices, _ = halves(obj)
    write_attribute(obj.data, "zone", VERTEX_LABELS, vertices)
    bpy.ops.object.mode_set(mode="EDIT")
    found = read(obj, "ATTRIBUTE", "zone")
    assert obj.mode == "EDIT"
    bpy.ops.object.mode_set(mode="OBJECT")
    np.testing.assert_array_equal(found.labels, vertices)


@pytest.mark.parametrize("source", [value for value, _, _ in SOURCES])
def test_what_is_not_there_is_said_with_what_to_do(source):
    obj = add_body()
    with pytest.raises(DiffusionNetError, match="Body") as caught:
        read(obj, source)
    assert caught.value.fix


def test_too_many_colours_are_no_labels():
    obj = add_body(subdivisions=2)
    colours = np.ones((len(obj.data.vertices), 4))
    colours[:, 0] = np.linspace(0, 1, len(colours)) // 0.012 * 0.012
    write_attribute(obj.data, "paint", VERTEX_COLOURS, colours)
    with pytest.raises(DiffusionNetError, match="hard brush"):
        read(obj, "COLOR")
