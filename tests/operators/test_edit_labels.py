"""Parts corrected by hand, on meshes with every output written, read back through Blender."""

import bpy
import numpy as np
import pytest

from diffusionnet_blender.scene.results import forget_all_results
from tests.conftest import CLASSES
from tests.scenes import add_body, add_mesh, add_quads, group_weights, select, snapshot, values_of
from tests.shapes import icosphere

pytestmark = pytest.mark.usefixtures("blender")


@pytest.fixture
def settings(blender):
    return blender.context.scene.diffusionnet


@pytest.fixture
def body(settings):
    settings.face_sets = settings.materials = settings.confidence = True
    obj = add_body(subdivisions=3)
    bpy.ops.diffusionnet.segment()
    return obj


def labels_of(obj):
    return values_of(obj, "part").astype(int)


def vertices_of(obj):
    return values_of(obj, "part_vertex").astype(int)


def biggest(obj):
    return int(np.bincount(labels_of(obj)).argmax())


def names_of(obj):
    return [part.name for part in obj.data.diffusionnet.parts]


def part_of(obj, name):
    return obj.data.diffusionnet.parts[name]


def select_faces(obj, chosen):
    """In Edit Mode, as an artist has them."""
    obj.data.polygons.foreach_set("select", np.asarray(chosen, dtype=bool))
    bpy.context.tool_settings.mesh_select_mode = (False, False, True)
    bpy.ops.object.mode_set(mode="EDIT")


def assert_outputs_agree(obj):
    """Every output that is there says what the attributes of the labels say."""
    mesh = obj.data
    labels, vertices = labels_of(obj), vertices_of(obj)
    parts = mesh.diffusionnet.parts
    if ".sculpt_face_set" in mesh.attributes:
        assert np.array_equal(values_of(obj, ".sculpt_face_set"), labels + 1)
    if mesh.materials:
        marks = [mesh.materials[p.material_index]["diffusionnet_part"] for p in mesh.polygons]
        assert marks == [parts[label].name for label in labels]
        assert set(mesh.materials.keys()) == {f"DN {part.name}" for part in parts}
    for index, part in enumerate(parts):
        if part.vertex_group:
            weights = group_weights(obj, part.vertex_group)
            assert np.array_equal(weights > 0.5, vertices == index)
        assert part.face_count == np.count_nonzero(labels == index)
        assert part.vertex_count == np.count_nonzero(vertices == index)
    starts = [polygon.loop_start for polygon in mesh.polygons]
    shown = np.array([mesh.color_attributes["part_color"].data[i].color_srgb[:3] for i in starts])
    palette = np.array([tuple(part.color) for part in parts])
    np.testing.assert_allclose(shown, palette[labels], atol=0.01)


def test_merging_gives_all_to_the_other_part_and_leaves_no_trace_of_the_first(body):
    source = CLASSES[biggest(body)]
    target = next(name for name in CLASSES if name != source)
    before = np.array(CLASSES)[labels_of(body)]
    bpy.ops.diffusionnet.merge_parts(part=source, into=target)
    after = np.array(names_of(body))[labels_of(body)]
    assert np.array_equal(after, np.where(before == source, target, before))
    left = [name for name in CLASSES if name != source]
    assert names_of(body) == left == body.vertex_groups.keys()
    assert source not in {owned.name for owned in body.data.diffusionnet.owned}
    assert_outputs_agree(body)


