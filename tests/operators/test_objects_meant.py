"""Operators work on the very objects that are meant, whatever else has their names."""

import bpy
import numpy as np
import pytest

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.scene.classes import class_by_collection, sort_object
from diffusionnet_blender.scene.materials import slot_of
from diffusionnet_blender.scene.targets import named_object, selected_objects, target_meshes
from diffusionnet_blender.scene.training_objects import training_meshes
from tests.operators.test_transfer import make_pair, two_bones
from tests.scenes import (
    add_body,
    add_mesh,
    add_rig,
    chain,
    group_weights,
    link_bodies,
    select,
    values_of,
)

pytestmark = pytest.mark.usefixtures("blender")


@pytest.fixture(params=["linked first", "local first"])
def twins(request, tmp_path):
    """A local object and a linked one, both called Body."""
    (linked,) = link_bodies(tmp_path, "Body")
    local = add_body("Body")
    if request.param == "local first":
        # In the scene, too.
        bpy.context.collection.objects.unlink(linked)
        bpy.context.collection.objects.link(linked)
    assert local.name == linked.name == "Body"
    assert linked.library
    assert not local.library
    select(local)
    return local, linked


def parts(obj):
    return len(obj.data.diffusionnet.parts)


@pytest.mark.parametrize("way", ["selected", "picked", "object_name", "objects", "whole name"])
def test_the_local_one_is_segmented_and_written_again(twins, way):
    local, linked = twins
    options = {"object_name": {"object_name": "Body"},
               "objects": {"objects": [{"name": "Body"}]},
               "whole name": {"object_name": local.name_full}}.get(way, {})  # fmt: skip
    if way == "picked":
        bpy.context.scene.diffusionnet.object = local
        select()
    elif way != "selected":
        select(linked)
    bpy.ops.diffusionnet.segment(**options)
    assert parts(local)
    assert not parts(linked)
    local.data.attributes.remove(local.data.attributes["part"])
    bpy.ops.diffusionnet.write_labels(**options)
    assert "part" in local.data.attributes
    before = values_of(local, "part")
    bpy.ops.diffusionnet.grow_part(index=0, **options)
    assert not np.array_equal(values_of(local, "part"), before)
    bpy.ops.diffusionnet.rename_part(index=0, name="renamed", **options)
    assert local.data.diffusionnet.parts[0].name == "renamed"
    bpy.ops.diffusionnet.select_part(index=0, edit_mode=False, **options)
    assert any(polygon.select for polygon in local.data.polygons)
    bpy.ops.diffusionnet.separate_parts(original="KEEP", **options)
    assert len(bpy.context.selected_objects) > 1
    assert bpy.data.objects["Body"] in (local, linked)


def test_a_linked_one_is_meant_by_its_whole_name_and_told_apart(twins):
    local, linked = twins
    assert linked.name_full == "Body [library.blend]"
    with pytest.raises(RuntimeError, match="linked from library.blend"):
        bpy.ops.diffusionnet.segment(object_name=linked.name_full)
    assert not parts(local)
    with pytest.raises(RuntimeError, match=r"no object 'Body \[other.blend\]'"):
        bpy.ops.diffusionnet.segment(object_name="Body [other.blend]")


def test_two_linked_ones_are_not_guessed_between(tmp_path):
    (one,) = link_bodies(tmp_path, "Body", library="one")
    (other,) = link_bodies(tmp_path, "Body", library="two")
    objects = bpy.context.scene.objects
    with pytest.raises(DiffusionNetError, match="There are 2 linked objects 'Body'"):
        named_object(objects, "Body")
    assert named_object(objects, one.name_full) == one
    assert named_object(objects, other.name_full) == other
    assert named_object(objects, "Nobody") is None
    local = add_body("Body")
    assert named_object(bpy.context.scene.objects, "Body") == local


def test_two_selected_objects_of_one_name_are_both_meant(tmp_path):
    """One of them cannot be written to, which costs it alone."""
    (linked,) = link_bodies(tmp_path, "Body")
    local = add_body("Body")
    select(linked, local)
    bpy.ops.diffusionnet.segment()
    assert parts(local)
    assert not parts(linked)


