"""Which objects form a character, who is left out and why."""

import bpy
import numpy as np
import pytest

from diffusionnet_blender.scene.character import characters_of, holders_of, shapes_of
from diffusionnet_blender.scene.character_read import read_character
from diffusionnet_blender.scene.files import open_file
from tests.scenes import add_mesh, add_rig, chain, select
from tests.shapes import icosphere

pytestmark = pytest.mark.usefixtures("blender")

# Middle and half extents, in metres.
BODY = ((0, 0, 0.9), (0.5, 0.15, 0.9))
SHIRT = ((0, 0, 1.2), (0.3, 0.17, 0.35))
HAIR = ((0, 0, 1.65), (0.12, 0.14, 0.15))
SHOE = ((0.1, 0, 0.05), (0.05, 0.14, 0.05))
HAT = ((0, 0, 1.8), (0.15, 0.15, 0.08))


@pytest.fixture(autouse=True)
def _nothing_else(blender):
    """Without the camera and the light of Blender's first scene."""
    bpy.data.batch_remove(bpy.data.objects[:])


def ball(name, place, collection=None, x=0.0):
    middle, extents = place
    vertices, faces = icosphere(1)
    obj = add_mesh(name, vertices * extents, faces)
    obj.location = np.add(middle, (x, 0, 0))
    if collection is not None:
        move(obj, collection)
    return obj


def collection_of(name, *objects, within=None):
    made = bpy.data.collections.new(name)
    (within or bpy.context.scene.collection).children.link(made)
    for obj in objects:
        move(obj, made)
    return made


def move(obj, collection):
    for other in obj.users_collection:
        other.objects.unlink(obj)
    collection.objects.link(obj)


def rigged(*objects, name="Rig", x=0.0):
    """An armature that deforms objects."""
    rig = add_rig(objects[0], chain("root", "spine", "head"))
    rig.name, rig.location.x = name, x
    for obj in objects[1:]:
        obj.modifiers.new("Armature", "ARMATURE").object = rig
    return rig


def hang(obj, parent, bone=""):
    """Parent an object where it is."""
    bpy.context.view_layer.update()
    place = obj.matrix_world.copy()
    obj.parent = parent
    if bone:
        obj.parent_type, obj.parent_bone = "BONE", bone
    bpy.context.view_layer.update()
    obj.matrix_world = place
    return obj


def dressed(x=0.0, name="Rig"):
    """A body with a shirt, deformed by one armature."""
    body, shirt = ball("Body", BODY, x=x), ball("Shirt", SHIRT, x=x)
    return body, shirt, rigged(body, shirt, name=name, x=x)


def found(*chosen, each=False):
    """Names of the members of each character of some objects."""
    bpy.context.view_layer.update()
    characters = characters_of(chosen, bpy.context.view_layer, each)
    return [sorted(obj.name for obj in one.members) for one in characters]


def left_out(*chosen):
    """Reasons by name of what the only character of some objects leaves out."""
    bpy.context.view_layer.update()
    (one,) = characters_of(chosen, bpy.context.view_layer)
    return {out.obj.name: out.reason for out in one.left_out}


def is_one_character(*members):
    """Whether each of some objects, chosen alone, stands for all of them."""
    expected = sorted(obj.name for obj in members)
    assert {obj.name: found(obj) for obj in members} == {obj.name: [expected] for obj in members}
    assert found(*members) == [expected]


def by_a_parent(kind):
    def hung(rig, hat):
        hang(hat, rig, "head" if kind == "bone" else "")

    return hung


def by_a_child(rig, hat):
    hang(hat, hang(ball("Hair", HAIR), rig, "head"))


def by_a_constraint(rig, hat):
    constraint = hat.constraints.new("CHILD_OF")
    constraint.target, constraint.subtarget = rig, "head"
    constraint.set_inverse_pending = True


def by_a_rig_of_its_own(rig, hat):
    rigged(hat, name="Hat rig")


def by_a_rig_on_the_rig(rig, hat):
    hang(rigged(hat, name="Hat rig"), rig)


def by_the_collection(rig, hat):
    body = bpy.data.objects["Body"]
    collection_of("Knight", rig, body, bpy.data.objects["Shirt"], hat)