def test_merging_leaves_the_artists_group_material_and_face_sets_alone(settings):
    obj = add_body(subdivisions=3)
    bone = obj.vertex_groups.new(name=CLASSES[0])
    bone.add([1, 2, 3], 0.5, "REPLACE")
    skin = bpy.data.materials.new("Skin")
    obj.data.materials.append(skin)
    settings.materials = True
    bpy.ops.diffusionnet.segment()
    obj.data.attributes.new(".sculpt_face_set", "INT", "FACE")
    sets = np.arange(len(obj.data.polygons), dtype=np.int32) % 5 + 1
    obj.data.attributes[".sculpt_face_set"].data.foreach_set("value", sets)
    weights = group_weights(obj, CLASSES[0])
    painted = [3, 50, 99]
    for face in painted:
        obj.data.polygons[face].material_index = 0
    bpy.ops.diffusionnet.merge_parts(part=CLASSES[0], into=CLASSES[1])
    assert np.array_equal(group_weights(obj, CLASSES[0]), weights)
    assert f"DN {CLASSES[0]}" not in obj.vertex_groups
    assert obj.data.materials[0] == skin
    assert [face.index for face in obj.data.polygons if face.material_index == 0] == painted
    assert np.array_equal(values_of(obj, ".sculpt_face_set"), sets)


def test_assigning_takes_the_selected_faces_with_their_vertices(body):
    part = (biggest(body) + 1) % len(CLASSES)
    chosen = np.arange(len(body.data.polygons)) // 60 == 2
    before = labels_of(body)
    select_faces(body, chosen)
    bpy.ops.diffusionnet.assign_part(index=part)
    assert body.mode == "EDIT"
    bpy.ops.object.mode_set(mode="OBJECT")
    assert np.array_equal(labels_of(body), np.where(chosen, part, before))
    taken = chosen & (before != part)
    corners = {v for i in np.flatnonzero(taken) for v in body.data.polygons[i].vertices}
    assert np.all(vertices_of(body)[list(corners)] == part)
    assert np.array_equal([face.select for face in body.data.polygons], chosen)
    assert_outputs_agree(body)


def test_the_highlighted_part_is_meant_where_none_is_named(body):
    part = (biggest(body) + 1) % len(CLASSES)
    body.data.diffusionnet.active = part
    select_faces(body, labels_of(body) == biggest(body))
    bpy.ops.diffusionnet.assign_part()
    bpy.ops.object.mode_set(mode="OBJECT")
    assert part_of(body, CLASSES[part]).face_count == np.count_nonzero(labels_of(body) == part) > 0
    assert body.data.diffusionnet.active == part


def test_assigning_without_a_selection_says_so(body):
    select_faces(body, np.zeros(len(body.data.polygons)))
    bpy.ops.object.mode_set(mode="OBJECT")
    before = snapshot(body)
    with pytest.raises(RuntimeError, match="No face of 'Body' is selected. Select a face"):
        bpy.ops.diffusionnet.assign_part(index=0)
    assert snapshot(body) == before


def test_growing_takes_the_ring_around_and_shrinking_gives_it_back(body):
    part = biggest(body)
    before = labels_of(body)
    corners = {v for f in np.flatnonzero(before == part) for v in body.data.polygons[f].vertices}
    around = [bool(corners & set(polygon.vertices)) for polygon in body.data.polygons]
    bpy.ops.diffusionnet.grow_part(index=part)
    grown = labels_of(body)
    assert np.array_equal(grown, np.where(around, part, before))
    assert_outputs_agree(body)
    bpy.ops.diffusionnet.shrink_part(index=part)
    shrunk = labels_of(body)
    assert np.count_nonzero(shrunk == part) < np.count_nonzero(grown == part)
    assert np.array_equal(shrunk[grown != part], grown[grown != part])
    assert_outputs_agree(body)


def test_smoothing_removes_a_lone_face(body):
    part = biggest(body)
    labels = labels_of(body)
    polygons = [set(polygon.vertices) for polygon in body.data.polygons]
    alone = next(
        i
        for i, corners in enumerate(polygons)
        if all(labels[j] == part for j, other in enumerate(polygons) if corners & other)
    )
    select_faces(body, np.arange(len(labels)) == alone)
    bpy.ops.diffusionnet.assign_part(index=(part + 1) % len(CLASSES))
    bpy.ops.object.mode_set(mode="OBJECT")
    assert labels_of(body)[alone] != part
    bpy.ops.diffusionnet.smooth_parts(steps=0)
    assert labels_of(body)[alone] == part
    assert_outputs_agree(body)


