"""An object of its own for each part."""

import bpy
import numpy as np
import pytest

from tests.scenes import add_body, add_mesh, select, values_of
from tests.shapes import icosphere

pytestmark = pytest.mark.usefixtures("blender")


@pytest.fixture
def body(blender):
    obj = add_body(subdivisions=3)
    obj.data.uv_layers.new(name="Map")
    uv = np.random.default_rng(1).random(2 * len(obj.data.loops)).astype(np.float32)
    obj.data.uv_layers["Map"].uv.foreach_set("vector", uv)
    group = obj.vertex_groups.new(name="Bone")
    group.add([vertex.index for vertex in obj.data.vertices], 0.5, "REPLACE")
    obj.location = (1, 2, 3)
    bpy.ops.diffusionnet.segment()
    return obj


def world_area(objects):
    return sum(polygon.area for obj in objects for polygon in obj.data.polygons)


def test_each_part_becomes_an_object_with_its_faces_and_all_that_they_have(body):
    labels = values_of(body, "part").astype(int)
    count, area = len(body.data.polygons), world_area([body])
    bpy.ops.diffusionnet.separate_parts()
    pieces = list(bpy.context.view_layer.objects.selected)
    assert len(pieces) == len(set(labels))
    assert sum(len(piece.data.polygons) for piece in pieces) == count
    assert world_area(pieces) == pytest.approx(area, rel=1e-5)
    for piece in pieces:
        (label,) = set(values_of(piece, "part").astype(int))
        assert len(piece.data.polygons) == np.count_nonzero(labels == label)
        assert piece.name == f"Body {body.data.diffusionnet.parts[label].name}"
        assert piece.location == body.location
        assert "Map" in piece.data.uv_layers
        assert all(v.groups for v in piece.data.vertices)
        assert len(piece.data.vertices) < len(body.data.vertices)
        assert not piece.data.diffusionnet.parts
    assert len(body.data.polygons) == count
    assert body.hide_get()


def test_from_edit_mode(body):
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.diffusionnet.separate_parts()
    assert bpy.context.mode == "OBJECT"
    assert bpy.context.view_layer.objects.selected


def test_it_is_one_undo_step(body):
    bpy.ops.ed.undo_push(message="Before")
    before = set(bpy.data.objects.keys())
    bpy.ops.diffusionnet.separate_parts("EXEC_DEFAULT", True)
    assert set(bpy.data.objects.keys()) > before
    bpy.ops.ed.undo()
    assert set(bpy.data.objects.keys()) == before
    assert not bpy.data.objects["Body"].hide_get()


def test_of_several_only_those_with_parts(body):
    other = add_body("Other")
    select(body, other)
    bpy.ops.diffusionnet.separate_parts(original="KEEP")
    names = {obj.name.split()[0] for obj in bpy.context.view_layer.objects.selected}
    assert names == {"Body"}
    assert not body.hide_get()


def test_shape_keys_and_a_rig_come_along(body):
    body.shape_key_add(name="Basis")
    key = body.shape_key_add(name="Wide")
    wide = np.array([vertex.co for vertex in body.data.vertices]) * [2, 1, 1]
    key.data.foreach_set("co", wide.astype(np.float32).ravel())
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.collection.objects.link(rig)
    body.parent = rig
    body.modifiers.new("Armature", "ARMATURE").object = rig
    bpy.ops.diffusionnet.separate_parts(original="KEEP")
    for piece in bpy.context.view_layer.objects.selected:
        assert piece.parent == rig
        assert piece.modifiers["Armature"].object == rig
        keys = piece.data.shape_keys.key_blocks
        assert keys.keys() == ["Basis", "Wide"]
        shapes = np.empty((2, len(piece.data.vertices) * 3))
        for row, block in zip(shapes, keys, strict=True):
            block.data.foreach_get("co", row)
        basis, changed = shapes.reshape(2, -1, 3)
        np.testing.assert_allclose(changed, basis * [2, 1, 1], atol=1e-5)
        assert np.ptp(basis, axis=0).min() > 0


def test_what_was_masked_is_there_and_the_original_can_go(body):
    count = len(body.data.polygons)
    bpy.ops.diffusionnet.mask_part(index=0, isolate=True)
    mesh = body.data.name
    bpy.ops.diffusionnet.separate_parts(original="REMOVE")
    pieces = list(bpy.context.view_layer.objects.selected)
    depsgraph = bpy.context.evaluated_depsgraph_get()
    assert sum(len(p.evaluated_get(depsgraph).data.polygons) for p in pieces) == count
    assert "Body" not in bpy.data.objects
    assert mesh not in bpy.data.meshes


def test_names_keep_the_side(body):
    bpy.ops.diffusionnet.separate_parts()
    names = {piece.name for piece in bpy.context.view_layer.objects.selected}
    sided = {name for name in names if name.endswith((".L", ".R"))}
    assert sided
    assert all(bpy.utils.flip_name(name) in names for name in sided)


def test_loose_vertices_and_edges_are_in_one_piece_each(blender):
    vertices, faces = icosphere(2)
    extra = np.array([[0, 0, 3], [0, 0, 4], [3, 0, 0]])
    obj = add_mesh("Loose", np.vstack([vertices, extra]), faces, [(162, 163)])
    bpy.ops.diffusionnet.segment()
    bpy.ops.diffusionnet.separate_parts()
    pieces = list(bpy.context.view_layer.objects.selected)
    loose = [sum(not e.is_loose for e in p.data.edges) for p in pieces]
    assert all(loose)
    alone = 0
    for piece in pieces:
        used = {v for face in piece.data.polygons for v in face.vertices}
        alone += len(piece.data.vertices) - len(used)
    assert alone == 3
    assert len(obj.data.vertices) == 165


def test_a_point_cloud_is_separated_by_its_points(blender):
    obj = add_mesh("Cloud", icosphere(3)[0] * [1, 0.7, 1.5], [])
    bpy.ops.diffusionnet.segment()
    counts = np.bincount(values_of(obj, "part_vertex").astype(int))
    bpy.ops.diffusionnet.separate_parts()
    pieces = list(bpy.context.view_layer.objects.selected)
    assert sorted(len(p.data.vertices) for p in pieces) == sorted(counts[counts > 0])
