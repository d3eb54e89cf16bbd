"""What a model is unsure of, in the panel: shown, settled by corrections, kept with the file."""

from dataclasses import replace

import bpy
import numpy as np
import pytest

from diffusionnet_blender import panels
from diffusionnet_blender.network.checkpoint import save_model
from diffusionnet_blender.scene.doubts import read_doubts
from diffusionnet_blender.scene.labels import labels_to_write
from diffusionnet_blender.scene.options import Outputs
from diffusionnet_blender.scene.results import keep_result
from diffusionnet_blender.scene.write import write_labels
from diffusionnet_blender.tasks.doubts import SIDES
from tests.conftest import CLASSES
from tests.framed import body, framed_model
from tests.scenes import add_body, add_mesh, add_rig, result_for, select, snapshot, values_of

pytestmark = pytest.mark.usefixtures("blender")
UNSURE = (SIDES, "upper_arm", "head")


class Recorder:
    """A layout that keeps what is drawn."""

    def __init__(self, root=None):
        self.root = root or self
        if root is None:
            self.lines, self.buttons = [], []

    def row(self, **options):
        return Recorder(self.root)

    column = row

    def label(self, *, text, icon="NONE", translate=True):
        self.root.lines.append(text)

    def operator(self, name, **options):
        self.root.buttons.append(name)
        return Recorder(self.root)


def drawn(obj):
    """Lines and buttons about doubts in the panel of an object."""
    layout = Recorder()
    panels.parts.draw_doubts(layout, obj)
    return layout.lines, layout.buttons


def add_unsure(name="Body", unsure_of=UNSURE):
    obj = add_body(name)
    segmented(obj, unsure_of)
    select(obj)
    return obj


def segmented(obj, unsure_of=UNSURE):
    """As a run leaves an object."""
    result = replace(result_for(obj), unsure_of=unsure_of)
    keep_result(obj.data, result)
    write_labels(obj, result, Outputs())


def add_body_with_hat():
    body, hat = add_body("Body", subdivisions=3), add_body("Hat", scale=(0.3, 0.3, 0.2))
    hat.parent = body
    hat.location.z = 1.9
    return body, hat


def assign(obj, part, faces):
    obj.data.polygons.foreach_set("select", np.arange(len(obj.data.polygons)) < faces)
    bpy.context.tool_settings.mesh_select_mode = (False, False, True)
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.diffusionnet.assign_part(part=part)
    bpy.ops.object.mode_set(mode="OBJECT")


@pytest.mark.parametrize(
    ("unsure_of", "line", "helps", "buttons"),
    [
        ((), None, None, []),
        ((SIDES,), "Unsure: sides", "Helps: Swap Sides", ["diffusionnet.swap_sides"]),
        (("head", "torso"), "Unsure: head, torso", "Helps: Assign", []),
        (UNSURE, "Unsure: sides, upper_arm, head", "Helps: Swap Sides, Assign",
         ["diffusionnet.swap_sides"]),
    ],
    ids=["nothing", "sides", "parts", "both"],
)  # fmt: skip
def test_one_line_has_the_doubts_and_one_what_helps(unsure_of, line, helps, buttons):
    found = drawn(add_unsure(unsure_of=unsure_of))
    assert found == ([line, helps] if line else [], buttons)


def test_many_doubts_are_one_and_become_fewer_with_corrections():
    obj = add_body()
    classes = (*CLASSES[:2], "hand", "foot", "tail", "ear")
    colours = np.random.default_rng(0).random((6, 3))
    result = result_for(obj, classes=classes, colours=colours)
    write_labels(obj, replace(result, unsure_of=classes[:5]), Outputs())
    assert drawn(obj)[0] == ["Unsure: whole figure", "Helps: Assign"]
    assign(obj, "tail", 3)
    assert drawn(obj)[0][0] == "Unsure: head, torso, hand, foot"


@pytest.mark.parametrize("case", ["known", "unknown", "without weights", "asked"])
def test_the_rig_is_named_where_its_bones_know_parts_and_were_not_asked(case):
    obj = add_unsure(unsure_of=("head",))
    bones = ("Bone",) if case == "unknown" else ("head",)
    add_rig(obj, {name: ((0, 0, 0), (0, 0, 1)) for name in bones})
    if case != "without weights":
        (obj.vertex_groups.get(bones[0]) or obj.vertex_groups.new(name=bones[0])).add(
            [0], 1.0, "REPLACE"
        )
    else:
        obj.vertex_groups.remove(obj.vertex_groups["head"])
    if case == "asked":
        obj.data.diffusionnet.model = "rig"
    helps = "From the Rig, Assign" if case == "known" else "Assign"
    assert drawn(obj)[0][1] == f"Helps: {helps}"


def test_segmenting_brings_the_doubts_of_the_whole_to_every_member(tmp_path, told):
    figure, hat = add_body_with_hat()
    path = save_model(framed_model(sharpness=1e-3), tmp_path)
    bpy.ops.diffusionnet.segment(model=str(path))
    assert read_doubts(figure.data) == read_doubts(hat.data)
    assert read_doubts(figure.data)[0] == SIDES
    assert "unsure: sides" in told()