def test_renaming_is_everywhere_and_leaves_other_meshes_alone(body):
    other = add_body("Other", subdivisions=3)
    bpy.ops.diffusionnet.segment()
    of_other = snapshot(other)
    part_of(body, "head").title = "helmet"
    assert names_of(body) == ["helmet", *CLASSES[1:]]
    assert part_of(body, "helmet").vertex_group == "helmet"
    assert "head" not in body.vertex_groups
    assert_outputs_agree(body)
    assert snapshot(other) == of_other
    assert_outputs_agree(other)
    # Ours still: writing again makes no second one.
    bpy.ops.diffusionnet.write_labels(object_name="Body")
    assert names_of(body) == body.vertex_groups.keys() == ["helmet", *CLASSES[1:]]
    assert_outputs_agree(body)


def test_renaming_to_a_name_that_is_taken(body):
    body.vertex_groups.new(name="tail").add([0], 0.5, "REPLACE")
    bpy.ops.diffusionnet.rename_part(part="head", name="tail")
    assert part_of(body, "tail").vertex_group == "DN tail"
    assert np.count_nonzero(group_weights(body, "tail")) == 1
    bpy.ops.diffusionnet.rename_part(part="torso", name="tail")
    assert names_of(body)[:2] == ["tail", "tail.001"]
    with pytest.raises(RuntimeError, match="name of the part is empty"):
        bpy.ops.diffusionnet.rename_part(part="tail", name="  ")


@pytest.mark.parametrize("mode", ["OBJECT", "EDIT"])
def test_recolouring_shows_in_every_mode_and_on_this_mesh_alone(body, mode):
    other = add_body("Other", subdivisions=3)
    bpy.ops.diffusionnet.segment()
    of_other = snapshot(other)
    select(body)
    bpy.ops.object.mode_set(mode=mode)
    part_of(body, "head").color = (0.25, 0.5, 0.75)
    bpy.ops.object.mode_set(mode="OBJECT")
    np.testing.assert_allclose(part_of(body, "head").color, (0.25, 0.5, 0.75))
    assert body.data.materials[0].diffuse_color[2] == pytest.approx(0.522, abs=0.01)
    colours = body.data.color_attributes["part_color"].data
    for polygon in body.data.polygons:
        expected = body.data.diffusionnet.parts[labels_of(body)[polygon.index]].color
        np.testing.assert_allclose(colours[polygon.loop_start].color_srgb[:3], expected, atol=0.005)
        if polygon.index > 60:
            break
    assert snapshot(other) == of_other
    bpy.ops.diffusionnet.write_labels(object_name="Body")
    np.testing.assert_allclose(part_of(body, "head").color, (0.25, 0.5, 0.75))


def test_a_part_is_added_with_the_selected_faces(body):
    chosen = np.arange(len(body.data.polygons)) < 40
    select_faces(body, chosen)
    bpy.ops.diffusionnet.add_part(name="hair")
    bpy.ops.object.mode_set(mode="OBJECT")
    assert names_of(body) == [*CLASSES, "hair"]
    assert np.array_equal(labels_of(body) == len(CLASSES), chosen)
    assert_outputs_agree(body)
    colours = [tuple(part.color) for part in body.data.diffusionnet.parts]
    assert len(set(colours)) == len(colours)


