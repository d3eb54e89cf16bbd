"""Segment and the corrections on characters of several objects, in all states of their members."""

import bpy
import numpy as np
import pytest

from diffusionnet_blender.scene.labels import read_labels
from tests.scenes import add_body, add_mesh, add_rig, chain, link_bodies, select, values_of

pytestmark = pytest.mark.usefixtures("blender")


def parts(obj):
    return [part.name for part in obj.data.diffusionnet.parts]


@pytest.fixture
def character():
    """A body with a hat and a skirt, of one armature; the hat alone is selected."""
    body = add_body("Body", subdivisions=3)
    hat, skirt = add_body("Hat", scale=(0.3, 0.3, 0.2)), add_body("Skirt", scale=(1.1, 0.8, 0.5))
    hat.location.z = 1.9
    rig = add_rig(body, chain("spine", "neck"))
    for obj in (hat, skirt):
        obj.modifiers.new("Armature", "ARMATURE").object = rig
    select(hat)
    return body, hat, skirt, rig


def test_one_selected_object_stands_for_its_character(character, told):
    body, hat, skirt, rig = character
    bpy.ops.diffusionnet.segment()
    assert "3 objects" in told()
    shares = [[part.share for part in obj.data.diffusionnet.parts] for obj in (body, hat, skirt)]
    assert shares[0] == shares[1] == shares[2]
    assert sum(shares[0]) == pytest.approx(1.0, abs=1e-5)


def test_the_parts_are_those_of_the_same_mesh_in_one_piece(character):
    members = character[:3]
    bpy.ops.diffusionnet.segment()
    apart = np.concatenate([values_of(obj, "part") for obj in members])
    select(*members)
    bpy.context.view_layer.objects.active = members[0]
    bpy.ops.object.join()
    bpy.ops.diffusionnet.segment()
    assert np.mean(values_of(members[0], "part") == apart) > 0.99


@pytest.mark.parametrize("how", ["operator", "scene"])
def test_each_object_alone(character, how):
    body, hat, skirt, _ = character
    if how == "operator":
        bpy.ops.diffusionnet.segment(each=True)
    else:
        bpy.context.scene.diffusionnet.each = True
        bpy.ops.diffusionnet.segment()
    assert parts(hat)
    assert not parts(body)
    assert not parts(skirt)


def test_a_selected_armature_stands_for_its_meshes(character):
    select(character[3])
    bpy.ops.diffusionnet.segment()
    assert all(parts(obj) for obj in character[:3])


def test_an_armature_that_deforms_nothing_is_told(character):
    rig = bpy.data.objects.new("Alone", bpy.data.armatures.new("Alone"))
    bpy.context.collection.objects.link(rig)
    select(rig)
    with pytest.raises(RuntimeError, match="'Alone' is not a mesh"):
        bpy.ops.diffusionnet.segment()


def test_two_characters_are_two_jobs(character, told):
    others = [add_body(name, subdivisions=3) for name in ("Other", "Coat")]
    rig = add_rig(others[0], chain("spine", "neck"))
    others[1].modifiers.new("Armature", "ARMATURE").object = rig
    others[1].scale = 0.5, 0.5, 0.5
    for obj in others:
        obj.location.x = 10.0
    select(character[1], others[1])
    bpy.ops.diffusionnet.segment()
    assert "2 characters" in told()
    assert all(parts(obj) for obj in (*character[:3], *others))


def test_corrections_act_on_all_members_and_are_told_once(character, told):
    members = character[:3]
    bpy.ops.diffusionnet.segment()
    name = parts(members[0])[0]
    bpy.ops.diffusionnet.rename_part(part=name, name="top")
    assert all(parts(obj)[0] == "top" for obj in members)
    assert told() == f"Info: 3 objects: {name} is now top"
    # In the list, by a double click.
    members[1].data.diffusionnet.parts[0].title = "summit"
    members[1].data.diffusionnet.parts[0].color = (0.1, 0.2, 0.3)
    for obj in members:
        part = obj.data.diffusionnet.parts[0]
        assert part.name == "summit"
        assert tuple(part.color) == pytest.approx((0.1, 0.2, 0.3))
    bpy.ops.diffusionnet.mask_part(part="summit")
    assert all(obj.data.diffusionnet.parts[0].hidden for obj in members)
    bpy.ops.diffusionnet.mask_part(part="summit")
    count = len(parts(members[0]))
    bpy.ops.diffusionnet.merge_parts(part=parts(members[0])[1], into="summit")
    for obj in members:
        assert len(parts(obj)) == count - 1
        assert len(read_labels(obj).class_names) == count - 1


def test_shares_follow_a_correction_of_one_member(character):
    body, hat, skirt, _ = character
    bpy.ops.diffusionnet.segment()
    target = parts(hat)[int(np.argmin([p.share for p in hat.data.diffusionnet.parts]))]
    before = hat.data.diffusionnet.parts[target].share
    select(hat)
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.diffusionnet.assign_part(part=target)
    bpy.ops.object.mode_set(mode="OBJECT")
    shares = {obj.data.diffusionnet.parts[target].share for obj in (body, hat, skirt)}
    assert len(shares) == 1
    assert shares.pop() > before


