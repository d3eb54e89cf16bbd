"""The operators, called as scripts call them."""

import bpy
import numpy as np
import pytest

from diffusionnet_blender.operators.base import ReportingOperator
from diffusionnet_blender.scene.results import find_result
from tests.conftest import CLASSES, MODEL
from tests.scenes import add_body, add_mesh, add_quads, group_weights, select, snapshot, values_of
from tests.shapes import icosphere, joined

pytestmark = pytest.mark.usefixtures("blender")


@pytest.fixture
def settings(blender):
    return blender.context.scene.diffusionnet


def said(capfd):
    """What Blender printed: reports of operators that were called from Python."""
    return capfd.readouterr().out


def test_segment_writes_what_the_panel_is_set_to(settings):
    obj = add_body()
    settings.face_sets = True
    settings.weights = "SOFT"
    assert settings.model == MODEL
    assert bpy.ops.diffusionnet.segment() == {"FINISHED"}
    labels = values_of(obj, "part")
    assert len(set(labels)) > 1
    assert np.array_equal(values_of(obj, ".sculpt_face_set"), labels + 1)
    assert obj.data.color_attributes.active_color.name == "part_color"
    assert len(obj.data.materials) == 0
    weights = sum(group_weights(obj, name) for name in CLASSES)
    np.testing.assert_allclose(weights, 1, atol=0.05)
    assert obj.data.diffusionnet.model == MODEL
    assert [part.name for part in obj.data.diffusionnet.parts] == list(CLASSES)


def test_segment_reports_counts_and_time(capfd):
    add_body()
    bpy.ops.diffusionnet.segment()
    assert "Info: Body: " in (text := said(capfd))
    assert " on 320 faces in " in text
    assert text.count("Info:") - text.count("labels written") == 1


def test_segment_says_what_it_left_out_and_mended(capfd):
    obj = add_mesh("Two", *joined(icosphere(2), icosphere(2)))
    bpy.ops.diffusionnet.segment()
    assert "mended on the way: 162 welded vertices" in said(capfd)
    obj.vertex_groups["torso"].lock_weight = True
    bpy.ops.diffusionnet.segment()
    assert "(left out: locked vertex groups torso)" in said(capfd)


def test_segment_with_a_model_of_its_own(tiny_model):
    obj = add_body()
    bpy.ops.diffusionnet.segment(model=str(tiny_model))
    assert obj.data.diffusionnet.model == MODEL
    with pytest.raises(RuntimeError, match="There is no model 'nobody'.*Known models:.*tiny"):
        bpy.ops.diffusionnet.segment(model="nobody")


def test_labels_are_cleaned_as_the_panel_or_the_script_says(settings):
    obj = add_body(subdivisions=4)
    assert settings.clean

    def labels(**options):
        bpy.ops.diffusionnet.segment(**options)
        return values_of(obj, "part_vertex")

    clean, rough = labels(), labels(clean=False)
    edges = np.array([edge.vertices[:] for edge in obj.data.edges])
    border, before = (np.sum(x[edges[:, 0]] != x[edges[:, 1]]) for x in (clean, rough))
    assert 0 < border < before
    settings.clean = False
    assert np.array_equal(labels(), rough)
    assert np.array_equal(labels(clean=True), clean)


def test_all_selected_meshes(settings):
    first, second, other = add_body("A"), add_quads("B"), add_body("C")
    light = bpy.data.objects["Light"]
    settings.object = other
    select(light, first, second)
    bpy.ops.diffusionnet.segment()
    assert "part" in first.data.attributes
    assert "part" in second.data.attributes
    assert "part" not in other.data.attributes


def test_the_picked_object_when_nothing_is_selected(settings):
    picked, other = add_body("A"), add_body("B")
    select()
    settings.object = picked
    bpy.ops.diffusionnet.segment()
    assert "part" in picked.data.attributes
    assert "part" not in other.data.attributes


def test_the_picked_mesh_when_only_its_rig_is_selected(settings):
    picked = add_body()
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.collection.objects.link(rig)
    select(rig)
    settings.object = picked
    bpy.ops.diffusionnet.segment()
    assert "part" in picked.data.attributes


@pytest.mark.parametrize(
    ("vertices", "faces"),
    [
        ([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]]),
        ([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], [[0, 1, 2, 3]]),
    ],
    ids=["triangle", "quad"],
)
def test_the_smallest_shapes(vertices, faces):
    obj = add_mesh("Small", vertices, faces)
    bpy.ops.diffusionnet.segment()
    assert len(values_of(obj, "part_vertex")) == len(vertices)