def test_swapping_sides_exchanges_left_and_right_and_twice_is_nothing(body):
    before, once = np.array(CLASSES)[labels_of(body)], snapshot(body)
    bpy.ops.diffusionnet.swap_sides()
    after = np.array(names_of(body))[labels_of(body)]
    assert names_of(body) == list(CLASSES)
    assert np.array_equal(after, [bpy.utils.flip_name(name) for name in before])
    assert not np.array_equal(before, after)
    assert_outputs_agree(body)
    bpy.ops.diffusionnet.swap_sides()
    assert snapshot(body) == once


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("mixamorig:LeftArm", "mixamorig:RightArm"), ("rig:left_arm", "rig:right_arm"),
        ("arm.L.001", "arm.R.001"), ("armleft", "armright"),
    ],
)  # fmt: skip
def test_sides_are_swapped_however_names_spell_them(body, left, right):
    for number, part in enumerate(body.data.diffusionnet.parts):
        name = {"upper_arm.L": left, "upper_arm.R": right}.get(part.name, f"piece {number}")
        bpy.ops.diffusionnet.rename_part(part=part.name, name=name)
    before = np.array(names_of(body))[labels_of(body)]
    bpy.ops.diffusionnet.swap_sides()
    after = np.array(names_of(body))[labels_of(body)]
    assert (before == left).any()
    np.testing.assert_array_equal(after == right, before == left)
    np.testing.assert_array_equal(after == left, before == right)


def test_without_sides_swapping_says_what_to_do(body):
    for number, part in enumerate(body.data.diffusionnet.parts):
        bpy.ops.diffusionnet.rename_part(part=part.name, name=f"piece {number}")
    with pytest.raises(RuntimeError, match="Rename its parts so that their names end in .L and .R"):
        bpy.ops.diffusionnet.swap_sides()


def evaluated_faces(obj):
    evaluated = obj.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return len(evaluated.data.polygons)


def test_the_mask_hides_the_faces_of_a_part_follows_edits_and_goes(body):
    count = len(body.data.polygons)
    part = biggest(body)
    bpy.ops.diffusionnet.mask_part(index=part)
    assert body.data.diffusionnet.parts[part].hidden
    shown = evaluated_faces(body)
    # A face of the part may lie in a corner between shown ones.
    assert shown == pytest.approx(np.count_nonzero(labels_of(body) != part), abs=0.02 * count)
    bpy.ops.diffusionnet.grow_part(index=part, steps=2)
    assert evaluated_faces(body) < shown
    bpy.ops.diffusionnet.mask_part(index=part, isolate=True)
    alone = np.count_nonzero(labels_of(body) == part)
    assert evaluated_faces(body) == pytest.approx(alone, abs=0.02 * count)
    bpy.ops.diffusionnet.mask_part(index=part, isolate=True)
    assert evaluated_faces(body) == count
    assert not body.modifiers
    assert body.vertex_groups.keys() == list(CLASSES)


def test_probabilities_stay_where_nothing_changed(body):
    before = values_of(body, "part_confidence")
    bpy.ops.diffusionnet.grow_part(index=biggest(body))
    after = values_of(body, "part_confidence")
    assert 0.5 < np.mean(before == after) < 1
    assert np.all(after[before != after] == 1)


def test_soft_weights_stay_soft_in_another_session(settings):
    settings.weights = "SOFT"
    obj = add_body(subdivisions=3)
    bpy.ops.diffusionnet.segment()
    before = np.stack([group_weights(obj, name) for name in CLASSES])
    forget_all_results()
    part = biggest(obj)
    vertices = vertices_of(obj)
    bpy.ops.diffusionnet.grow_part(index=part)
    after = np.stack([group_weights(obj, name) for name in CLASSES])
    kept = vertices_of(obj) == vertices
    np.testing.assert_allclose(after[:, kept], before[:, kept], atol=0.02)
    assert np.all(after[part, ~kept] == 1)


def test_a_file_that_was_saved_is_edited_as_before(body, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "body.blend"))
    bpy.ops.diffusionnet.grow_part(index=biggest(body))
    part, expected = biggest(body), snapshot(body)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "body.blend"))
    obj = bpy.data.objects["Body"]
    bpy.ops.diffusionnet.grow_part(index=part)
    found = snapshot(obj)
    assert found.keys() == expected.keys()
    assert np.array_equal(found["attributes"]["part"], expected["attributes"]["part"])
    assert found["groups"] == expected["groups"]
    assert_outputs_agree(obj)
    # Write Labels, too, has what lies on the mesh.
    bpy.ops.diffusionnet.write_labels(object_name="Body", confidence=True)
    assert np.array_equal(values_of(obj, "part"), np.ravel(expected["attributes"]["part"]))