@pytest.mark.parametrize(
    "put_on",
    [by_a_parent("bone"), by_a_parent("object"), by_a_child, by_a_constraint, by_a_rig_of_its_own,
     by_a_rig_on_the_rig, by_the_collection],
)  # fmt: skip
def test_what_a_rig_deforms_and_what_it_wears_is_one_character(put_on):
    body, shirt, rig = dressed()
    hat = ball("Hat", HAT)
    put_on(rig, hat)
    members = [obj for obj in bpy.data.objects if obj.type == "MESH"]
    is_one_character(*members)
    assert found(rig) == [sorted(obj.name for obj in members)]


def test_without_a_rig_it_is_what_has_one_parent():
    members = [ball("Body", BODY), ball("Shirt", SHIRT), ball("Shoe", SHOE)]
    root = bpy.data.objects.new("Root", None)
    bpy.context.collection.objects.link(root)
    for obj in members:
        hang(obj, root)
    is_one_character(*members)


def test_parts_may_hang_on_the_body_itself():
    body = ball("Body", BODY)
    is_one_character(body, *(hang(ball(n, p), body) for n, p in (("Hair", HAIR), ("Shoe", SHOE))))


def test_a_collection_of_its_own_is_a_character():
    members = [ball("Body", BODY), ball("Shirt", SHIRT)]
    collection_of("Knight", *members)
    ball("Stone", SHOE, x=0.5)
    is_one_character(*members)
    assert found(bpy.data.objects["Stone"]) == [["Stone"]]


def test_collections_inside_one_are_its_parts_or_figures_of_their_own():
    outer = collection_of("Knight")
    knight = [ball("Body", BODY), ball("Shirt", SHIRT), ball("Hair", HAIR)]
    for obj in knight:
        collection_of(f"{obj.name}s", obj, within=outer)
    is_one_character(*knight)
    # Beside it another one, which it touches.
    collection_of("Scene").children.link(outer)
    bpy.context.scene.collection.children.unlink(outer)
    mage = [ball("Mage", BODY, x=0.9), ball("Robe", SHIRT, x=0.9)]
    collection_of("Mages", *mage, within=bpy.data.collections["Scene"])
    is_one_character(*knight)
    is_one_character(*mage)


@pytest.mark.parametrize("kind", ["CAMERA", "LIGHT", "ground"])
def test_a_collection_with_a_stage_is_none(kind):
    members = [ball("Body", BODY), ball("Shirt", SHIRT)]
    if kind == "ground":
        other = add_mesh("Ground", [[-2, -2, 0], [2, -2, 0], [2, 2, 0], [-2, 2, 0]], [[0, 1, 2, 3]])
    else:
        data = bpy.data.cameras.new("Eye") if kind == "CAMERA" else bpy.data.lights.new("L", "SUN")
        other = bpy.data.objects.new("Other", data)
    collection_of("Scene", *members, other)
    assert found(members[0]) == [["Body"]]
    # Both chosen: they lie in one place.
    assert found(*members) == [["Body", "Shirt"]]


def test_what_is_chosen_together_and_touches_is_one():
    body, shirt, far = ball("Body", BODY), ball("Shirt", SHIRT), ball("Far", BODY, x=3)
    assert found(body, shirt, far) == [["Body", "Shirt"], ["Far"]]
    assert found(shirt) == [["Shirt"]]
    assert found(body, shirt, far, each=True) == [["Body"], ["Shirt"], ["Far"]]


def test_a_thing_without_a_rig_is_of_the_figure_that_wears_it():
    one, other = dressed(), dressed(x=1.0, name="Other rig")
    hat = ball("Hat", HAT, x=1.0)
    bpy.context.view_layer.update()
    for order in ((one[0], other[0], hat), (hat, other[0], one[0])):
        characters = found(*order)
        assert sorted(characters) == [["Body", "Shirt"], ["Body.001", "Hat", "Shirt.001"]]
    # What is not chosen may be anything that stands about.
    assert found(other[0]) == [["Body.001", "Shirt.001"]]


@pytest.mark.parametrize("distance", [0.0, 0.9, 5.0])
def test_figures_with_rigs_of_their_own_are_several(distance):
    one, other = dressed(), dressed(x=distance, name="Other rig")
    assert found(one[0], other[1]) == [["Body", "Shirt"], ["Body.001", "Shirt.001"]]