def test_an_object_by_name():
    named, selected = add_body("A"), add_body("B")
    bpy.ops.diffusionnet.segment(object_name="A")
    assert "part" in named.data.attributes
    assert "part" not in selected.data.attributes
    with pytest.raises(RuntimeError, match="There is no object 'Z'"):
        bpy.ops.diffusionnet.segment(object_name="Z")


def test_a_mesh_of_two_objects_is_done_once(capfd):
    obj = add_body("A")
    twin = bpy.data.objects.new("B", obj.data)
    bpy.context.collection.objects.link(twin)
    select(twin, obj)
    bpy.ops.diffusionnet.segment()
    assert " on 320 faces" in said(capfd)


def test_one_bad_object_is_a_warning_and_the_others_are_written(capfd):
    good, bad = add_body("Good"), add_mesh("Bad", [[1, 2, 3]] * 4, [[0, 1, 2]])
    select(good, bad)
    assert bpy.ops.diffusionnet.segment() == {"FINISHED"}
    assert "part" in good.data.attributes
    assert "part" not in bad.data.attributes
    text = said(capfd)
    assert "Warning: 'Bad': All vertices are at the same place" in text
    assert "Info: Good: " in text


def test_an_old_result_does_not_pass_for_a_run_that_failed():
    obj = add_body("A")
    good = add_body("B")
    bpy.ops.diffusionnet.segment(object_name="A")
    for vertex in obj.data.vertices:
        vertex.co = (0, 0, 0)
    select(obj, good)
    bpy.ops.diffusionnet.segment()
    assert find_result(obj.data) is None
    assert find_result(good.data) is not None


def test_nothing_to_work_on():
    add_body()
    select()
    with pytest.raises(RuntimeError, match="No mesh is selected. Select one, or pick one"):
        bpy.ops.diffusionnet.segment()


@pytest.mark.parametrize("name", ["segment", "write_labels", "select_part"])
def test_without_a_mesh_the_poll_says_why(name):
    with pytest.raises(RuntimeError, match="No mesh in the view layer"):
        getattr(bpy.ops.diffusionnet, name)()


def test_a_selected_armature_says_what_to_do():
    add_body()
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.collection.objects.link(rig)
    select(rig)
    with pytest.raises(RuntimeError, match="'Rig' is not a mesh"):
        bpy.ops.diffusionnet.segment()


def test_with_the_rest_shape_a_pose_finds_the_matrices_of_the_one_before(settings):
    obj = add_body()
    obj.shape_key_add(name="Basis")
    key = obj.shape_key_add(name="Wide")
    rest = np.array([vertex.co for vertex in obj.data.vertices])
    key.data.foreach_set("co", (rest * [2.5, 1, 1] + [0.3, 0, 0] * rest**2).ravel())
    settings.use_modifiers = settings.use_rest_shape = True
    bpy.ops.diffusionnet.segment()
    before = find_result(obj.data)
    key.value = 1.0
    obj.rotation_euler = (0.3, 0.2, 0.1)
    bpy.ops.diffusionnet.segment()
    after = find_result(obj.data)
    assert "cache" in after.seconds
    assert "eigenbasis" not in after.seconds
    # This model looks at positions, so the pose shows.
    assert np.abs(before.vertex_probabilities - after.vertex_probabilities).max() > 1e-3
    settings.use_rest_shape = False
    bpy.ops.diffusionnet.segment()
    assert "eigenbasis" in find_result(obj.data).seconds


@pytest.mark.parametrize("use_modifiers", [False, True])
@pytest.mark.parametrize("use_rest_shape", [False, True])
@pytest.mark.parametrize("kind", ["MIRROR", "SUBSURF", "REMESH", "SKIN"])
def test_modifiers_that_make_geometry_count_and_results_are_for_the_base_mesh(
    settings, use_modifiers, use_rest_shape, kind
):
    obj = add_body(subdivisions=1)
    bpy.ops.object.modifier_add(type=kind)
    settings.use_modifiers, settings.use_rest_shape = use_modifiers, use_rest_shape
    bpy.ops.diffusionnet.segment()
    assert len(obj.data.attributes["part"].data) == len(obj.data.polygons)
    assert len(obj.data.attributes["part_vertex"].data) == len(obj.data.vertices)


def test_a_mirrored_object_gets_the_labels_of_its_mirror_image():
    """The network sees the shape in the world: mirroring twice is no change."""
    obj, mirrored = add_body("A"), add_body("B")
    mirrored.data.transform(((-1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)))
    mirrored.data.flip_normals()
    mirrored.scale.x = -1
    select(obj, mirrored)
    bpy.ops.diffusionnet.segment()
    # The untrained network is no smooth function of rounding: nearly all is what can be asked.
    same = values_of(obj, "part_vertex") == values_of(mirrored, "part_vertex")
    assert same.mean() > 0.98


