"""From objects to arrays."""

import bpy
import numpy as np
import pytest

from diffusionnet_blender.errors import SurfaceError
from diffusionnet_blender.scene.read import read_object, read_rest_shape
from tests.scenes import add_body, add_mesh, add_quads, link_bodies, select
from tests.shapes import icosphere, signed_volume

pytestmark = pytest.mark.usefixtures("blender")


def test_triangles_come_as_they_are():
    vertices, faces = icosphere(1)
    geometry = read_object(add_mesh("Ball", vertices, faces))
    np.testing.assert_allclose(geometry.coordinates, vertices, atol=1e-6)
    np.testing.assert_allclose(geometry.surface.vertices, vertices, atol=1e-6)
    assert np.array_equal(np.sort(geometry.surface.faces), np.sort(faces))
    assert np.array_equal(geometry.polygons.of_triangle, np.arange(len(faces)))
    assert geometry.polygons.count == len(faces)


def test_ngons_are_cut_into_triangles_that_know_their_polygon():
    geometry = read_object(add_quads())
    # Six quads of two triangles, two hexagons of four.
    assert geometry.polygons.count == 8
    assert sorted(np.bincount(geometry.polygons.of_triangle)) == [2] * 6 + [4] * 2
    hexagon = 1.5 * 3**0.5
    np.testing.assert_allclose(np.sort(geometry.polygon_areas), [2] * 6 + [hexagon] * 2, rtol=1e-5)


def test_scale_counts_and_location_does_not():
    obj = add_body()
    before = read_object(obj)
    obj.location = (10, 20, 30)
    obj.scale = (1, 2, 3)
    bpy.context.view_layer.update()
    after = read_object(obj)
    expected = before.surface.vertices * [1, 2, 3]
    np.testing.assert_allclose(after.surface.vertices, expected, atol=1e-6)
    np.testing.assert_array_equal(after.coordinates, before.coordinates)
    assert after.polygons.topology == before.polygons.topology


@pytest.mark.parametrize("scale", [(1, 1, 1), (-1, 1, 1), (1, 2, -3), (-1, -1, 1), (-1, -1, -1)])
def test_mirrored_objects_stay_outward(scale):
    obj = add_body()
    obj.scale = scale
    bpy.context.view_layer.update()
    surface = read_object(obj).surface
    assert signed_volume(surface.vertices, surface.faces) > 0


def test_unsaved_edits_in_edit_mode_are_seen():
    obj = add_body()
    count = len(obj.data.vertices)
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.subdivide()
    geometry = read_object(obj)
    assert len(geometry.coordinates) > 3 * count
    assert obj.mode == "EDIT"
    bpy.ops.object.mode_set(mode="OBJECT")
    assert len(geometry.coordinates) == len(obj.data.vertices)
    assert geometry.polygons.topology == read_object(obj).polygons.topology


def test_a_mesh_edited_through_another_object_is_seen():
    obj = add_body()
    twin = bpy.data.objects.new("Twin", obj.data)
    bpy.context.collection.objects.link(twin)
    select(obj)
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.subdivide()
    assert len(read_object(twin).coordinates) == len(read_object(obj).coordinates) > 400


def test_shape_keys_count_in_the_evaluated_mesh_only():
    obj = add_body()
    obj.shape_key_add(name="Basis")
    wide = obj.shape_key_add(name="Wide")
    rest = read_object(obj).coordinates
    wide.data.foreach_set("co", (rest * [2, 1, 1]).astype(np.float32).ravel())
    wide.value = 1.0
    depsgraph = bpy.context.evaluated_depsgraph_get()
    np.testing.assert_array_equal(read_object(obj).coordinates, rest)
    shown = read_object(obj, depsgraph)
    np.testing.assert_allclose(shown.coordinates, rest * [2, 1, 1], atol=1e-6)
    assert shown.polygons.topology == read_object(obj).polygons.topology


def test_modifiers_count_in_the_evaluated_mesh_only():
    obj = add_body()
    obj.modifiers.new("Subdivision", "SUBSURF")
    depsgraph = bpy.context.evaluated_depsgraph_get()
    assert len(read_object(obj).coordinates) == 162
    finer = read_object(obj, depsgraph)
    assert len(finer.coordinates) > 600
    assert finer.polygons.topology != read_object(obj).polygons.topology


