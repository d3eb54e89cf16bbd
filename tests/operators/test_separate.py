"""An object of its own for each part."""

import bpy
import numpy as np
import pytest

from tests.scenes import add_body, values_of

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


def test_without_labels_it_says_what_to_do(blender):
    add_body()
    before = set(bpy.data.objects.keys())
    with pytest.raises(RuntimeError, match="Segment it with the output Attributes"):
        bpy.ops.diffusionnet.separate_parts()
    assert set(bpy.data.objects.keys()) == before