def test_figures_without_rigs_in_one_place_are_several():
    one, other = ball("Ada", BODY), ball("Bo", (BODY[0], (0.45, 0.17, 0.92)))
    assert found(one, other) == [["Ada"], ["Bo"]]


def test_meshes_that_are_sorted_by_kind_are_several():
    both = [ball("Body", BODY), ball("Shirt", SHIRT)]
    for obj in both:
        kind = bpy.data.collections.new(obj.name)
        bpy.context.scene.collection.children.link(kind)
        kind.objects.link(obj)
    assert found(*both) == [["Body"], ["Shirt"]]


def test_two_figures_on_copies_of_one_rig_stay_two_and_a_suit_joins_its_body():
    body, bag = ball("Body", BODY), ball("Bag", ((0, 0.4, 1.2), (0.3, 0.3, 0.3)))
    rigged(body, bag)
    other = ball("Other", BODY)
    rigged(other, name="Other Rig")
    assert found(body, other) == [["Bag", "Body"], ["Other"]]
    bpy.data.objects.remove(other)
    suit = ball("Suit", ((0, 0, 0.75), (0.45, 0.17, 0.7)))
    rigged(suit, name="Suit Rig")
    assert found(body, suit) == [["Bag", "Body", "Suit"]]


def test_a_small_figure_in_the_place_of_a_large_one_is_no_thing_that_it_wears():
    limbs = {
        f"{name}.{side}": ((x, 0, z), (x, 0, z - 0.2))
        for side, x in (("L", 0.2), ("R", -0.2))
        for name, z in (("upper_arm", 1.4), ("forearm", 1.2), ("thigh", 0.9), ("shin", 0.5))
    }
    bodies = ball("Large", BODY), ball("Small", SHIRT)
    for body, scale in zip(bodies, (1.0, 0.6), strict=True):
        ends = limbs | {"spine": ((0, 0, 1), (0, 0, 1.4))}
        add_rig(body, {name: np.multiply(scale, end) for name, end in ends.items()})
    assert found(*bodies) == [["Large"], ["Small"]]


def test_the_first_armature_that_is_switched_on_counts():
    body, shirt, rig = dressed()
    hat = ball("Hat", HAT)
    wrong = rigged(hat, ball("Elsewhere", BODY, x=4), name="Wrong", x=4)
    hat.modifiers["Armature"].show_viewport = False
    hat.modifiers.new("Second", "ARMATURE").object = rig
    assert found(hat) == [["Body", "Hat", "Shirt"]]
    assert found(wrong) == [["Elsewhere"]]


def hidden(obj):
    obj.hide_set(True)


def disabled(obj):
    obj.hide_viewport = True


def in_an_excluded_collection(obj):
    collection_of("Spare", obj)
    bpy.context.view_layer.layer_collection.children["Spare"].exclude = True


def in_a_disabled_collection(obj):
    collection_of("Spare", obj).hide_viewport = True


def in_another_scene(obj):
    move(obj, bpy.data.scenes.new("Other").collection)


def named(name):
    def rename(obj):
        obj.name = name

    return rename


def shown_as_wire(obj):
    obj.display_type = "WIRE"


def without_faces(obj):
    obj.data.clear_geometry()
    obj.data.from_pydata([[0, 0, 0], [1, 0, 0]], [[0, 1]], [])


def of_no_scale(obj):
    obj.scale = (0, 0, 0)


def of_a_bone(obj):
    bpy.data.objects["Rig"].pose.bones["head"].custom_shape = obj


def as_the_shirt(obj):
    obj.data, obj.location = bpy.data.objects["Shirt"].data.copy(), SHIRT[0]


def a_sky(obj):
    obj.scale = (200, 200, 200)