@pytest.mark.slow
def test_the_local_target_is_matched_and_receives_the_data(tmp_path):
    linked = link_bodies(tmp_path, "Source", "Target")
    source, target = make_pair()
    assert [obj.name for obj in (source, target)] == [obj.name for obj in linked]
    two_bones(source)
    bpy.ops.diffusionnet.transfer(source="Source", target="Target", weights=True)
    assert target.vertex_groups.keys() == ["low", "high"]
    assert group_weights(target, "low").any()
    assert not linked[1].vertex_groups
    # A linked source, to the local object of the same name.
    bpy.ops.diffusionnet.match(source=linked[1].name_full, target="Target", model="NONE")
    with pytest.raises(RuntimeError, match="is both source and target"):
        bpy.ops.diffusionnet.match(source="Target", target="Target", model="NONE")


def test_collections_and_slots_hold_the_very_objects(tmp_path):
    (linked,) = link_bodies(tmp_path, "Body")
    local = add_body("Body")
    root = bpy.data.collections.new("Root")
    for name, obj in (("chair", linked), ("table", local)):
        collection = bpy.data.collections.new(name)
        root.children.link(collection)
        collection.objects.link(obj)
    assert class_by_collection(local, root) == "table"
    assert class_by_collection(linked, root) == "chair"
    sort_object(bpy.context.scene, linked, "chair")
    sort_object(bpy.context.scene, local, "chair")
    sorted_here = bpy.context.scene.collection.children["Classes"].children[0]
    assert set(sorted_here.objects) == {linked, local}
    sort_object(bpy.context.scene, local, "table")
    assert set(sorted_here.objects) == {linked}

    material = bpy.data.materials.new("Skin")
    bpy.data.libraries.write(str(tmp_path / "skin.blend"), {material}, fake_user=True)
    with bpy.data.libraries.load(str(tmp_path / "skin.blend"), link=True) as (_, here):
        here.materials = ["Skin"]
    local.data.materials.append(here.materials[0])
    assert slot_of(local.data, material) == 1
    assert slot_of(local.data, here.materials[0]) == 0
    assert len(local.data.materials) == 2


@pytest.fixture
def bodies(blender):
    one, other = add_body("One"), add_body("Other")
    select(other)
    return one, other


OVERRIDES = {
    "all": lambda one: {"object": one, "active_object": one, "selected_objects": [one]},
    "selection": lambda one: {"selected_objects": [one]},
    "object": lambda one: {"object": one},
    "active": lambda one: {"active_object": one},
    "none selected": lambda one: {"active_object": one, "selected_objects": []},
}


@pytest.mark.parametrize("way", list(OVERRIDES))
def test_an_override_of_the_context_decides(bodies, way):
    one, other = bodies
    override = OVERRIDES[way](one)
    with bpy.context.temp_override(**override):
        assert target_meshes(bpy.context) == [one]
        bpy.ops.diffusionnet.segment()
        assert parts(one)
        assert not parts(other)
        one.data.attributes.remove(one.data.attributes["part"])
        bpy.ops.diffusionnet.write_labels()
        bpy.ops.diffusionnet.rename_part(index=0, name="renamed")
        bpy.ops.diffusionnet.smooth_parts()
        bpy.ops.diffusionnet.mask_part(index=0)
        bpy.ops.diffusionnet.swap_sides()
        bpy.ops.diffusionnet.select_part(index=1, edit_mode=False)
        bpy.ops.diffusionnet.separate_parts()
    assert one.data.diffusionnet.parts[0].name == "renamed"
    assert not parts(other)
    assert not other.data.attributes.get("part")
    assert all(piece.name.startswith("One ") for piece in bpy.context.selected_objects)
    assert target_meshes(bpy.context) == bpy.context.selected_objects


@pytest.mark.parametrize("way", list(OVERRIDES))
def test_edit_mode_under_an_override(bodies, way):
    """Whatever a script puts in the place of the active object."""
    one, other = bodies
    bpy.ops.diffusionnet.segment(object_name="One")
    select(one)
    bpy.ops.object.mode_set(mode="EDIT")
    override = OVERRIDES[way](other)
    with bpy.context.temp_override(**override):
        # Each leaves Edit Mode of the other object, and comes back.
        bpy.ops.diffusionnet.segment(object_name="One")
        bpy.ops.diffusionnet.segment()
        assert one.data.is_editmode
        bpy.ops.diffusionnet.select_part(index=1)
    assert parts(other)
    assert other.data.is_editmode
    bpy.ops.object.mode_set(mode="OBJECT")


