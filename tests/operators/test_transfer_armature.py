"""An armature is copied to another mesh, its joints carried by the skin, and read back."""

import bpy
import numpy as np
import pytest
from mathutils import Matrix, Vector

from tests.operators.test_match import refused
from tests.operators.test_transfer import directions, make_pair, two_bones
from tests.scenes import add_rig, group_weights, select

pytestmark = pytest.mark.usefixtures("blender")

HEADS = {"low": (0, 0, -0.9), "high": (0, 0, 0.1), "control": (1.5, 0, 0)}
TAILS = {"low": (0, 0, 0.1), "high": (0.1, 0, 1.2), "control": (1.5, 0.3, 0)}


@pytest.fixture
def rigged(blender):
    """A source on two bones and a control; the target is turned, three times as large, mirrored."""
    placed = Matrix.Translation((4, 1, 0)) @ Matrix.Rotation(0.8, 4, "X")
    placed = placed @ Matrix.Diagonal((-3.0, 3.0, 3.0, 1.0))
    source, target = make_pair()
    target.data.transform(Matrix.Diagonal((-1.0, 1.0, 1.0, 1.0)))
    target.data.flip_normals()
    target.matrix_world = placed
    two_bones(source)
    rig = add_rig(source, {name: (HEADS[name], TAILS[name]) for name in HEADS})
    bpy.ops.object.mode_set(mode="EDIT")
    bones = rig.data.edit_bones
    bones["high"].parent, bones["high"].use_connect = bones["low"], True
    bones["control"].use_deform = False
    bpy.ops.object.mode_set(mode="OBJECT")
    goal = rig.pose.bones["high"].constraints.new("COPY_ROTATION")
    goal.target, goal.subtarget = rig, "control"
    # Neither a place of its own nor a pose is part of what is carried.
    rig.location = source.location = (0, -7, 0)
    rig.pose.bones["low"].rotation_mode = "XYZ"
    rig.pose.bones["low"].rotation_euler.x = 1.0
    bpy.context.view_layer.update()
    rematch(source, target)
    return source, target, rig


def rematch(source, target):
    from diffusionnet_blender.matching.closest import ClosestPoints
    from tests.operators.test_transfer import keep_true_match

    faces = np.array([polygon.vertices[:] for polygon in source.data.polygons])
    points, _ = ClosestPoints(directions(source), faces)(directions(target))
    keep_true_match(source, target, points)


def test_bones_stand_where_the_skin_around_them_is(rigged):
    source, target, rig = rigged
    select(source)
    bpy.ops.diffusionnet.transfer(armature=True, weights=True)
    (made,) = (m.object for m in target.modifiers if m.type == "ARMATURE")
    assert made != rig
    assert made.data != rig.data
    # What the target's own transform makes of the source's body is what it makes of its bones.
    whole = target.matrix_world @ Matrix.Diagonal((-1.0, 1.0, 1.0, 1.0))
    for name in HEADS:
        bone = made.data.bones[name]
        for found, wanted in ((bone.head_local, HEADS[name]), (bone.tail_local, TAILS[name])):
            away = made.matrix_world @ found - whole @ Vector(wanted)
            assert away.length < 0.15
    assert made.data.bones["high"].parent.name == "low"
    assert made.data.bones["high"].use_connect
    assert not made.data.bones["control"].use_deform
    assert made.pose.bones["high"].constraints[0].target == made
    assert made.pose.bones["low"].matrix_basis == Matrix.Identity(4)
    assert rig.pose.bones["low"].matrix_basis != Matrix.Identity(4)
    assert bpy.context.view_layer.objects.active == source
    assert bpy.context.view_layer.objects.selected[:] == [source]


def test_a_pose_of_the_copy_moves_the_target_and_a_second_transfer_replaces_it(rigged):
    source, target, _ = rigged
    rigs = len(bpy.data.armatures)
    for _ in range(2):
        bpy.ops.diffusionnet.transfer(armature=True, weights=True)
    assert len(bpy.data.armatures) == rigs + 1
    (modifier,) = (m for m in target.modifiers if m.type == "ARMATURE")
    made = modifier.object
    bone = made.pose.bones["high"]
    bone.constraints[0].mute = True
    bone.scale = (1.5, 1.5, 1.5)
    depsgraph = bpy.context.evaluated_depsgraph_get()
    moved = values_at(target.evaluated_get(depsgraph).data.vertices)
    rest = values_at(target.data.vertices)
    head = target.matrix_world.inverted() @ made.matrix_world @ bone.bone.head_local
    away = 0.5 * group_weights(target, "high")[:, None] * (rest - head)
    np.testing.assert_allclose(moved - rest, away, atol=1e-3)


def values_at(vertices):
    return np.array([vertex.co for vertex in vertices])


def test_there_must_be_an_armature_to_give_and_none_in_the_way(rigged):
    source, target, rig = rigged
    own = bpy.data.objects.new("Own", bpy.data.armatures.new("Own"))
    bpy.context.collection.objects.link(own)
    target.modifiers.new("Armature", "ARMATURE").object = own
    told = refused(bpy.ops.diffusionnet.transfer, armature=True, weights=True)
    assert "'Target' is already bound to the armature 'Own'" in told
    target.modifiers.clear()
    source.modifiers.clear()
    told = refused(bpy.ops.diffusionnet.transfer, armature=True, weights=True)
    assert "'Source' has no armature" in told
    assert not target.vertex_groups
    assert not target.modifiers
    assert {obj for obj in bpy.data.objects if obj.type == "ARMATURE"} == {rig, own}