def left_out_by_hand(obj):
    obj.diffusionnet.membership = "OUT"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (hidden, "hidden"),
        (disabled, "disabled in viewports"),
        (in_an_excluded_collection, "not in this view layer"),
        (in_a_disabled_collection, "disabled in viewports"),
        (in_another_scene, "not in this view layer"),
        (named("UCX_Body_01"), "collision shape"),
        (named("Body collider"), "collision shape"),
        (named("BodyCollision"), "collision shape"),
        (named("hit_box"), "collision shape"),
        (shown_as_wire, "collision shape"),
        (named("Shirt_LOD2"), "level of detail"),
        (named("shirt lod 1"), "level of detail"),
        (without_faces, "has no faces"),
        (of_no_scale, "has no size"),
        (of_a_bone, "shape of a bone"),
        (as_the_shirt, "same as Shirt_LOD0"),
        (a_sky, "much larger than its armature"),
        (left_out_by_hand, "left out in the panel"),
    ],
)
def test_some_are_left_out_and_it_is_said_why(change, reason):
    body, shirt, rig = dressed()
    thing = ball("Thing", HAT)
    thing.modifiers.new("Armature", "ARMATURE").object = rig
    change(thing)
    shirt.name = "Shirt_LOD0"
    assert found(body) == [["Body", "Shirt_LOD0"]]
    assert left_out(body) == {thing.name: reason}
    # It is what was asked for, and its character is meant.
    assert found(thing) == [["Body", "Shirt_LOD0"]]
    # What has a place and faces can be taken in.
    thing.diffusionnet.membership = "IN"
    taken_in = reason not in {
        "not in this view layer",
        "disabled in viewports",
        "has no faces",
    }
    assert (left_out(body) == {}) == taken_in


@pytest.mark.parametrize("name", ["Exploded2", "Collisionless", "Scollision", "Melodica1", "Boxer"])
def test_names_that_only_contain_such_words_tell_nothing(name):
    body, shirt, _ = dressed()
    shirt.name = name
    assert found(body) == [sorted(["Body", name])]


def test_of_levels_of_detail_the_finest_that_is_visible_counts():
    levels = [ball(f"Body_LOD{number}", BODY) for number in (0, 1, 2)]
    rigged(*levels)
    levels[0].hide_set(True)
    assert found(levels[2]) == [["Body_LOD1"]]
    assert left_out(levels[1]) == {"Body_LOD0": "hidden", "Body_LOD2": "level of detail"}


def test_a_character_that_is_hidden_as_a_whole_is_whole():
    body, shirt, rig = dressed()
    for obj in (body, shirt):
        obj.hide_set(True)
    assert found(body) == [["Body", "Shirt"]]


def test_choices_by_hand_are_saved_with_the_file(tmp_path):
    body, shirt, rig = dressed()
    ball("Hat", HAT).modifiers.new("Armature", "ARMATURE").object = rig
    shirt.diffusionnet.membership = "OUT"
    bpy.data.objects["Hat"].diffusionnet.membership = "IN"
    bpy.data.objects["Hat"].hide_set(True)
    path = tmp_path / "knight.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    open_file(path)
    assert found(bpy.data.objects["Body"]) == [["Body", "Hat"]]
    assert left_out(bpy.data.objects["Body"]) == {"Shirt": "left out in the panel"}


def test_shoes_that_share_a_mesh_are_two_members():
    body, shirt, rig = dressed()
    left = ball("Shoe.L", SHOE)
    right = bpy.data.objects.new("Shoe.R", left.data)
    right.location, right.scale = (-0.1, 0, 0.05), (-1, 1, 1)
    bpy.context.collection.objects.link(right)
    for shoe in (left, right):
        shoe.modifiers.new("Armature", "ARMATURE").object = rig
    is_one_character(body, shirt, left, right)


def test_armatures_stand_for_their_meshes():
    one, other = dressed(), dressed(x=5.0, name="Other rig")
    assert found(one[2], other[2]) == [["Body", "Shirt"], ["Body.001", "Shirt.001"]]
    assert found(one[2], one[0]) == [["Body", "Shirt"]]
    assert found(one[2], one[0], each=True) == [["Body"], ["Shirt"]]


def test_characters_of_the_same_meshes_are_one_for_labels_and_several_as_shapes():
    one, other = dressed(), dressed(x=5.0, name="Other rig")
    for mine, theirs in zip(one[:2], other[:2], strict=True):
        theirs.data = mine.data
    bpy.context.view_layer.update()
    for each, count in ((False, 2), (True, 4)):
        chosen, layer = (*one[:2], *other[:2]), bpy.context.view_layer
        assert len(characters_of(chosen, layer, each)) == count / 2
        assert len(shapes_of(chosen, layer, each)) == count
    # One mesh of its own makes another character.
    other[0].data = other[0].data.copy()
    assert len(characters_of(chosen, layer)) == 2