@pytest.mark.parametrize("way", list(OVERRIDES))
def test_a_transfer_with_all_it_makes_under_an_override(blender, way):
    from tests.operators.test_transfer import colour_of, give_image, unwrap

    source, target = make_pair()
    other = add_body("Other")
    two_bones(source)
    add_rig(source, chain("low", "high"))
    unwrap(source)
    give_image(source, colour_of)
    select(source)
    with bpy.context.temp_override(**OVERRIDES[way](other)):
        # Unwrapping and moving bones take Edit Mode of objects of their own.
        bpy.ops.diffusionnet.transfer(
            source="Source", target="Target", texture=True, weights=True, armature=True,
            texture_size=32,
        )  # fmt: skip
    assert target.data.uv_layers
    assert len(target.modifiers[0].object.data.bones) == 2
    assert not other.data.uv_layers
    assert other.mode == "OBJECT"
    assert bpy.context.view_layer.objects.active == source


def test_pins_and_training_sets_of_an_override(blender):
    source, target = make_pair()
    empties = []
    for obj in (source, target):
        empty = bpy.data.objects.new(f"at {obj.name}", None)
        empty.location = obj.matrix_world @ obj.data.vertices[0].co
        bpy.context.collection.objects.link(empty)
        empties.append(empty)
    target.location.x = empties[1].location.x = 9.0
    empties[1].location = target.location + target.data.vertices[0].co
    bpy.context.view_layer.update()
    select(source)
    with bpy.context.temp_override(selected_objects=empties):
        bpy.ops.diffusionnet.add_pin()
    (pin,) = bpy.context.scene.diffusionnet.transfer.pins
    assert {pin.source_empty, pin.target_empty} == set(empties)
    with bpy.context.temp_override(selected_objects=[source, target]):
        assert training_meshes(bpy.context) == [source, target]


def test_selected_objects_without_a_window(bodies):
    _, other = bodies
    with bpy.context.temp_override(window=None):
        assert not hasattr(bpy.context, "selected_objects")
        assert selected_objects(bpy.context) == [other]


COMMAS = ("arm, upper.L", 'the "hip"', '"quoted"', "plain", " spaced ", 'a",b')


@pytest.mark.parametrize("name", COMMAS)
def test_groups_and_keys_with_commas_in_their_names(blender, name):
    from diffusionnet_blender.options import quoted_names

    source, target = make_pair()
    for other in COMMAS:
        source.vertex_groups.new(name=other).add([0, 1, 2], 0.5, "REPLACE")
    source.shape_key_add(name="Basis")
    for other in COMMAS:
        source.shape_key_add(name=other)
    text = quoted_names(dict.fromkeys([name, "plain"]))
    bpy.ops.diffusionnet.transfer(
        source="Source", target="Target", weights=True, group_names=text, shape_keys=True,
        key_names=text,
    )  # fmt: skip
    assert set(target.vertex_groups.keys()) == {name, "plain"}
    assert set(target.data.shape_keys.key_blocks.keys()[1:]) == {name, "plain"}
    with pytest.raises(RuntimeError) as error:
        bpy.ops.diffusionnet.transfer(weights=True, group_names="none, of these")
    # The names are told as they are to be typed.
    assert quoted_names(source.vertex_groups.keys()) in str(error.value)


def test_a_mesh_in_two_scenes_and_an_object_of_another_scene(bodies):
    one, _ = bodies
    scene = bpy.data.scenes.new("Elsewhere")
    far = add_mesh("Far", [(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(0, 1, 2)])
    bpy.context.collection.objects.unlink(far)
    scene.collection.objects.link(far)
    with pytest.raises(RuntimeError, match="There is no object 'Far' in the scene"):
        bpy.ops.diffusionnet.segment(object_name="Far")
    assert not parts(one)