def test_a_point_cloud():
    obj = add_mesh("Cloud", icosphere(3)[0] * [1, 0.7, 1.5], [])
    bpy.ops.diffusionnet.segment()
    assert len(values_of(obj, "part_vertex")) == 642
    assert "part" not in obj.data.attributes


def test_in_edit_mode():
    obj = add_body()
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.subdivide()
    bpy.ops.diffusionnet.segment()
    assert obj.mode == "EDIT"
    bpy.ops.object.mode_set(mode="OBJECT")
    assert len(values_of(obj, "part")) == len(obj.data.polygons) == 1280


def test_click_to_labels_is_one_undo_step():
    add_body()
    bpy.ops.ed.undo_push(message="Before")
    before = snapshot(bpy.data.objects["Body"])
    bpy.context.scene.diffusionnet.materials = True
    bpy.ops.ed.undo_push(message="Settings")
    bpy.ops.diffusionnet.segment("EXEC_DEFAULT", True)
    after = snapshot(bpy.data.objects["Body"])
    assert after != before
    bpy.ops.ed.undo()
    assert snapshot(bpy.data.objects["Body"]) == before
    assert bpy.context.scene.diffusionnet.materials
    bpy.ops.ed.redo()
    assert snapshot(bpy.data.objects["Body"]) == after


def test_in_edit_mode_too_it_is_one_undo_step():
    add_body()
    bpy.context.scene.diffusionnet.materials = True
    bpy.ops.ed.undo_push(message="Before")
    bpy.ops.object.mode_set("EXEC_DEFAULT", True, mode="EDIT")
    bpy.ops.diffusionnet.segment("EXEC_DEFAULT", True)
    assert bpy.data.objects["Body"].data.materials
    bpy.ops.ed.undo()
    obj = bpy.data.objects["Body"]
    assert obj.mode == "EDIT"
    bpy.ops.object.mode_set(mode="OBJECT")
    assert "part" not in obj.data.attributes
    assert not obj.vertex_groups.keys()
    assert not obj.data.materials
    assert not obj.data.diffusionnet.parts


def test_written_again_after_undo_as_the_redo_panel_does():
    add_body()
    bpy.ops.ed.undo_push(message="Before")
    bpy.ops.diffusionnet.segment("EXEC_DEFAULT", True)
    labels = values_of(bpy.data.objects["Body"], "part")
    bpy.ops.ed.undo()
    bpy.ops.diffusionnet.write_labels("EXEC_DEFAULT", True, vertex_groups=False, face_sets=True)
    obj = bpy.data.objects["Body"]
    assert np.array_equal(values_of(obj, ".sculpt_face_set"), labels + 1)
    assert len(obj.vertex_groups) == 0
    bpy.ops.ed.undo()
    assert ".sculpt_face_set" not in bpy.data.objects["Body"].data.attributes


def test_write_labels_takes_the_panels_settings_where_a_script_says_nothing(settings):
    obj = add_body()
    bpy.ops.diffusionnet.segment()
    settings.attributes = False
    settings.confidence = True
    for attribute in ("part", "part_vertex", "part_color"):
        obj.data.attributes.remove(obj.data.attributes[attribute])
    bpy.ops.diffusionnet.write_labels(colors=False)
    assert "part" not in obj.data.attributes
    assert "part_color" not in obj.data.attributes
    assert "part_confidence" in obj.data.attributes


def test_write_labels_without_a_result():
    obj = add_body()
    with pytest.raises(RuntimeError, match="Nothing has been segmented"):
        bpy.ops.diffusionnet.write_labels()
    bpy.ops.diffusionnet.segment()
    obj.data = bpy.data.meshes.new("Other")
    with pytest.raises(RuntimeError, match="'Body' has not been segmented.*Segment it first"):
        bpy.ops.diffusionnet.write_labels()


def test_write_labels_after_the_mesh_was_edited():
    obj = add_body()
    bpy.ops.diffusionnet.segment()
    before = snapshot(obj)
    obj.modifiers.new("Subdivision", "SUBSURF")
    bpy.ops.object.modifier_apply(modifier="Subdivision")
    with pytest.raises(RuntimeError, match="segment it again"):
        bpy.ops.diffusionnet.write_labels(materials=True)
    assert len(obj.data.materials) == len(before["materials"]) == 0


def test_results_are_forgotten_with_the_file():
    obj = add_body()
    bpy.ops.diffusionnet.segment()
    assert find_result(obj.data)
    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    assert find_result(add_body().data) is None


