"""From labels to objects, read back through Blender."""

from dataclasses import replace
from time import perf_counter

import bpy
import numpy as np
import pytest

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.scene.options import Outputs
from diffusionnet_blender.scene.read import read_object
from diffusionnet_blender.scene.write import write_labels
from diffusionnet_blender.tasks.labels import polygon_labels, triangle_labels
from tests.conftest import CLASSES, COLOURS
from tests.scenes import (
    add_body,
    add_mesh,
    add_quads,
    group_weights,
    link_bodies,
    result_for,
    select,
    snapshot,
    values_of,
)
from tests.shapes import icosphere

pytestmark = pytest.mark.usefixtures("blender")

NOTHING = Outputs(attributes=False, colors=False, vertex_groups=False, confidence=False)
EVERYTHING = Outputs(group_weights="SOFT", face_sets=True, materials=True, confidence=True)


def only(**chosen):
    return replace(NOTHING, **chosen)


def test_attributes():
    obj = add_body()
    result = result_for(obj)
    write_labels(obj, result, only(attributes=True))
    assert np.array_equal(values_of(obj, "part"), result.polygon_labels)
    assert np.array_equal(values_of(obj, "part_vertex"), result.vertex_labels)
    assert obj.data.attributes["part"].domain == "FACE"
    assert obj.data.attributes["part"].data_type == "INT"
    assert len(set(result.polygon_labels)) == len(CLASSES)


def test_colours_are_the_palette_at_every_corner_and_active():
    obj = add_quads()
    obj.data.color_attributes.new("mine", "FLOAT_COLOR", "POINT")
    result = result_for(obj)
    write_labels(obj, result, only(colors=True))
    colours = obj.data.color_attributes
    assert colours.active_color.name == "part_color"
    # The artist's own are rendered and exported as before.
    assert colours[colours.render_color_index].name == "mine"
    assert (colours["part_color"].domain, colours["part_color"].data_type) == (
        "CORNER",
        "BYTE_COLOR",
    )
    for polygon in obj.data.polygons:
        expected = (*COLOURS[result.polygon_labels[polygon.index]], 1.0)
        for corner in polygon.loop_indices:
            shown = colours["part_color"].data[corner].color_srgb
            np.testing.assert_allclose(shown, expected, atol=1 / 255)


def test_hard_vertex_groups():
    obj = add_body()
    result = result_for(obj)
    write_labels(obj, result, only(vertex_groups=True))
    assert [group.name for group in obj.vertex_groups] == list(CLASSES)
    for index, name in enumerate(CLASSES):
        assert np.array_equal(group_weights(obj, name), result.vertex_labels == index)


def test_soft_vertex_groups_are_the_probabilities():
    obj = add_body()
    result = result_for(obj)
    write_labels(obj, result, only(vertex_groups=True, group_weights="SOFT"))
    weights = np.stack([group_weights(obj, name) for name in CLASSES], axis=1)
    probabilities = result.vertex_probabilities
    kept = probabilities >= 0.01
    assert not kept.all()
    np.testing.assert_allclose(weights[kept], probabilities[kept], atol=0.00051)
    assert (weights[~kept] == 0).all()


def test_face_sets_start_at_one():
    obj = add_body()
    result = result_for(obj)
    write_labels(obj, result, only(face_sets=True))
    assert np.array_equal(values_of(obj, ".sculpt_face_set"), result.polygon_labels + 1)


def test_materials_are_added_behind_the_slots_that_exist():
    obj = add_body()
    skin = bpy.data.materials.new("Skin")
    obj.data.materials.append(skin)
    obj.data.materials.append(None)
    result = result_for(obj)
    write_labels(obj, result, only(materials=True))
    assert list(obj.data.materials)[:2] == [skin, None]
    assert [m.name for m in list(obj.data.materials)[2:]] == [f"DN {name}" for name in CLASSES]
    for polygon in obj.data.polygons:
        assert polygon.material_index == 2 + result.polygon_labels[polygon.index]
    head = bpy.data.materials["DN head"]
    linear = ((0.9 + 0.055) / 1.055) ** 2.4
    assert head.diffuse_color[0] == pytest.approx(linear, abs=1e-4)
    assert head.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value[
        0
    ] == pytest.approx(linear, abs=1e-4)


def test_materials_are_shared_and_a_users_one_of_that_name_is_left_alone():
    users = bpy.data.materials.new("DN torso")
    users.diffuse_color = (1, 1, 1, 1)
    first, second = add_body("A"), add_body("B")
    for obj in (first, second):
        write_labels(obj, result_for(obj), only(materials=True))
    assert list(first.data.materials) == list(second.data.materials)
    assert users not in list(first.data.materials)
    assert tuple(users.diffuse_color) == (1, 1, 1, 1)


def test_confidence():
    obj = add_body()
    result = result_for(obj)
    write_labels(obj, result, only(confidence=True))
    highest = result.vertex_probabilities.max(axis=1)
    np.testing.assert_allclose(values_of(obj, "part_confidence"), highest)


