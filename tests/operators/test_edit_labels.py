"""Parts changed by hand, on a mesh with every output written."""

import bpy
import numpy as np
import pytest

from diffusionnet_blender.scene.results import forget_all_results
from tests.conftest import CLASSES
from tests.scenes import add_body, group_weights, snapshot, values_of

pytestmark = pytest.mark.usefixtures("blender")


@pytest.fixture
def body(blender):
    settings = blender.context.scene.diffusionnet
    settings.face_sets = settings.materials = True
    obj = add_body(subdivisions=3)
    bpy.ops.diffusionnet.segment()
    return obj


def labels_of(obj):
    return values_of(obj, "part").astype(int)


def biggest(obj):
    return int(np.bincount(labels_of(obj)).argmax())


def assert_outputs_agree(obj):
    """Every output says what the attribute of the faces says."""
    mesh = obj.data
    labels, vertices = labels_of(obj), values_of(obj, "part_vertex").astype(int)
    assert np.array_equal(values_of(obj, ".sculpt_face_set"), labels + 1)
    marks = [mesh.materials[p.material_index]["diffusionnet_part"] for p in mesh.polygons]
    parts = mesh.diffusionnet.parts
    assert marks == [parts[label].name for label in labels]
    for index, part in enumerate(parts):
        assert np.array_equal(group_weights(obj, part.vertex_group) > 0.5, vertices == index)
        assert part.face_count == np.count_nonzero(labels == index)
    colours = mesh.color_attributes["part_color"].data
    for polygon, label in list(zip(mesh.polygons, labels, strict=True))[::37]:
        found = colours[polygon.loop_start].color_srgb[:3]
        np.testing.assert_allclose(found, parts[label].colour, atol=0.01)


def test_merge_gives_all_faces_of_a_part_to_another(body):
    source = biggest(body)
    target = (source + 1) % len(CLASSES)
    before = labels_of(body)
    bpy.ops.diffusionnet.merge_parts(index=source, into=CLASSES[target])
    assert np.array_equal(labels_of(body), np.where(before == source, target, before))
    assert not np.any(values_of(body, "part_vertex") == source)
    assert_outputs_agree(body)


def test_assign_takes_the_faces_that_are_selected_in_edit_mode(body):
    part = (biggest(body) + 1) % len(CLASSES)
    chosen = np.zeros(len(body.data.polygons), dtype=bool)
    chosen[100:160] = True
    before = labels_of(body)
    body.data.polygons.foreach_set("select", chosen)
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.context.tool_settings.mesh_select_mode = (False, False, True)
    bpy.ops.object.mode_set(mode="OBJECT")
    body.data.polygons.foreach_set("select", chosen)
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.diffusionnet.assign_faces(index=part)
    assert body.mode == "EDIT"
    bpy.ops.object.mode_set(mode="OBJECT")
    assert np.array_equal(labels_of(body), np.where(chosen, part, before))
    assert_outputs_agree(body)


def test_assign_without_a_selection_says_so(body):
    body.data.polygons.foreach_set("select", np.zeros(len(body.data.polygons), dtype=bool))
    before = snapshot(body)
    with pytest.raises(RuntimeError, match="No face is selected"):
        bpy.ops.diffusionnet.assign_faces(index=0)
    assert snapshot(body) == before


def test_grow_takes_just_the_faces_around_and_shrink_gives_some_back(body):
    part = biggest(body)
    before = labels_of(body)
    edges = {}
    for polygon in body.data.polygons:
        for key in polygon.edge_keys:
            edges.setdefault(key, []).append(polygon.index)
    around = {f for faces in edges.values() for f in faces if any(before[g] == part for g in faces)}
    bpy.ops.diffusionnet.grow_part(index=part)
    grown = labels_of(body)
    assert set(np.flatnonzero(grown == part)) == around
    assert np.array_equal(grown[grown != part], before[grown != part])
    assert_outputs_agree(body)
    bpy.ops.diffusionnet.shrink_part(index=part)
    shrunk = labels_of(body)
    assert np.count_nonzero(shrunk == part) < np.count_nonzero(grown == part)
    assert not np.any((shrunk == part) & (grown != part))
    assert_outputs_agree(body)