def test_segmenting_with_a_model_that_is_sure_brings_no_doubt_of_sides(tmp_path, told):
    obj = add_mesh("Figure", *body())
    path = save_model(framed_model(sure=9.0), tmp_path)
    bpy.ops.diffusionnet.segment(model=str(path))
    assert SIDES not in read_doubts(obj.data)
    assert "sides" not in told()


def test_swapping_settles_the_sides_and_twice_changes_no_label():
    obj = add_unsure()
    before = snapshot(obj)
    bpy.ops.diffusionnet.swap_sides()
    assert read_doubts(obj.data) == UNSURE[1:]
    assert not np.array_equal(
        snapshot(obj)["groups"]["upper_arm.L"], before["groups"]["upper_arm.L"]
    )
    bpy.ops.diffusionnet.swap_sides()
    after = snapshot(obj)
    assert after.pop("unsure of") == "\n".join(UNSURE[1:])
    before.pop("unsure of")
    assert after == before


def settle_by(how, obj):
    if how == "assign":
        assign(obj, "upper_arm.L", 5)
    elif how == "grow":
        bpy.ops.diffusionnet.grow_part(part="upper_arm.R")
    elif how == "shrink":
        bpy.ops.diffusionnet.shrink_part(part="upper_arm.R")
    else:
        for side in "LR":
            bpy.ops.diffusionnet.merge_parts(part=f"upper_arm.{side}", into="torso")


@pytest.mark.parametrize("how", ["assign", "grow", "shrink", "merge"])
def test_a_part_that_the_artist_corrects_is_settled_alone(how):
    obj = add_unsure()
    settle_by(how, obj)
    sides = () if how == "merge" else (SIDES,)
    assert read_doubts(obj.data) == (*sides, "head")


@pytest.mark.parametrize("operator", ["smooth_parts", "mask_part", "add_part", "recolor_part"])
def test_what_decides_about_no_part_settles_nothing(operator):
    obj = add_unsure()
    getattr(bpy.ops.diffusionnet, operator)()
    assert read_doubts(obj.data) == UNSURE


def test_doubts_follow_a_renamed_part():
    obj = add_unsure()
    bpy.ops.diffusionnet.rename_part(part="head", name="skull")
    obj.data.diffusionnet.parts["upper_arm.L"].title = "arm.L"
    obj.data.diffusionnet.parts["upper_arm.R"].title = "arm.R"
    assert read_doubts(obj.data) == (SIDES, "arm", "skull")
    bpy.ops.diffusionnet.grow_part(part="arm.R")
    assert read_doubts(obj.data) == (SIDES, "skull")


def test_what_is_settled_on_a_member_is_settled_on_all_and_on_no_other_character():
    (figure, hat), other = add_body_with_hat(), add_body("Other")
    other.location.x = 9
    for obj in (figure, hat, other):
        segmented(obj)
        obj.data.polygons.foreach_set("select", np.zeros(len(obj.data.polygons), bool))
    select(hat, other, figure)
    assign(figure, "head", 4)
    left = (SIDES, "upper_arm")
    assert [read_doubts(obj.data) for obj in (figure, hat, other)] == [left, left, UNSURE]
    # Also where the hat's own labels have never changed.
    assert labels_to_write(hat).unsure_of == left
    select(hat)
    bpy.ops.diffusionnet.write_labels(materials=True)
    bpy.ops.diffusionnet.swap_sides()
    assert [read_doubts(obj.data) for obj in (figure, hat)] == [left[1:]] * 2


@pytest.mark.parametrize("each", [False, True])
def test_members_that_are_processed_alone_settle_alone(each):
    figure, hat = add_body_with_hat()
    bpy.context.scene.diffusionnet.each = each
    for obj in (figure, hat):
        segmented(obj)
    select(hat)
    bpy.ops.diffusionnet.swap_sides()
    assert read_doubts(hat.data) == UNSURE[1:]
    assert read_doubts(figure.data) == (UNSURE if each else UNSURE[1:])


def test_doubts_are_undone_with_the_correction():
    obj = add_unsure()
    bpy.ops.ed.undo_push(message="Labels")
    bpy.ops.diffusionnet.swap_sides("EXEC_DEFAULT", True)
    assert read_doubts(bpy.data.objects["Body"].data) == UNSURE[1:]
    bpy.ops.ed.undo()
    obj = bpy.data.objects["Body"]
    assert read_doubts(obj.data) == UNSURE
    assert labels_to_write(obj).unsure_of == UNSURE
    bpy.ops.ed.redo()
    assert read_doubts(bpy.data.objects["Body"].data) == UNSURE[1:]


def test_doubts_are_saved_with_the_file_and_settled_after_it_is_opened(tmp_path):
    add_unsure()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    obj = bpy.data.objects["Body"]
    assert drawn(obj)[0][0] == "Unsure: sides, upper_arm, head"
    select(obj)
    bpy.ops.diffusionnet.swap_sides()
    bpy.ops.diffusionnet.write_labels(confidence=True)
    assert read_doubts(obj.data) == UNSURE[1:]


def test_another_run_has_doubts_of_its_own():
    obj = add_unsure()
    segmented(obj, ("torso", "tail"))
    # This model has no tail.
    assert read_doubts(obj.data) == ("torso",)
    assert len(np.unique(values_of(obj, "part"))) == len(CLASSES)