def test_select_part_enters_edit_mode_with_the_members_that_have_it(character):
    members = character[:3]
    bpy.ops.diffusionnet.segment()
    name = max(hat_parts := character[1].data.diffusionnet.parts, key=lambda p: p.face_count).name
    assert hat_parts[name].face_count
    bpy.ops.diffusionnet.select_part(part=name)
    having = {o.name for o in members if o.data.diffusionnet.parts[name].vertex_count}
    assert {obj.name for obj in bpy.context.objects_in_mode} == having
    bpy.ops.object.mode_set(mode="OBJECT")


def member(character, obj):
    obj.modifiers.new("Armature", "ARMATURE").object = character[3]
    obj.location = (0.0, 0.0, 0.5)
    select(character[1])
    return obj


def test_a_hidden_member_is_left_out_and_told(character, told):
    character[2].hide_set(True)
    bpy.ops.diffusionnet.segment()
    assert "left out: Skirt (hidden)" in told()
    assert not parts(character[2])
    assert parts(character[0])


def test_a_member_in_edit_mode_is_written_to(character):
    select(character[2])
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.diffusionnet.segment()
    assert character[2].data.is_editmode
    bpy.ops.object.mode_set(mode="OBJECT")
    assert all(parts(obj) for obj in character[:3])


def test_a_member_without_faces_or_size_costs_itself_alone(character):
    edges = member(character, add_mesh("Edges", [(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1)]))
    point = member(character, add_mesh("Point", [(0, 0, 0)] * 3, [(0, 1, 2)]))
    bpy.ops.diffusionnet.segment()
    assert not parts(edges)
    assert not parts(point)
    assert all(parts(obj) for obj in character[:3])


def test_a_linked_member_is_seen_and_told(tmp_path, capfd):
    (linked,) = link_bodies(tmp_path, "Suit")
    body = add_body("Body", subdivisions=3)
    rig = add_rig(body, chain("spine", "neck"))
    # As an artist has it: an override of the object, whose mesh stays linked.
    linked = linked.override_create(remap_local_usages=True)
    linked.parent = rig
    select(body)
    bpy.ops.diffusionnet.segment()
    assert "'Suit'" in capfd.readouterr().out
    assert parts(body)
    assert not parts(linked)


def test_members_that_share_a_mesh_have_one_set_of_parts(character, capfd):
    left = member(character, add_body("Shoe.L", scale=(0.3, 0.2, 0.2)))
    right = member(character, left.copy())
    bpy.context.collection.objects.link(right)
    left.location, right.location = (0.5, 0, -1.6), (0, 0, 1.8)
    select(left)
    bpy.ops.diffusionnet.segment()
    assert parts(left)
    out = capfd.readouterr().out
    labels = read_labels(left).vertex_labels
    assert ("shares its mesh" in out) or len(np.unique(labels)) == 1


def test_a_mesh_of_two_armatures_belongs_to_the_first(character):
    other = add_rig(character[0], chain("spine", "neck"))
    other.name = "Second"
    select(character[1])
    bpy.ops.diffusionnet.segment()
    assert all(parts(obj) for obj in character[:3])


def test_what_hangs_on_a_posed_bone_is_read_where_it_rests(character):
    body, hat, skirt, rig = character
    hat.modifiers.clear()
    hat.parent, hat.parent_type, hat.parent_bone = rig, "BONE", "neck"
    select(body)
    bpy.ops.diffusionnet.segment()
    before = [values_of(obj, "part") for obj in (body, hat, skirt)]
    rig.pose.bones["neck"].location = (3.0, 4.0, 5.0)
    bpy.context.view_layer.update()
    bpy.ops.diffusionnet.segment()
    for obj, expected in zip((body, hat, skirt), before, strict=True):
        assert np.mean(values_of(obj, "part") == expected) > 0.99
    assert tuple(rig.pose.bones["neck"].location) == (3.0, 4.0, 5.0)


def test_leave_out_is_kept_in_the_file(character, tmp_path):
    bpy.ops.diffusionnet.leave_out(object_name="Skirt")
    path = str(tmp_path / "character.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    select(bpy.data.objects["Hat"])
    bpy.ops.diffusionnet.segment()
    assert parts(bpy.data.objects["Body"])
    assert not parts(bpy.data.objects["Skirt"])
    bpy.ops.diffusionnet.leave_out(object_name="Skirt")
    bpy.ops.diffusionnet.segment()
    assert parts(bpy.data.objects["Skirt"])
    with pytest.raises(RuntimeError, match="no object 'Cape'"):
        bpy.ops.diffusionnet.leave_out(object_name="Cape")