def test_smooth_removes_a_lone_face_and_shortens_the_borders(body):
    part = biggest(body)
    alone = next(
        polygon.index
        for polygon in body.data.polygons
        if all(
            labels_of(body)[other.index] == part
            for other in body.data.polygons
            if set(other.vertices) & set(polygon.vertices)
        )
    )
    select = np.arange(len(body.data.polygons)) == alone
    body.data.polygons.foreach_set("select", select)
    bpy.ops.diffusionnet.assign_faces(index=(part + 1) % len(CLASSES))
    assert labels_of(body)[alone] != part
    bpy.ops.diffusionnet.smooth_parts()
    assert labels_of(body)[alone] == part
    assert_outputs_agree(body)


def test_another_name_and_colour_are_everywhere(body):
    part = biggest(body)
    groups = set(body.vertex_groups.keys())
    bpy.ops.diffusionnet.edit_part(index=part, name="tail", colour=(0.25, 0.5, 0.75))
    renamed = body.data.diffusionnet.parts[part]
    assert renamed.name == renamed.vertex_group == "tail"
    np.testing.assert_allclose(renamed.colour, (0.25, 0.5, 0.75))
    assert set(body.vertex_groups.keys()) == groups - {CLASSES[part]} | {"tail"}
    assert_outputs_agree(body)


@pytest.mark.parametrize("name", ["", "  "])
def test_a_part_needs_a_name_of_its_own(body, name):
    before = snapshot(body)
    with pytest.raises(RuntimeError, match="cannot be called"):
        bpy.ops.diffusionnet.edit_part(index=0, name=name)
    with pytest.raises(RuntimeError, match="cannot be called"):
        bpy.ops.diffusionnet.edit_part(index=0, name=CLASSES[1])
    assert snapshot(body) == before


def test_edits_need_no_result_in_memory_and_keep_probabilities_where_there_is_one(body):
    part = biggest(body)
    bpy.ops.diffusionnet.write_labels(confidence=True)
    before = values_of(body, "part_confidence")
    bpy.ops.diffusionnet.grow_part(index=part)
    after = values_of(body, "part_confidence")
    assert 0 < np.mean(before == after) < 1
    forget_all_results()
    bpy.ops.diffusionnet.grow_part(index=part)
    assert_outputs_agree(body)
    assert np.all(values_of(body, "part_confidence") == 1)


def test_only_what_was_written_is_written_again(blender):
    obj = add_body()
    blender.context.scene.diffusionnet.vertex_groups = False
    bpy.ops.diffusionnet.segment()
    bpy.ops.diffusionnet.grow_part(index=biggest(obj))
    assert not obj.vertex_groups.keys()
    assert not obj.data.materials
    assert ".sculpt_face_set" not in obj.data.attributes


def test_an_edit_is_one_undo_step(body):
    bpy.ops.ed.undo_push(message="Before")
    before = snapshot(body)
    bpy.ops.diffusionnet.grow_part("EXEC_DEFAULT", True, index=biggest(body))
    assert snapshot(bpy.data.objects["Body"]) != before
    bpy.ops.ed.undo()
    assert snapshot(bpy.data.objects["Body"]) == before


def test_a_mesh_without_labels_and_a_part_that_is_not_there(body):
    with pytest.raises(RuntimeError, match="has no part 99"):
        bpy.ops.diffusionnet.grow_part(index=99)
    with pytest.raises(RuntimeError, match="has no part 'wing'"):
        bpy.ops.diffusionnet.merge_parts(index=0, into="wing")
    add_body("Other")
    with pytest.raises(RuntimeError, match="no attributes that say"):
        bpy.ops.diffusionnet.grow_part(index=0)