def test_an_armature_poses_the_evaluated_mesh():
    obj = add_body()
    armature = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.collection.objects.link(armature)
    select(armature)
    bpy.ops.object.mode_set(mode="EDIT")
    bone = armature.data.edit_bones.new("head")
    bone.tail = (0, 0, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    obj.vertex_groups.new(name="head").add(range(len(obj.data.vertices)), 1.0, "REPLACE")
    obj.modifiers.new("Armature", "ARMATURE").object = armature
    armature.pose.bones["head"].location = (0, 0, 5)
    bpy.context.view_layer.update()
    moved = read_object(obj, bpy.context.evaluated_depsgraph_get())
    shift = moved.coordinates - read_object(obj).coordinates
    np.testing.assert_allclose(np.linalg.norm(shift, axis=1), 5, atol=1e-4)


def test_the_rest_shape_is_the_same_wherever_the_object_is_and_however_posed():
    obj = add_body()
    rest = read_object(obj).surface
    obj.shape_key_add(name="Basis")
    wide = obj.shape_key_add(name="Wide")
    wide.data.foreach_set("co", (rest.vertices * [2, 1, 1]).astype(np.float32).ravel())
    wide.value = 1.0
    obj.modifiers.new("Subdivision", "SUBSURF")
    obj.location, obj.rotation_euler, obj.scale = (1, 2, 3), (0.4, 0.5, 0.6), (1, 3, 2)
    bpy.context.view_layer.update()
    found = read_rest_shape(obj)
    np.testing.assert_array_equal(found.vertices, rest.vertices)
    np.testing.assert_array_equal(found.faces, rest.faces)


def test_the_rest_shape_of_a_mirrored_object_is_its_mirror_image():
    obj = add_body()
    rest = read_object(obj).surface
    obj.scale = (1, 2, -3)
    bpy.context.view_layer.update()
    found = read_rest_shape(obj)
    np.testing.assert_array_equal(found.vertices, rest.vertices * [-1, 1, 1])
    assert signed_volume(found.vertices, found.faces) > 0


def test_triangles_are_those_of_blender_with_and_without_quads():
    for obj in (add_body(), add_quads()):
        mesh = obj.data
        mesh.calc_loop_triangles()
        geometry = read_object(obj)
        wanted = [tuple(triangle.vertices) for triangle in mesh.loop_triangles]
        assert [tuple(face) for face in geometry.surface.faces.tolist()] == wanted
        assert geometry.polygons.of_triangle.tolist() == [
            triangle.polygon_index for triangle in mesh.loop_triangles
        ]


def test_a_mesh_without_faces_is_a_point_cloud():
    vertices, _ = icosphere(2)
    geometry = read_object(add_mesh("Cloud", vertices, []))
    assert geometry.surface.is_point_cloud
    assert geometry.polygons.count == 0
    assert len(geometry.polygon_areas) == 0


def test_topology_ignores_positions_and_sees_one_flipped_face():
    vertices, faces = icosphere(1)
    plain = read_object(add_mesh("A", vertices, faces)).polygons.topology
    assert read_object(add_mesh("B", vertices * 3, faces)).polygons.topology == plain
    faces[7] = faces[7][::-1]
    assert read_object(add_mesh("C", vertices, faces)).polygons.topology != plain


@pytest.mark.parametrize(
    ("data", "fix"),
    [
        (lambda: bpy.data.curves.new("X", "CURVE"), "Convert"),
        (lambda: bpy.data.armatures.new("X"), "deforms"),
        (lambda: bpy.data.cameras.new("X"), "Choose a mesh"),
        (lambda: None, "Choose a mesh"),
    ],
    ids=["curve", "armature", "camera", "empty"],
)
def test_what_is_no_mesh_says_what_to_do(data, fix):
    obj = bpy.data.objects.new("Thing", data())
    with pytest.raises(SurfaceError, match="'Thing' is not a mesh") as caught:
        read_object(obj)
    assert fix in caught.value.fix


@pytest.mark.parametrize(
    ("vertices", "faces", "message"),
    [
        ([], [], "no vertices"),
        ([[1, 2, 3]] * 5, [[0, 1, 2]], "at the same place"),
        ([[0, 0, 0], [1, 0, 0], [0, float("nan"), 0]], [[0, 1, 2]], "1 of 3 vertices"),
        ([[0, 0, 0], [1, 0, 0]], [], "only 2 vertices"),
    ],
    ids=["empty", "coincident", "nan", "two points"],
)
def test_bad_geometry_names_the_object(vertices, faces, message):
    obj = add_mesh("Bad", vertices, faces)
    with pytest.raises(SurfaceError, match=f"'Bad': .*{message}"):
        read_object(obj)


def test_linked_data_can_be_read(tmp_path, blender):
    (obj,) = link_bodies(tmp_path, "Linked")
    assert obj.library
    assert len(read_object(obj).coordinates) == 162