def test_writing_again_writes_the_edit_and_after_undo_what_was_before(body):
    bpy.ops.ed.undo_push(message="Before")
    before, part = snapshot(body), biggest(body)
    bpy.ops.diffusionnet.grow_part("EXEC_DEFAULT", True, index=part)
    bpy.ops.diffusionnet.merge_parts("EXEC_DEFAULT", True, part=CLASSES[2], into=CLASSES[3])
    edited = snapshot(bpy.data.objects["Body"])
    assert edited != before
    bpy.ops.diffusionnet.write_labels("EXEC_DEFAULT", True, object_name="Body")
    assert snapshot(bpy.data.objects["Body"]) == edited
    for _ in range(3):
        bpy.ops.ed.undo()
    assert snapshot(bpy.data.objects["Body"]) == before
    bpy.ops.diffusionnet.write_labels("EXEC_DEFAULT", True, object_name="Body")
    assert snapshot(bpy.data.objects["Body"]) == before


def test_only_what_was_written_is_written_again(settings):
    obj = add_body()
    settings.vertex_groups = settings.confidence = False
    bpy.ops.diffusionnet.segment()
    bpy.ops.diffusionnet.grow_part(index=biggest(obj))
    assert not obj.vertex_groups.keys()
    assert not obj.data.materials
    assert ".sculpt_face_set" not in obj.data.attributes
    assert "part_confidence" not in obj.data.attributes


def test_with_colours_alone_edits_find_their_labels(settings):
    obj = add_body()
    settings.attributes = settings.vertex_groups = False
    bpy.ops.diffusionnet.segment()
    bpy.ops.diffusionnet.swap_sides()
    assert_outputs_agree(obj)


def test_labels_come_along_when_the_mesh_is_edited(settings):
    settings.vertex_groups = False
    settings.face_sets = settings.materials = True
    body = add_body(subdivisions=3)
    bpy.ops.diffusionnet.segment()
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.subdivide()
    bpy.ops.object.mode_set(mode="OBJECT")
    labels = labels_of(body)
    bpy.ops.diffusionnet.smooth_parts()
    assert len(labels_of(body)) == len(labels) == 4 * 1280
    assert_outputs_agree(body)


def test_a_locked_group_stays(body):
    body.vertex_groups[CLASSES[0]].lock_weight = True
    locked = group_weights(body, CLASSES[0])
    bpy.ops.diffusionnet.merge_parts(part=CLASSES[0], into=CLASSES[1])
    assert np.array_equal(group_weights(body, CLASSES[0]), locked)


def test_a_mesh_of_ngons_and_a_point_cloud():
    for obj in (add_quads(), add_mesh("Cloud", icosphere(3)[0] * [1, 0.7, 1.5], [])):
        select(obj)
        bpy.ops.diffusionnet.segment()
        part = int(np.bincount(vertices_of(obj)).argmax())
        before = np.count_nonzero(vertices_of(obj) == part)
        bpy.ops.diffusionnet.grow_part(index=part, steps=2)
        assert np.count_nonzero(vertices_of(obj) == part) > before
        bpy.ops.diffusionnet.smooth_parts()
        for index, name in enumerate(CLASSES):
            assert np.array_equal(group_weights(obj, name) > 0.5, vertices_of(obj) == index)


def test_an_edit_is_one_undo_step(body):
    bpy.ops.ed.undo_push(message="Before")
    before = snapshot(body)
    bpy.ops.diffusionnet.grow_part("EXEC_DEFAULT", True, index=biggest(body))
    assert snapshot(bpy.data.objects["Body"]) != before
    bpy.ops.ed.undo()
    assert snapshot(bpy.data.objects["Body"]) == before