def test_an_armature_that_deforms_nothing_is_no_character():
    body = ball("Body", BODY)
    rig = rigged(body)
    body.modifiers.clear()
    (one,) = characters_of([rig], bpy.context.view_layer)
    assert one.members == (rig,)
    assert found(body) == [["Body"]]


def test_members_are_held_by_their_armatures_or_else_by_their_parents():
    body, shirt, rig = dressed()
    group = bpy.data.objects.new("Characters", None)
    bpy.context.collection.objects.link(group)
    hang(rig, group)
    hat = ball("Hat", HAT)
    own = hang(rigged(hat, name="Hat rig"), rig)
    assert set(holders_of([body, shirt, hat])) == {rig, own}
    stone = hang(ball("Stone", HAT, x=5), group)
    assert holders_of([stone]) == [group]


def test_the_name_is_the_word_that_most_names_begin_with():
    body, shirt, rig = dressed()
    shoe = ball("Shoe", SHOE)
    shoe.modifiers.new("Armature", "ARMATURE").object = rig
    (one,) = characters_of([body], bpy.context.view_layer)
    assert (one.name, one.owner) == ("Rig", "Rig")
    body.name, shirt.name = "Knight_Body", "Knight.Shirt"
    (one,) = characters_of([body], bpy.context.view_layer)
    assert (one.name, one.owner) == ("Knight", "Rig")


def members_read(obj, posed=False):
    """Vertices in the world of each member, as they are pooled."""
    bpy.context.view_layer.update()
    (one,) = characters_of([obj], bpy.context.view_layer)
    depsgraph = bpy.context.evaluated_depsgraph_get() if posed else None
    geometry = read_character(one, depsgraph)
    names = [member.name for member in geometry.members]
    pooled = geometry.placed
    parts = pooled.split(pooled.surface.vertices + geometry.origin)
    return geometry, dict(zip(names, parts, strict=True))


def in_the_world(obj):
    matrix = np.array(obj.matrix_world)
    return np.array([v.co for v in obj.data.vertices]) @ matrix[:3, :3].T + matrix[:3, 3]


def test_members_are_read_where_they_are():
    body, shirt, rig = dressed(x=1000.0)
    shirt.scale, shirt.rotation_euler = (1.1, -1, 1), (0.2, 0, 0)
    geometry, parts = members_read(body)
    for obj in (body, shirt):
        np.testing.assert_allclose(parts[obj.name], in_the_world(obj), atol=1e-4)
    assert geometry.polygons.count == len(body.data.polygons) + len(shirt.data.polygons)


@pytest.mark.parametrize("posed", [False, True])
def test_what_hangs_on_a_posed_bone_is_read_at_rest_or_as_posed(posed):
    body, shirt, rig = dressed()
    hat = hang(ball("Hat", HAT), rig, "head")
    bpy.context.view_layer.update()
    rest = in_the_world(hat)
    rig.pose.bones["head"].rotation_mode = "XYZ"
    rig.pose.bones["head"].rotation_euler = (0.7, 0.2, 0)
    _, parts = members_read(body, posed)
    moved = in_the_world(hat)
    assert np.abs(moved - rest).max() > 0.1
    np.testing.assert_allclose(parts["Hat"], moved if posed else rest, atol=1e-5)


def broken(obj):
    obj.data.vertices[0].co = (np.nan, 0, 0)


def in_edit_mode(obj):
    select(obj)
    bpy.ops.object.mode_set(mode="EDIT")


@pytest.mark.parametrize(("change", "is_read"), [(broken, False), (in_edit_mode, True)])
def test_a_member_that_cannot_be_read_costs_itself_alone(change, is_read):
    body, shirt, rig = dressed()
    change(shirt)
    geometry, parts = members_read(body)
    assert set(parts) == ({"Body", "Shirt"} if is_read else {"Body"})
    assert ["'Shirt'" in str(error) for error in geometry.errors] == [True] * (not is_read)