@pytest.mark.parametrize("make", [add_body, add_quads])
def test_writing_twice_is_writing_once(make):
    obj = make()
    result = result_for(obj)
    write_labels(obj, result, EVERYTHING)
    once = snapshot(obj)
    write_labels(obj, result, EVERYTHING)
    assert snapshot(obj) == once


def test_another_result_takes_the_place_of_the_first():
    obj = add_body()
    write_labels(obj, result_for(obj, seed=0), EVERYTHING)
    write_labels(obj, result_for(obj, seed=1), EVERYTHING)
    again = snapshot(obj)
    other = add_body("Other")
    write_labels(other, result_for(other, seed=1), EVERYTHING)
    assert snapshot(other) == again


def test_data_of_other_names_is_untouched():
    obj = add_body()
    mesh = obj.data
    mesh.uv_layers.new(name="UV")
    mesh.uv_layers["UV"].uv.foreach_set(
        "vector", np.linspace(0, 1, 2 * len(mesh.loops), dtype=np.float32)
    )
    mesh.attributes.new("mine", "FLOAT", "POINT")
    mesh.attributes["mine"].data.foreach_set("value", np.arange(len(mesh.vertices), dtype="f4"))
    mesh.color_attributes.new("paint", "BYTE_COLOR", "CORNER")
    obj.vertex_groups.new(name="spine").add([0, 5], 0.3, "REPLACE")
    obj.shape_key_add(name="Basis")

    def users_data():
        uv = np.empty(2 * len(mesh.loops), dtype=np.float32)
        mesh.uv_layers["UV"].uv.foreach_get("vector", uv)
        return (
            uv.tolist(),
            values_of(obj, "mine").tolist(),
            [tuple(c.color) for c in mesh.color_attributes["paint"].data],
            group_weights(obj, "spine").tolist(),
            [tuple(v.co) for v in mesh.vertices],
            list(mesh.shape_keys.key_blocks.keys()),
        )

    before = users_data()
    write_labels(obj, result_for(obj), EVERYTHING)
    assert users_data() == before


def test_a_bones_weights_of_the_same_name_stay_and_ours_get_a_prefix():
    obj = add_body()
    obj.vertex_groups.new(name="head").add([1, 2, 3], 0.5, "REPLACE")
    bones = group_weights(obj, "head")
    result = result_for(obj)
    for _ in range(2):
        write_labels(obj, result, only(vertex_groups=True))
        assert np.array_equal(group_weights(obj, "head"), bones)
        assert np.array_equal(group_weights(obj, "DN head"), result.vertex_labels == 0)
    expected = ["head", "DN head", *CLASSES[1:]]
    assert [group.name for group in obj.vertex_groups] == expected
    assert [part.vertex_group for part in obj.data.diffusionnet.parts] == expected[1:]


def test_an_attribute_of_the_same_name_stays_and_ours_gets_a_prefix():
    obj = add_body()
    obj.data.attributes.new("part", "FLOAT", "POINT")
    obj.vertex_groups.new(name="part_vertex")
    result = result_for(obj)
    for _ in range(2):
        write_labels(obj, result, only(attributes=True))
        assert obj.data.attributes["part"].data_type == "FLOAT"
        assert np.array_equal(values_of(obj, "DN part"), result.polygon_labels)
        assert np.array_equal(values_of(obj, "DN part_vertex"), result.vertex_labels)
    assert obj.data.diffusionnet.face_attribute == "DN part"


def test_names_are_still_ours_after_saving_and_opening(tmp_path):
    obj = add_body()
    write_labels(obj, result_for(obj), EVERYTHING)
    once = snapshot(obj)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "body.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "body.blend"))
    obj = bpy.data.objects["Body"]
    assert snapshot(obj) == once
    write_labels(obj, result_for(obj), EVERYTHING)
    assert snapshot(obj) == once


def test_locked_groups_are_left_and_said_so():
    obj = add_body()
    write_labels(obj, result_for(obj, seed=0), only(vertex_groups=True))
    obj.vertex_groups["torso"].lock_weight = True
    locked, other = group_weights(obj, "torso"), group_weights(obj, "head")
    result = result_for(obj, seed=1)
    assert write_labels(obj, result, only(attributes=True)) == []
    remarks = write_labels(obj, result, only(vertex_groups=True))
    assert remarks == ["left out: locked vertex groups torso"]
    assert np.array_equal(group_weights(obj, "torso"), locked)
    assert not np.array_equal(group_weights(obj, "head"), other)


def test_long_and_repeated_class_names():
    obj = add_body()
    names = ("x" * 80, "same", "same", "ä" * 70)
    result = result_for(obj, classes=names)
    for _ in range(2):
        write_labels(obj, result, EVERYTHING)
    groups = [part.vertex_group for part in obj.data.diffusionnet.parts]
    assert len(set(groups)) == 4 == len(obj.vertex_groups)
    for index, name in enumerate(groups):
        members = group_weights(obj, name) > 0
        assert np.array_equal(members, result.vertex_probabilities[:, index] >= 0.01)


