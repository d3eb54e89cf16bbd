"""Skeletons made, dragged and bound in Blender, on a mannequin whose joints are known."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from mathutils import Vector  # noqa: E402

from diffusionnet_blender.errors import DiffusionNetError  # noqa: E402
from diffusionnet_blender.scene.binding import bind  # noqa: E402
from diffusionnet_blender.scene.character import Character  # noqa: E402
from diffusionnet_blender.scene.fits import Fit, find_fit, forget_all_fits, keep_fit  # noqa: E402
from diffusionnet_blender.scene.options import Binding  # noqa: E402
from diffusionnet_blender.scene.rig_jobs import rig_request  # noqa: E402
from diffusionnet_blender.scene.skeletons import write_skeleton  # noqa: E402
from diffusionnet_blender.scene.vertex_groups import read_weights  # noqa: E402
from diffusionnet_blender.tasks.rig.kinds import KINDS  # noqa: E402
from diffusionnet_blender.tasks.rig.request import Bones, Fitted  # noqa: E402
from tests.mannequin import FRAME, NAMES, PLACES, mannequin  # noqa: E402
from tests.operators.figures import keep_joints  # noqa: E402
from tests.scenes import add_mesh, add_rig, select  # noqa: E402

BONES = ("upper_arm.L", "forearm.L", "thigh.R", "shin.R", "head")


@pytest.fixture
def figure(blender):
    """A mannequin whose joints have been found."""
    vertices, faces, parts = mannequin()
    obj = add_mesh("Figure", vertices, faces)
    obj.location = (2.0, 0.0, 0.5)
    blender.context.view_layer.update()
    keep_joints([obj], parts)
    yield obj
    forget_all_fits()


def armatures():
    return [obj for obj in bpy.data.objects if obj.type == "ARMATURE"]


def posed(obj):
    depsgraph = bpy.context.evaluated_depsgraph_get()
    mesh = obj.evaluated_get(depsgraph).to_mesh()
    found = np.array([vertex.co for vertex in mesh.vertices])
    obj.evaluated_get(depsgraph).to_mesh_clear()
    return found


@pytest.mark.parametrize(
    "kind", [name for name, kind in KINDS.items() if not kind.metarig and not kind.four_legs]
)
def test_a_skeleton_of_each_kind_stands_in_the_figure_and_moves_it(figure, kind):
    bpy.ops.diffusionnet.write_skeleton(kind=kind, fingers=False)
    (rig,) = armatures()
    names = KINDS[kind].names
    bone = rig.data.bones[names["forearm.L"]]
    place = np.array(rig.matrix_world @ bone.head_local)
    np.testing.assert_allclose(place, PLACES["elbow.L"] + [2.0, 0.012, 0.5], atol=1e-5)
    assert bpy.context.view_layer.objects.active == rig
    # The skeleton stands for its character.
    bpy.ops.diffusionnet.bind_skeleton()
    (modifier,) = [m for m in figure.modifiers if m.type == "ARMATURE"]
    assert modifier.object == rig
    assert figure.parent == rig
    weights = read_weights(figure, [b.name for b in rig.data.bones if b.use_deform])
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)
    before = posed(figure)
    # At rest nothing moves.
    rest = np.array([v.co for v in figure.data.vertices])
    np.testing.assert_allclose(before, rest, atol=1e-5)
    rig.pose.bones[names["forearm.L"]].rotation_mode = "XYZ"
    rig.pose.bones[names["forearm.L"]].rotation_euler = (np.radians(90), 0, 0)
    bpy.context.view_layer.update()
    moved = np.linalg.norm(posed(figure) - before, axis=1)
    hand, legs = rest[:, 0] > 0.75, rest[:, 2] < 0.8
    assert moved[hand].min() > 0.3
    assert moved[legs].max() < 1e-6
    # An elbow bends to the front.
    assert (posed(figure)[hand, 1] < -0.15).all()


def test_rigify_generates_and_its_elbow_bends_to_the_front(figure):
    bpy.ops.diffusionnet.write_skeleton(kind="rigify", fingers=False)
    bpy.ops.diffusionnet.bind_skeleton()
    rig = figure.modifiers[0].object
    assert "rig_id" in rig.data
    weights = read_weights(figure, [b.name for b in rig.data.bones if b.use_deform])
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)
    rest = posed(figure)
    bpy.ops.diffusionnet.check_rig(object_name=figure.name)
    assert rig.animation_data.action is not None
    elbows = next(m for m in rig.animation_data.action.pose_markers if m.name == "Elbows Bent")
    bpy.context.scene.frame_set(elbows.frame)
    bent = posed(figure)
    hand = rest[:, 0] > 0.8
    assert (bent[hand, 1] < -0.1).all()
    assert np.abs(bent[rest[:, 2] < 0.8] - rest[rest[:, 2] < 0.8]).max() < 1e-3
    squat = next(m for m in rig.animation_data.action.pose_markers if m.name == "Squat")
    bpy.context.scene.frame_set(squat.frame)
    knees = (rest[:, 2] > 0.45) & (rest[:, 2] < 0.55) & (np.abs(rest[:, 0]) < 0.2)
    assert posed(figure)[knees, 1].mean() < rest[knees, 1].mean() - 0.2


def test_a_dragged_joint_is_where_the_meshes_are_bound(figure):
    bpy.ops.diffusionnet.write_skeleton(kind="mixamo", fingers=False)
    (rig,) = armatures()
    bpy.ops.object.mode_set(mode="EDIT")
    name = KINDS["mixamo"].names["spine1"]
    rig.data.edit_bones[name].head.z -= 0.03
    bpy.ops.object.mode_set(mode="OBJECT")
    high = rig.data.bones[name].head_local.z
    bpy.ops.diffusionnet.bind_skeleton()
    share = read_weights(figure, [name])[:, 0]
    assert rig.data.bones[name].head_local.z == pytest.approx(high)
    z = np.array([v.co.z for v in figure.data.vertices])
    ring = np.abs(z - high) < 0.012
    assert 0.2 < np.median(share[ring & (share > 0)]) < 0.8


def test_fit_and_bind_are_one_step_of_undo_each(figure):
    bpy.ops.ed.undo_push(message="start")
    bpy.ops.diffusionnet.write_skeleton("EXEC_DEFAULT", True, kind="plain", fingers=False)
    bpy.ops.diffusionnet.bind_skeleton("EXEC_DEFAULT", True)
    bpy.ops.ed.undo()
    obj = bpy.data.objects["Figure"]
    assert armatures()
    assert not obj.modifiers
    assert not obj.vertex_groups
    bpy.ops.ed.undo()
    assert not armatures()


def test_a_skeleton_that_was_changed_stays_and_another_is_replaced(figure):
    bpy.ops.diffusionnet.write_skeleton(kind="plain")
    bpy.ops.diffusionnet.write_skeleton(kind="unreal")
    (rig,) = armatures()
    assert "pelvis" in rig.data.bones
    bpy.ops.object.mode_set(mode="EDIT")
    rig.data.edit_bones["head"].tail.z += 0.1
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.ops.diffusionnet.write_skeleton(kind="plain")
    assert len(armatures()) == 2
    assert rig in armatures()


def test_another_skeleton_takes_the_weights_of_the_one_before_along(figure):
    for kind in ("plain", "mixamo"):
        select(figure)
        bpy.ops.diffusionnet.write_skeleton(kind=kind, fingers=False)
        bpy.ops.diffusionnet.bind_skeleton()
    names = {group.name for group in figure.vertex_groups}
    assert names
    assert all(name.startswith("mixamorig:") for name in names)


def test_rigify_again_leaves_one_metarig_and_one_rig(figure):
    for _ in range(2):
        select(figure)
        bpy.ops.diffusionnet.write_skeleton(kind="rigify", fingers=False)
        bpy.ops.diffusionnet.bind_skeleton()
    assert len(armatures()) == 2
    widgets = [obj for obj in bpy.data.objects if obj.name.startswith("WGT")]
    assert len({obj.name.partition(".")[0] for obj in widgets}) > 0
    assert len([c for c in bpy.data.collections if c.name.startswith("WGTS")]) == 1
    assert figure.modifiers[0].object in armatures()


def test_own_vertex_groups_named_as_bones_stay(figure):
    group = figure.vertex_groups.new(name="head")
    group.add([0, 1], 0.25, "REPLACE")
    bpy.ops.diffusionnet.write_skeleton(kind="plain", fingers=False)
    with pytest.raises(RuntimeError, match="Overwrite"):
        bpy.ops.diffusionnet.bind_skeleton()
    assert not figure.modifiers
    assert len(figure.vertex_groups) == 1
    assert figure.vertex_groups["head"].weight(0) == pytest.approx(0.25)
    bpy.ops.diffusionnet.bind_skeleton(overwrite=True)
    assert len(figure.modifiers) == 1


def test_meshes_that_follow_an_armature_of_the_artist_are_refused(figure):
    own = add_rig(figure, {"Bone": ((0, 0, 0), (0, 0, 1))})
    select(figure)
    with pytest.raises(RuntimeError, match="already bound"):
        bpy.ops.diffusionnet.rig()
    bpy.ops.diffusionnet.write_skeleton(kind="plain")
    with pytest.raises(RuntimeError, match="already bound"):
        bpy.ops.diffusionnet.bind_skeleton()
    assert figure.modifiers[0].object == own
    assert not figure.vertex_groups


def test_a_character_that_was_moved_or_edited_is_to_be_fitted_again(figure):
    figure.location.x += 1
    bpy.context.view_layer.update()
    with pytest.raises(RuntimeError, match="moved"):
        bpy.ops.diffusionnet.write_skeleton(kind="plain")
    figure.location.x -= 1
    bpy.context.view_layer.update()
    bpy.ops.diffusionnet.write_skeleton(kind="plain")
    assert armatures()


def test_without_joints_or_a_skeleton_the_remedy_is_told(blender):
    vertices, faces, parts = mannequin()
    add_mesh("Other", vertices, faces)
    with pytest.raises(RuntimeError, match="Fit Skeleton"):
        bpy.ops.diffusionnet.write_skeleton()
    fit = keep_joints([bpy.data.objects["Other"]], parts)
    with pytest.raises(DiffusionNetError, match="no skeleton"):
        bind(fit, Binding())
    forget_all_fits()


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("kind", ["plain", "mixamo"])
def test_a_joint_that_was_dragged_away_goes_to_the_middle_of_its_limb(figure, kind, mirror):
    names = KINDS[kind].names
    bpy.ops.diffusionnet.write_skeleton(kind=kind, fingers=False)
    (rig,) = armatures()
    with pytest.raises(RuntimeError, match="edit"):
        bpy.ops.diffusionnet.snap_joints()
    bpy.ops.object.mode_set(mode="EDIT")
    rig.data.use_mirror_x = False
    bpy.ops.armature.select_all(action="DESELECT")
    with pytest.raises(RuntimeError, match="No joint is selected"):
        bpy.ops.diffusionnet.snap_joints()
    edit = rig.data.edit_bones
    for side, out in (("L", 1), ("R", -1)):
        edit[names[f"shin.{side}"]].head += Vector((0.1 * out, 0.06, 0.0))
    edit[names["shin.L"]].select_head = True
    across = edit[names["shin.L"]].z_axis.copy()
    rig.data.use_mirror_x = mirror
    assert bpy.ops.diffusionnet.snap_joints() == {"FINISHED"}
    assert edit[names["thigh.L"]].tail == edit[names["shin.L"]].head
    assert edit[names["shin.L"]].z_axis.dot(across) > 0.95
    for side, moves in (("L", True), ("R", mirror)):
        place = np.array(rig.matrix_world @ edit[names[f"shin.{side}"]].head)
        away = (place - PLACES[f"knee.{side}"] - [2.0, 0.0, 0.5])[:2]
        assert (np.linalg.norm(away) < 0.01) == moves
    bpy.ops.object.mode_set(mode="OBJECT")


def test_a_joint_without_a_limb_around_stays_and_is_told(figure):
    bpy.ops.diffusionnet.write_skeleton(kind="plain", fingers=False)
    (rig,) = armatures()
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.armature.select_all(action="DESELECT")
    head = rig.data.edit_bones["head"]
    head.tail += Vector((0.0, 0.0, 1.0))
    before = head.tail.copy()
    head.select_tail = True
    assert bpy.ops.diffusionnet.snap_joints() == {"CANCELLED"}
    assert head.tail == before
    bpy.ops.object.mode_set(mode="OBJECT")


@pytest.mark.parametrize("scale", [(0.01, 0.01, 0.01), (-1.0, 1.0, 1.0), (1.0, 2.0, 1.0)])
def test_scales_that_are_not_applied_do_not_matter(blender, scale):
    vertices, faces, parts = mannequin()
    obj = add_mesh("Figure", vertices / scale, faces)
    obj.scale = scale
    bpy.context.view_layer.update()
    fit = keep_joints([obj], parts)
    rig = write_skeleton(fit, Bones(kind="plain", fingers=False))
    bind(fit, Binding())
    before = np.array([v.co for v in obj.data.vertices])
    bpy.context.view_layer.update()
    np.testing.assert_allclose(posed(obj), before, rtol=1e-4, atol=1e-4)
    rig.pose.bones["hips"].location.y = 0.5
    bpy.context.view_layer.update()
    moved = (posed(obj) - before) * np.array(scale)
    np.testing.assert_allclose(moved, np.tile([0, 0, 0.5], (len(moved), 1)), atol=1e-3)
    forget_all_fits()


def test_members_of_a_character_are_all_bound_with_sums_of_one(blender):
    vertices, faces, parts = mannequin()
    upper = vertices[faces].mean(axis=1)[:, 2] > 1.0
    objects, kept = [], []
    for name, chosen in (("Top", upper), ("Bottom", ~upper)):
        used, own = np.unique(faces[chosen], return_inverse=True)
        objects.append(add_mesh(name, vertices[used], own.reshape(-1, 3)))
        kept.append(parts[used])
    objects[1].modifiers.new("Subdivision", "SUBSURF")
    bpy.context.view_layer.update()
    fit = keep_joints(objects[:1], kept[0])
    assert find_fit(Character("Figure", "", tuple(objects))) is fit
    geometry, _ = rig_request(Character("Figure", "", tuple(objects)))
    seen = np.concatenate(
        [each.from_base(own) for each, own in zip(geometry.seen, kept, strict=True)]
    )
    whole = Fit.of("Figure", geometry, Fitted(
        PLACES, FRAME, NAMES, seen.astype(np.float32), np.full(len(seen), -1, np.int32), 0.9, (), {}
    ))  # fmt: skip
    keep_fit(whole)
    write_skeleton(whole, Bones(kind="vrm", fingers=False))
    rig = bind(whole, Binding(smooth=True))
    for obj in objects:
        weights = read_weights(obj, [bone.name for bone in rig.data.bones])
        np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)
        kinds = [modifier.type for modifier in obj.modifiers]
        assert kinds[:2] == ["ARMATURE", "CORRECTIVE_SMOOTH"]
    assert objects[1].modifiers[2].type == "SUBSURF"
    forget_all_fits()