def test_select_part_by_name_and_number(capfd):
    obj = add_body()
    bpy.ops.diffusionnet.segment()
    labels = values_of(obj, "part")
    present = sorted(set(labels.astype(int)))
    first, second = present[0], present[1]
    bpy.ops.diffusionnet.select_part(part=CLASSES[first])
    assert obj.mode == "EDIT"
    assert f"{CLASSES[first]}: {(labels == first).sum()} face" in said(capfd)
    bpy.ops.diffusionnet.select_part(index=second, extend=True)
    bpy.ops.object.mode_set(mode="OBJECT")
    chosen = [polygon.select for polygon in obj.data.polygons]
    assert np.array_equal(chosen, np.isin(labels, [first, second]))
    bpy.ops.diffusionnet.select_part(index=first, edit_mode=False)
    assert obj.mode == "OBJECT"
    chosen = [polygon.select for polygon in obj.data.polygons]
    assert np.array_equal(chosen, labels == first)


def test_select_part_of_another_object_than_the_one_in_edit_mode():
    obj, other = add_body("A"), add_body("B")
    bpy.ops.diffusionnet.segment(object_name="A")
    bpy.ops.object.mode_set(mode="EDIT")
    assert other.mode == "EDIT"
    bpy.ops.diffusionnet.select_part(object_name="A", index=int(values_of(obj, "part")[0]))
    assert (obj.mode, other.mode) == ("EDIT", "OBJECT")


def test_select_part_is_one_undo_step():
    obj = add_body()
    bpy.ops.diffusionnet.segment()
    bpy.ops.ed.undo_push(message="Before")
    before = [polygon.select for polygon in obj.data.polygons]
    part = int(values_of(obj, "part")[0])
    bpy.ops.diffusionnet.select_part("EXEC_DEFAULT", True, index=part)
    bpy.ops.ed.undo()
    obj = bpy.data.objects["Body"]
    assert obj.mode == "OBJECT"
    assert [polygon.select for polygon in obj.data.polygons] == before


def test_select_part_of_a_part_that_is_not_there():
    add_body()
    with pytest.raises(RuntimeError, match="'Body' has no parts. Segment it first"):
        bpy.ops.diffusionnet.select_part(index=0)
    bpy.ops.diffusionnet.segment()
    with pytest.raises(RuntimeError, match="has no part 'tail'. Its parts are head, torso"):
        bpy.ops.diffusionnet.select_part(part="tail")
    with pytest.raises(RuntimeError, match="has no part 9"):
        bpy.ops.diffusionnet.select_part(index=9)


def test_a_model_that_was_added_is_found_after_reloading(settings, tiny_model):
    card, weights = tiny_model.with_suffix(".json"), tiny_model
    copies = [path.with_stem("copy") for path in (card, weights)]
    copies[0].write_text(card.read_text().replace('"name": "tiny"', '"name": "copy"'))
    copies[1].write_bytes(weights.read_bytes())
    try:
        bpy.ops.diffusionnet.reload_models()
        settings.model = "copy"
        assert settings.model == "copy"
    finally:
        for path in copies:
            path.unlink()
        bpy.ops.diffusionnet.reload_models()
    assert settings.model != "copy"


class FaultyOperator(ReportingOperator, bpy.types.Operator):
    bl_idname = "diffusionnet.faulty"
    bl_label = "Faulty"

    def run(self, context):
        return {}["nothing"]


def test_a_fault_is_one_line_and_a_report_with_the_traceback(monkeypatch, tmp_path):
    bpy.utils.register_class(FaultyOperator)
    try:
        with pytest.raises(RuntimeError, match="(?s)Traceback.*KeyError"):
            bpy.ops.diffusionnet.faulty()
        monkeypatch.delenv("DIFFUSIONNET_RERAISE")
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        with pytest.raises(RuntimeError, match="KeyError: 'nothing'. This is a bug") as caught:
            bpy.ops.diffusionnet.faulty()
        assert len(str(caught.value).strip().splitlines()) == 1
        (report,) = tmp_path.rglob("*.txt")
        assert str(report) in str(caught.value)
        text = report.read_text()
        assert "Traceback" in text
        assert bpy.app.version_string in text
    finally:
        bpy.utils.unregister_class(FaultyOperator)


def test_a_card_of_many_shares_shows_the_best_and_the_worst():
    from diffusionnet_blender.panels.segment import shown_accuracies

    few = {"people": 0.9, "robots": 0.8}
    assert shown_accuracies(few) == few
    many = {"a": 0.9, "b": 0.5, "c": 0.97, "d": 0.7}
    assert shown_accuracies(many) == {"c": 0.97, "b": 0.5}