def test_the_legend_adds_up():
    obj = add_body()
    result = result_for(obj)
    write_labels(obj, result, EVERYTHING)
    parts = obj.data.diffusionnet.parts
    assert obj.data.diffusionnet.model == "by height"
    assert [part.name for part in parts] == list(CLASSES)
    assert sum(part.share for part in parts) == pytest.approx(1.0, abs=1e-6)
    assert sum(part.area for part in parts) == pytest.approx(result.polygon_areas.sum(), rel=1e-5)
    assert sum(part.face_count for part in parts) == len(obj.data.polygons)
    assert sum(part.vertex_count for part in parts) == len(obj.data.vertices)
    np.testing.assert_allclose([tuple(part.color) for part in parts], COLOURS, atol=1e-6)


def test_ngons_get_the_area_weighted_vote():
    """A triangle with a corner beveled into six: most triangles lie there, most area does not."""
    turn = np.linspace(0, np.pi / 2, 6)
    bevel = np.stack([-np.sin(turn), -np.cos(turn), 0 * turn], axis=1) * 0.02 + 0.02
    vertices = np.concatenate([bevel[::-1] * [1, 1, 0], [[4, 0, 0], [0, 4, 0]]])
    obj = add_mesh("Beveled", vertices, [range(8)])
    geometry = read_object(obj)
    sure_of = np.array([0] * 6 + [1, 1])
    probabilities = np.eye(2)[sure_of]
    by_triangle = triangle_labels(probabilities, geometry.surface.faces)
    assert (by_triangle == 0).sum() > (by_triangle == 1).sum()
    result = result_for(obj, classes=("small", "large"), colours=COLOURS[:2])
    surface = geometry.surface
    voted = polygon_labels(probabilities, surface.faces, geometry.areas, geometry.polygons)
    write_labels(obj, replace(result, polygon_labels=voted), only(attributes=True))
    assert values_of(obj, "part").tolist() == [1]


def test_edit_mode_is_left_and_entered_again():
    obj = add_body()
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.subdivide()
    result = result_for(obj)
    write_labels(obj, result, EVERYTHING)
    assert obj.mode == "EDIT"
    bpy.ops.object.mode_set(mode="OBJECT")
    assert np.array_equal(values_of(obj, "part"), result.polygon_labels)
    assert np.array_equal(group_weights(obj, "head") > 0, result.vertex_probabilities[:, 0] >= 0.01)


def test_a_point_cloud_gets_what_vertices_can_hold():
    obj = add_mesh("Cloud", icosphere(2)[0], [])
    result = result_for(obj)
    write_labels(obj, result, EVERYTHING)
    assert np.array_equal(values_of(obj, "part_vertex"), result.vertex_labels)
    assert "part" not in obj.data.attributes
    assert obj.data.color_attributes["part_color"].domain == "POINT"
    shown = [c.color_srgb[:3] for c in obj.data.color_attributes["part_color"].data]
    np.testing.assert_allclose(shown, np.array(COLOURS)[result.vertex_labels], atol=1 / 255)
    assert len(obj.data.materials) == 0
    assert sum(p.share for p in obj.data.diffusionnet.parts) == pytest.approx(1.0, abs=1e-6)
    with pytest.raises(DiffusionNetError, match="no faces"):
        write_labels(obj, result, only(face_sets=True))


def assert_refused(obj, result, outputs, message):
    before = snapshot(obj)
    with pytest.raises(DiffusionNetError, match=message) as caught:
        write_labels(obj, result, outputs)
    assert caught.value.fix
    assert snapshot(obj) == before


def test_a_changed_mesh_is_refused_whole():
    obj = add_body()
    result = result_for(obj)
    select(obj)
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.flip_normals()
    bpy.ops.object.mode_set(mode="OBJECT")
    assert_refused(obj, result, EVERYTHING, "does not fit the vertices and faces")


def test_no_output_is_refused():
    obj = add_body()
    assert_refused(obj, result_for(obj), NOTHING, "Nothing to write is chosen")


def test_linked_data_is_refused(tmp_path):
    (obj,) = link_bodies(tmp_path, "Linked")
    assert_refused(obj, result_for(obj), EVERYTHING, "linked from library.blend")
    # A local object that uses the linked mesh.
    local = bpy.data.objects.new("Local", obj.data)
    assert_refused(local, result_for(obj), EVERYTHING, "linked from library.blend")


def test_dynamic_topology_is_refused():
    obj = add_body()
    bpy.ops.object.mode_set(mode="SCULPT")
    bpy.ops.sculpt.dynamic_topology_toggle()
    assert_refused(obj, result_for(obj), EVERYTHING, "dynamic topology")
    bpy.ops.sculpt.dynamic_topology_toggle()
    bpy.ops.object.mode_set(mode="OBJECT")


def test_a_big_mesh_is_written_in_a_moment():
    obj = add_body(subdivisions=6)
    result = result_for(obj)
    clock = perf_counter()
    write_labels(obj, result, EVERYTHING)
    assert len(obj.data.vertices) == 40962
    assert perf_counter() - clock < 5.0