def test_what_cannot_be_done_says_why_and_changes_nothing(body):
    before = snapshot(body)
    with pytest.raises(RuntimeError, match="has no part 99"):
        bpy.ops.diffusionnet.grow_part(index=99)
    with pytest.raises(RuntimeError, match="has no part 'wing'.*Its parts are head, torso"):
        bpy.ops.diffusionnet.merge_parts(index=0, into="wing")
    with pytest.raises(RuntimeError, match="cannot be merged into itself"):
        bpy.ops.diffusionnet.merge_parts(index=0, into=CLASSES[0])
    assert snapshot(body) == before
    labels = labels_of(body).astype(np.int32)
    labels[7] = 12
    body.data.attributes["part"].data.foreach_set("value", labels)
    with pytest.raises(RuntimeError, match="part numbers out of range.*from 0 to 3"):
        bpy.ops.diffusionnet.grow_part(index=0)
    for name in ("part", "part_vertex"):
        body.data.attributes.remove(body.data.attributes[name])
    for group in list(body.vertex_groups):
        body.vertex_groups.remove(group)
    forget_all_results()
    with pytest.raises(RuntimeError, match="'Body' has no part labels"):
        bpy.ops.diffusionnet.grow_part(index=0)
    add_body("Other")
    with pytest.raises(RuntimeError, match="'Other' has no parts. Segment it first"):
        bpy.ops.diffusionnet.grow_part(index=0)


def test_without_parts_the_poll_says_why():
    add_body()
    for name in ("grow_part", "merge_parts", "separate_parts", "swap_sides"):
        with pytest.raises(RuntimeError, match="No mesh has parts yet"):
            getattr(bpy.ops.diffusionnet, name)()


def test_in_edit_mode_too_undo_and_redo_are_whole(body):
    """There Blender's own steps hold no legend, no names of groups and no materials."""
    select(body)
    select_faces(body, np.arange(len(body.data.polygons)) < 40)
    bpy.ops.ed.undo_push(message="Selected")
    bpy.ops.mesh.select_more("EXEC_DEFAULT", True)

    def state():
        obj = bpy.data.objects["Body"]
        assert obj.mode == "EDIT"
        bpy.ops.object.mode_set(mode="OBJECT")
        found = snapshot(obj)
        bpy.ops.object.mode_set(mode="EDIT")
        return found

    states = [state()]
    for name, options in (
        ("assign_part", {"index": 2}),
        ("merge_parts", {"index": 0, "into": "torso"}),
        ("rename_part", {"index": 0, "name": "belly"}),
        ("swap_sides", {}),
        ("add_part", {"name": "hair"}),
        ("mask_part", {"index": 1}),
    ):
        getattr(bpy.ops.diffusionnet, name)("EXEC_DEFAULT", True, **options)
        states.append(state())
        assert states[-1] != states[-2], name
    for expected in reversed(states[:-1]):
        bpy.ops.ed.undo()
        assert state() == expected
        # The step that Blender has before each of them is of the same state.
        bpy.ops.ed.undo()
        assert state() == expected
    for expected in states[1:]:
        bpy.ops.ed.redo()
        bpy.ops.ed.redo()
        assert state() == expected


def test_several_objects_at_once_and_one_that_cannot(body, capfd):
    other = add_body("Other", subdivisions=3)
    bpy.ops.diffusionnet.segment()
    select(body, other)
    before = labels_of(body), labels_of(other)
    bpy.ops.diffusionnet.grow_part(part=CLASSES[biggest(body)])
    assert not np.array_equal(labels_of(body), before[0])
    assert not np.array_equal(labels_of(other), before[1])
    body.data.attributes["part"].data[0].value = 77
    broken, before = labels_of(body), labels_of(other)
    capfd.readouterr()
    bpy.ops.diffusionnet.grow_part(part=CLASSES[biggest(other)])
    assert "Warning: Attribute 'part' has part numbers out of range" in capfd.readouterr().out
    assert np.array_equal(labels_of(body), broken)
    assert not np.array_equal(labels_of(other), before)
