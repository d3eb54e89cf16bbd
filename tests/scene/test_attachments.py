"""What a rigged character carries, by the bones that hold its members."""

import bpy
import numpy as np
import pytest

from diffusionnet_blender.scene.attachments import carried_members
from diffusionnet_blender.scene.bone_weights import read_bone_weights
from diffusionnet_blender.scene.character import characters_of
from diffusionnet_blender.scene.character_read import read_character
from tests.scenes import add_mesh, select
from tests.shapes import icosphere

pytestmark = pytest.mark.usefixtures("blender")

BONES = {
    "root": (None, (0, 0, 0), (0, 0, 0.5)),
    "chest": ("root", (0, 0, 0.5), (0, 0, 1.4)),
    "head": ("chest", (0, 0, 1.4), (0, 0, 1.8)),
    "hand.R": ("chest", (-0.6, 0, 1.2), (-0.8, 0, 1.2)),
    "handslot.r": ("hand.R", (-0.8, 0, 1.2), (-0.9, 0, 1.2)),
}


def add_armature():
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.collection.objects.link(rig)
    select(rig)
    bpy.ops.object.mode_set(mode="EDIT")
    for name, (parent, head, tail) in BONES.items():
        bone = rig.data.edit_bones.new(name)
        bone.head, bone.tail = head, tail
        bone.parent = rig.data.edit_bones[parent] if parent else None
    bpy.ops.object.mode_set(mode="OBJECT")
    return rig


def ball(name, middle, extents):
    vertices, faces = icosphere(2)
    obj = add_mesh(name, vertices * extents, faces)
    obj.location = middle
    return obj


def deformed(obj, rig, *bones):
    """Weights of one bone, or of several by height."""
    heights = [v.co.z for v in obj.data.vertices]
    order = np.argsort(heights)
    for bone, vertices in zip(bones, np.array_split(order, len(bones)), strict=True):
        obj.vertex_groups.new(name=bone).add(vertices.tolist(), 1.0, "REPLACE")
    obj.modifiers.new("Armature", "ARMATURE").object = rig
    return obj


def hung(obj, rig, bone):
    bpy.context.view_layer.update()
    place = obj.matrix_world.copy()
    obj.parent, obj.parent_type, obj.parent_bone = rig, "BONE", bone
    bpy.context.view_layer.update()
    obj.matrix_world = place
    return obj


def carried(obj):
    """The members that carry each carried one, by name."""
    bpy.context.view_layer.update()
    (character,) = characters_of([obj], bpy.context.view_layer)
    geometry = read_character(character)
    names = np.array([member.name for member in geometry.members])
    objects = [member.find() for member in geometry.members]
    member = geometry.placed.member
    found = {}
    for thing in carried_members(
        list(map(read_bone_weights, objects)), geometry.seen, geometry.placed
    ):
        (number,) = np.unique(member[thing.vertices])
        # The whole of it, and none of it carries anything.
        assert len(thing.vertices) == np.count_nonzero(member == number)
        assert not np.isin(thing.carrier, thing.vertices).any()
        found[str(names[number])] = sorted(names[np.unique(member[thing.carrier])].tolist())
    return found


@pytest.fixture
def rig():
    return add_armature()


@pytest.fixture
def body(rig):
    """A figure with a head, skinned."""
    body = ball("Body", (0, 0, 0.8), (0.5, 0.2, 0.8))
    deformed(body, rig, "root", "chest", "head")
    hand = ball("Hand", (-0.7, 0, 1.2), (0.12, 0.1, 0.1))
    deformed(hand, rig, "chest", "hand.R")
    return body


def test_a_body_without_things_carries_nothing(body):
    assert carried(body) == {}
    body.parent = None
    assert carried(body) == {}


@pytest.mark.parametrize("held", ["hung", "weights"])
@pytest.mark.parametrize("bone", ["hand.R", "handslot.r"])
def test_a_sword_is_carried_by_the_hand(rig, body, held, bone):
    sword = ball("Sword", (-0.9, 0, 1.5), (0.03, 0.03, 0.3))
    hung(sword, rig, bone) if held == "hung" else deformed(sword, rig, bone)

    assert carried(body) == {"Sword": ["Hand"]}


@pytest.mark.parametrize("kind", ["SUBSURF", "SOLIDIFY", "REMESH", "DECIMATE"])
@pytest.mark.parametrize("held", ["hung", "weights"])
def test_modifiers_of_members_change_nothing_in_that(rig, body, held, kind):
    helmet = ball("Helmet", (0, 0, 1.5), (0.2, 0.2, 0.15))
    hung(helmet, rig, "head") if held == "hung" else deformed(helmet, rig, "head")
    for obj in (helmet, body):
        obj.modifiers.new("It", kind)
    assert carried(body) == {"Helmet": ["Body"]}


@pytest.mark.parametrize("held", ["hung", "weights"])
def test_a_helmet_is_carried_by_the_head_that_its_bone_moves(rig, body, held):
    helmet = ball("Helmet", (0, 0, 1.5), (0.2, 0.2, 0.15))
    hung(helmet, rig, "head") if held == "hung" else deformed(helmet, rig, "head")
    assert carried(body) == {"Helmet": ["Body"]}


def test_a_robot_of_stiff_parts_carries_nothing(rig):
    parts = [
        deformed(ball(bone, (0, 0, 0.25 + 0.5 * n), (0.2, 0.2, 0.25)), rig, bone)
        for n, bone in enumerate(("root", "chest", "head"))
    ]
    assert carried(parts[0]) == {}
    # Its limbs may hang on their bones as well.
    for part in parts:
        part.modifiers.clear()
        hung(part, rig, part.name)
    assert carried(parts[0]) == {}


def test_a_robot_carries_what_is_in_its_slot(rig):
    for n, bone in enumerate(("root", "chest", "hand.R")):
        deformed(ball(bone, (0, 0, 0.25 + 0.5 * n), (0.2, 0.2, 0.25)), rig, bone)
    hung(ball("Sword", (-0.9, 0, 1.5), (0.03, 0.03, 0.3)), rig, "handslot.r")
    assert carried(bpy.data.objects["root"]) == {"Sword": ["hand.R"]}


def test_what_a_carried_thing_carries_is_carried_by_the_body(rig, body):
    hung(ball("Helmet", (0, 0, 1.5), (0.2, 0.2, 0.15)), rig, "head")
    hung(ball("Feather", (0, 0, 1.7), (0.02, 0.05, 0.1)), rig, "head")
    assert carried(body) == {"Helmet": ["Body"], "Feather": ["Body"]}


def test_clothes_that_bend_are_no_things(rig, body):
    deformed(ball("Shirt", (0, 0, 0.9), (0.5, 0.2, 0.5)), rig, "root", "chest")
    assert carried(body) == {}


def test_bones_that_deform_nothing_hold_nothing_by_weights(rig, body):
    rig.data.bones["head"].use_deform = False
    deformed(ball("Helmet", (0, 0, 1.5), (0.2, 0.2, 0.15)), rig, "head")
    assert carried(body) == {}


def test_without_an_armature_nothing_is_held():
    one = ball("Body", (0, 0, 0.8), (0.5, 0.2, 0.8))
    other = ball("Hat", (0, 0, 1.6), (0.2, 0.2, 0.1))
    other.parent = one
    assert carried(one) == {}
