"""What the artist has made, changed or uses stays as it is, whatever its name; ours is replaced."""

import bpy
import numpy as np
import pytest

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.scene import (
    classes,
    live,
    mask,
    options,
    preview,
    transfer,
    transfer_write,
    write,
)
from diffusionnet_blender.scene.armatures import armatures_of
from diffusionnet_blender.scene.attributes import kind_of, read_attribute, write_attribute
from diffusionnet_blender.scene.matches import find_match
from diffusionnet_blender.tasks.transfer import job as transfer_job
from diffusionnet_blender.tasks.transfer.kinds import KINDS, Kinds
from tests.conftest import CLASSES
from tests.operators.test_match import refused
from tests.operators.test_transfer import colour_of, give_image, make_pair, two_bones, unwrap
from tests.scenes import add_body, add_rig, chain, group_weights, result_for, select

pytestmark = pytest.mark.usefixtures("blender")

EVERYTHING = options.Outputs(face_sets=True, materials=True)
FACE_SETS = ".sculpt_face_set"
ATTRIBUTES = ("part", "part_vertex", "part_color", "part_confidence", FACE_SETS)


# --- labels ---------------------------------------------------------------------------------------


def values(obj, name):
    attribute = obj.data.attributes[name]
    return read_attribute(obj.data, name, kind_of(attribute.data_type, attribute.domain)).copy()


def change_values(obj, name):
    """Paint the first element of an attribute."""
    attribute = obj.data.attributes[name]
    changed = values(obj, name)
    # A class that exists, as if it had been assigned by hand.
    changed[0] = (changed[0] + 1) % 4 if changed.dtype == np.int32 else 1 - 0.5 * changed[0]
    kind = kind_of(attribute.data_type, attribute.domain)
    write_attribute(obj.data, name, kind, changed)


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_an_attribute_that_was_changed_stays(name):
    obj = add_body()
    write.write_labels(obj, result_for(obj), EVERYTHING)
    change_values(obj, name)
    before = values(obj, name)
    for seed in (1, 2):
        remarks = write.write_labels(obj, result_for(obj, seed=seed), EVERYTHING)
        assert np.array_equal(values(obj, name), before)
        assert len(remarks) == 1
        if name == FACE_SETS:
            assert "face sets" in remarks[0]
        else:
            assert f"'DN {name}'" in remarks[0]
            assert f"DN {name}" in obj.data.attributes
    others = set(ATTRIBUTES) - {name, FACE_SETS}
    assert not [other for other in others if f"DN {other}" in obj.data.attributes]


def test_with_overwrite_all_of_it_is_replaced():
    obj = add_body()
    write.write_labels(obj, result_for(obj), EVERYTHING)
    for name in ATTRIBUTES:
        change_values(obj, name)
    obj.vertex_groups["head"].add([0, 1], 0.37, "REPLACE")
    from dataclasses import replace

    result = result_for(obj, seed=1)
    assert write.write_labels(obj, result, replace(EVERYTHING, overwrite=True)) == []
    assert np.array_equal(values(obj, "part"), result.polygon_labels)
    assert np.array_equal(values(obj, FACE_SETS), result.polygon_labels + 1)
    assert np.array_equal(group_weights(obj, "head") > 0, result.vertex_labels == 0)
    assert not [name for name in obj.data.attributes.keys() if name.startswith("DN")]


def rig_with_bones(obj, *names):
    rig = add_rig(obj, chain(*names))
    select(obj)
    return rig


def drive_by_group(obj):
    curve = obj.driver_add("location", 0)
    variable = curve.driver.variables.new()
    variable.targets[0].id = obj
    variable.targets[0].data_path = 'vertex_groups["head"].index'


def constrain_to_group(obj):
    empty = bpy.data.objects.new("Hat", None)
    bpy.context.collection.objects.link(empty)
    constraint = empty.constraints.new("COPY_LOCATION")
    constraint.target, constraint.subtarget = obj, "head"


def pin_cloth(obj):
    obj.modifiers.new("Cloth", "CLOTH").settings.vertex_group_mass = "head"


def mask_key(obj):
    obj.shape_key_add(name="Basis")
    obj.shape_key_add(name="Smile").vertex_group = "head"


GROUP_EDITS = {
    "painted": lambda obj: obj.vertex_groups["head"].add([0, 1], 0.37, "REPLACE"),
    "emptied": lambda obj: obj.vertex_groups["head"].remove(list(range(100))),
    "bone": lambda obj: rig_with_bones(obj, "head"),
    "modifier": lambda obj: setattr(
        obj.modifiers.new("Solidify", "SOLIDIFY"), "vertex_group", "head"
    ),
    "cloth": pin_cloth,
    "driver": drive_by_group,
    "constraint": constrain_to_group,
    "key": mask_key,
}


@pytest.mark.parametrize("edit", GROUP_EDITS)
@pytest.mark.parametrize("weights", ["HARD", "SOFT"])
def test_a_group_that_was_changed_or_is_used_stays(edit, weights):
    obj = add_body()
    outputs = options.Outputs(group_weights=weights)
    write.write_labels(obj, result_for(obj), outputs)
    GROUP_EDITS[edit](obj)
    before = group_weights(obj, "head")
    result = result_for(obj, seed=1)
    for _ in range(2):
        [remark] = write.write_labels(obj, result, outputs)
        assert "'DN head'" in remark
        assert np.array_equal(group_weights(obj, "head"), before)
    assert [g.name for g in obj.vertex_groups] == [*CLASSES, "DN head"]
    [part] = [p for p in obj.data.diffusionnet.parts if p.name == "head"]
    assert part.vertex_group == "DN head"


def read_by_material(obj):
    material = bpy.data.materials.new("Shader")
    material.use_nodes = True
    node = material.node_tree.nodes.new("ShaderNodeAttribute")
    node.attribute_name = "part_color"
    obj.data.materials.append(material)


def read_by_geometry_nodes(obj):
    tree = bpy.data.node_groups.new("Zones", "GeometryNodeTree")
    tree.interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    socket = tree.interface.new_socket("Zone", in_out="INPUT", socket_type="NodeSocketColor")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    modifier = obj.modifiers.new("Zones", "NODES")
    modifier.node_group = tree
    if bpy.app.version < (5, 2, 0):
        modifier[f"{socket.identifier}_use_attribute"] = True
        modifier[f"{socket.identifier}_attribute_name"] = "part_color"
    else:
        value = getattr(modifier.properties.inputs, socket.identifier)
        value.type, value.attribute_name = "ATTRIBUTE", "part_color"


def read_by_driver(obj):
    variable = obj.driver_add("location", 0).driver.variables.new()
    variable.targets[0].id_type = "MESH"
    variable.targets[0].id = obj.data
    variable.targets[0].data_path = 'attributes["part_color"].data[0].color[0]'


@pytest.mark.parametrize("use", [read_by_material, read_by_geometry_nodes, read_by_driver])
def test_an_attribute_that_is_used_stays(use):
    obj = add_body()
    write.write_labels(obj, result_for(obj), options.Outputs())
    use(obj)
    before = values(obj, "part_color")
    for _ in range(2):
        [remark] = write.write_labels(obj, result_for(obj, seed=1), options.Outputs())
        assert "'DN part_color'" in remark
        assert np.array_equal(values(obj, "part_color"), before)
    assert "DN part" not in obj.data.attributes


def test_a_bone_gets_no_weights_from_a_part_of_its_name():
    obj = add_body()
    rig_with_bones(obj, "torso")
    write.write_labels(obj, result_for(obj), options.Outputs())
    assert "torso" not in obj.vertex_groups
    assert "DN torso" in obj.vertex_groups


def test_a_thing_that_was_renamed_stays():
    obj = add_body()
    write.write_labels(obj, result_for(obj), EVERYTHING)
    obj.vertex_groups["head"].name = "Helmet"
    obj.data.attributes["part"].name = "zones"
    groups, zones = group_weights(obj, "Helmet"), values(obj, "zones")
    result = result_for(obj, seed=1)
    assert write.write_labels(obj, result, EVERYTHING) == []
    assert np.array_equal(group_weights(obj, "Helmet"), groups)
    assert np.array_equal(values(obj, "zones"), zones)
    assert np.array_equal(values(obj, "part"), result.polygon_labels)


@pytest.mark.parametrize("work", ["merge_parts", "rename_part", "grow_part", "swap_sides"])
def test_corrections_leave_groups_that_are_the_artists(work, tiny_model):
    obj = add_body()
    bpy.ops.diffusionnet.segment(model=tiny_model.stem)
    for group in obj.vertex_groups:
        group.add(list(range(20)), 0.37, "REPLACE")
    before = {group.name: group_weights(obj, group.name) for group in obj.vertex_groups}
    options_of = {
        "merge_parts": {"part": "head", "into": "torso"},
        "rename_part": {"part": "head", "name": "helmet"},
        "grow_part": {"part": "torso"},
        "swap_sides": {},
    }
    getattr(bpy.ops.diffusionnet, work)(**options_of[work])
    for name, weights in before.items():
        assert np.array_equal(group_weights(obj, name), weights), name


@pytest.mark.parametrize("weights", ["HARD", "SOFT"])
def test_labels_on_a_mesh_that_was_remodelled_are_replaced(weights):
    obj = add_body()
    outputs = options.Outputs(group_weights=weights)
    write.write_labels(obj, result_for(obj), outputs)
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.subdivide()
    bpy.ops.object.mode_set(mode="OBJECT")
    result = result_for(obj, seed=1)
    assert write.write_labels(obj, result, outputs) == []
    assert np.array_equal(values(obj, "part"), result.polygon_labels)
    assert [g.name for g in obj.vertex_groups] == list(CLASSES)


def test_weights_painted_on_a_mesh_that_was_remodelled_stay():
    obj = add_body()
    write.write_labels(obj, result_for(obj), options.Outputs())
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.subdivide()
    bpy.ops.object.mode_set(mode="OBJECT")
    obj.vertex_groups["head"].add(list(range(40)), 0.37, "REPLACE")
    before = group_weights(obj, "head")
    [remark] = write.write_labels(obj, result_for(obj, seed=1), options.Outputs())
    assert "'DN head'" in remark
    assert np.array_equal(group_weights(obj, "head"), before)


def edit_nodes(material):
    material.node_tree.nodes["Principled BSDF"].inputs["Roughness"].default_value = 0.123


MATERIAL_EDITS = {
    "nodes": edit_nodes,
    "colour": lambda m: setattr(m, "diffuse_color", (1, 0, 1, 1)),
    "name": lambda m: setattr(m, "name", "Hero Skin"),
    "node added": lambda m: m.node_tree.nodes.new("ShaderNodeTexNoise"),
    "fake user": lambda m: setattr(m, "use_fake_user", True),
    "property": lambda m: m.__setitem__("mine", 1),
}


def content_of(material):
    nodes = material.node_tree.nodes
    return (
        material.name,
        tuple(material.diffuse_color),
        [(n.name, [str(getattr(i, "default_value", "")) for i in n.inputs]) for n in nodes],
    )


@pytest.mark.parametrize("edit", MATERIAL_EDITS)
def test_a_part_material_that_was_edited_stays_that_of_its_part(edit):
    from dataclasses import replace

    obj = add_body()
    write.write_labels(obj, result_for(obj), EVERYTHING)
    material = obj.data.materials["DN head"]
    MATERIAL_EDITS[edit](material)
    before = content_of(material)
    result = result_for(obj, seed=1)
    # Other colours, so that there is something to paint.
    colours = np.clip(result.class_colours * 0.5, 0, 1)
    write.write_labels(obj, replace(result, class_colours=colours), EVERYTHING)
    assert content_of(material) == before
    assert obj.data.materials[0] == material
    indices = [p.material_index for p in obj.data.polygons]
    assert np.array_equal(indices, result.polygon_labels)


def test_faces_with_another_material_since_keep_it():
    obj = add_body()
    write.write_labels(obj, result_for(obj), EVERYTHING)
    obj.data.materials.append(bpy.data.materials.new("Gold"))
    obj.data.polygons[3].material_index = len(CLASSES)
    write.write_labels(obj, result_for(obj, seed=1), EVERYTHING)
    assert obj.data.polygons[3].material_index == len(CLASSES)


@pytest.mark.parametrize("rendered", ["mine", None])
def test_colours_of_parts_are_rendered_only_where_there_are_no_others(rendered):
    obj = add_body()
    colours = obj.data.color_attributes
    if rendered:
        colours.new(rendered, "FLOAT_COLOR", "POINT")
    for _ in range(2):
        write.write_labels(obj, result_for(obj), options.Outputs())
        assert colours.active_color.name == "part_color"
        assert colours[colours.render_color_index].name == (rendered or "part_color")


def test_a_mask_group_that_was_painted_stays():
    obj = add_body()
    result = result_for(obj)
    write.write_labels(obj, result, options.Outputs())
    mask.mask_parts(obj, result, {0})
    name = obj.modifiers["Parts"].vertex_group
    obj.vertex_groups[name].add([0, 1, 2], 0.5, "REPLACE")
    before = group_weights(obj, name)
    mask.mask_parts(obj, result, {1})
    assert np.array_equal(group_weights(obj, name), before)
    assert obj.modifiers["Parts"].vertex_group != name
    mask.mask_parts(obj, result, ())
    assert np.array_equal(group_weights(obj, name), before)


def test_a_class_that_was_set_by_hand_stays():
    obj = add_body()
    classes.write_class(obj, "person", 0.9)
    classes.write_class(obj, "animal", 0.8)
    assert obj[classes.CLASS_PROPERTY] == "animal"
    obj[classes.CLASS_PROPERTY] = "hero"
    with pytest.raises(DiffusionNetError, match="set by hand"):
        classes.write_class(obj, "person", 0.9)
    assert obj[classes.CLASS_PROPERTY] == "hero"
    other = add_body("Other")
    other[classes.CLASS_PROPERTY] = "villain"
    with pytest.raises(DiffusionNetError, match="set by hand"):
        classes.write_class(other, "person", 0.9)


# --- transfer and preview -------------------------------------------------------------------------


@pytest.fixture
def pair(blender):
    """A source with every kind of data, and a target."""
    source, target = make_pair()
    unwrap(source)
    give_image(source, colour_of, size=16)
    two_bones(source)
    rig_with_bones(source, *source.vertex_groups.keys())
    source.shape_key_add(name="Basis")
    source.shape_key_add(name="Smile").data[0].co.x += 0.1
    source.data.attributes.new("wear", "FLOAT", "POINT")
    source.data.color_attributes.new("dirt", "BYTE_COLOR", "CORNER")
    write.write_labels(source, result_for(source), options.Outputs())
    return source, target


def move(source, target, *kinds, overwrite=False):
    """Transfer kinds of data along the match that is kept; the lines of the report."""
    chosen = Kinds.only(*kinds, overwrite=overwrite)
    reading = transfer.read_transfer(source, target, chosen)
    found = find_match(source, target).correspondence
    moved = transfer_job.run(reading.request(found, texture_size=16))
    return transfer_write.write_transfer(source, target, transfer.Prepared(reading, moved))


def test_a_second_transfer_replaces_what_nobody_changed(pair):
    source, target = pair
    move(source, target, *KINDS)

    def names():
        return {
            "groups": target.vertex_groups.keys(),
            "attributes": sorted(target.data.attributes.keys()),
            "keys": target.data.shape_keys.key_blocks.keys(),
            "materials": target.data.materials.keys(),
            "images": sorted(bpy.data.images.keys()),
            "armatures": sorted(bpy.data.armatures.keys()),
            "objects": sorted(bpy.data.objects.keys()),
            "all materials": sorted(bpy.data.materials.keys()),
        }

    once = names()
    lines = move(source, target, *KINDS)
    assert names() == once
    assert not [line for line in lines if "stay as they are" in line]


def paint_image(target):
    image = next(
        n.image for n in target.data.materials[-1].node_tree.nodes if n.type == "TEX_IMAGE"
    )
    pixels = np.ones(len(image.pixels), dtype=np.float32)
    image.pixels.foreach_set(pixels)
    image.update()


MOVED_MATERIAL_EDITS = {
    **{name: lambda t, f=f: f(t.data.materials[-1]) for name, f in MATERIAL_EDITS.items()},
    "image painted": paint_image,
    "used by another": lambda t: add_body("Other").data.materials.append(t.data.materials[-1]),
}


@pytest.mark.parametrize("edit", MOVED_MATERIAL_EDITS)
def test_a_moved_material_that_was_changed_or_is_used_stays(pair, edit):
    source, target = pair
    move(source, target, "texture")
    MOVED_MATERIAL_EDITS[edit](target)
    material = target.data.materials[-1]
    image = next(n.image for n in material.node_tree.nodes if n.type == "TEX_IMAGE")
    pixels = np.array(image.pixels)
    before = content_of(material)
    move(source, target, "texture")
    assert content_of(material) == before
    assert material in list(target.data.materials)
    assert np.array_equal(np.array(image.pixels), pixels)
    assert target.data.materials[-1] != material
    assert target.data.polygons[0].material_index == len(target.data.materials) - 1


def edit_bones(rig):
    select(rig)
    bpy.ops.object.mode_set(mode="EDIT")
    bone = rig.data.edit_bones.new("tail")
    bone.tail = (0, 1, 0)
    bpy.ops.object.mode_set(mode="OBJECT")


def move_bone(rig):
    select(rig)
    bpy.ops.object.mode_set(mode="EDIT")
    rig.data.edit_bones[0].tail.x += 0.2
    bpy.ops.object.mode_set(mode="OBJECT")


def animate(rig):
    rig.pose.bones[0].keyframe_insert("location", frame=1)


def give_child(rig):
    child = bpy.data.objects.new("Hat", None)
    bpy.context.collection.objects.link(child)
    child.parent = rig


def constrain(rig):
    child = bpy.data.objects.new("Sword", None)
    bpy.context.collection.objects.link(child)
    child.constraints.new("CHILD_OF").target = rig


def drive(rig):
    other = add_body("Driven", subdivisions=1)
    variable = other.driver_add("location", 0).driver.variables.new()
    variable.targets[0].id = rig


ARMATURE_EDITS = {
    "bone added": edit_bones,
    "bone moved": move_bone,
    "pose": lambda rig: setattr(rig.pose.bones[0], "location", (1, 0, 0)),
    "animation": animate,
    "constraint in it": lambda rig: rig.pose.bones[0].constraints.new("LIMIT_ROTATION"),
    "child": give_child,
    "constraint to it": constrain,
    "driver by it": drive,
    "modifier to it": lambda rig: rig_modifier(rig),
    "name": lambda rig: setattr(rig, "name", "Hero Rig"),
    "moved": lambda rig: setattr(rig, "location", (0, 0, 5)),
    "property": lambda rig: rig.__setitem__("mine", 1),
    "bone collection": lambda rig: rig.data.collections.new("Face"),
    "fake user": lambda rig: setattr(rig, "use_fake_user", True),
    "bone does not deform": lambda rig: setattr(rig.data.bones[0], "use_deform", False),
}


def rig_modifier(rig):
    add_body("Hat", subdivisions=1).modifiers.new("A", "ARMATURE").object = rig


@pytest.mark.parametrize("edit", ARMATURE_EDITS)
def test_a_moved_armature_that_was_changed_or_is_used_stays(pair, edit):
    source, target = pair
    move(source, target, "armature")
    [rig] = armatures_of(target)
    ARMATURE_EDITS[edit](rig)
    bpy.context.view_layer.update()
    bones = rig.data.bones.keys()
    with pytest.raises(Exception, match="is already bound to the armature") as caught:
        move(source, target, "armature", "weights")
    assert "changed or is used" in str(caught.value)
    assert armatures_of(target) == [rig]
    assert rig.data.bones.keys() == bones
    assert not target.vertex_groups


def test_a_moved_armature_goes_along_with_its_character_and_is_still_replaced(pair):
    source, target = pair
    move(source, target, "armature")
    [rig] = armatures_of(target)
    rig.location.x += 3
    target.location.x += 3
    bpy.context.view_layer.update()
    # Selecting bones, or entering and leaving Edit Mode, changes nothing.
    select(rig)
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.armature.select_all(action="SELECT")
    bpy.ops.object.mode_set(mode="OBJECT")
    name = rig.name
    move(source, target, "armature")
    [again] = armatures_of(target)
    assert again.name == name
    assert [o.name for o in bpy.data.objects if o.type == "ARMATURE"] == ["Rig", name]


def test_drivers_of_a_moved_armature_and_of_moved_keys_follow_the_new_one(pair):
    source, target = pair
    [rig] = armatures_of(source)
    for curve in (
        rig.pose.bones[0].driver_add("location", 0),
        source.data.shape_keys.key_blocks["Smile"].driver_add("value"),
    ):
        end = curve.driver.variables.new().targets[0]
        end.id, end.data_path = rig, f'pose.bones["{rig.data.bones[1].name}"].location.x'

    def followed(block):
        [curve] = block.animation_data.drivers
        return curve.driver.variables[0].targets[0].id

    for kinds in (["armature", "shape_keys"], ["armature"], ["armature", "shape_keys"]):
        move(source, target, *kinds)
        [made] = armatures_of(target)
        assert made != rig
        assert followed(made) == made
        assert followed(target.data.shape_keys) == made
    assert len([obj for obj in bpy.data.objects if obj.type == "ARMATURE"]) == 2


def constrain_target(target, rig):
    target.constraints.new("CHILD_OF").target = rig


def drive_target(target, rig):
    target.driver_add("location", 0).driver.variables.new().targets[0].id = rig


@pytest.mark.parametrize("follow", [constrain_target, drive_target])
def test_a_moved_armature_that_its_character_follows_otherwise_stays(pair, follow):
    source, target = pair
    move(source, target, "armature")
    [rig] = armatures_of(target)
    follow(target, rig)
    with pytest.raises(Exception, match="changed or is used"):
        move(source, target, "armature")
    assert armatures_of(target) == [rig]


MOVED_EDITS = {
    "groups": ("weights", lambda t: t.vertex_groups[0].add([0], 0.4, "REPLACE")),
    "attribute": ("attributes", lambda t: change_values(t, "wear")),
    "colours": ("colors", lambda t: change_values(t, "dirt")),
    "uv": ("uv", lambda t: change_values(t, "UVMap")),
    "key shape": (
        "shape_keys",
        lambda t: setattr(t.data.shape_keys.key_blocks["Smile"].data[0], "co", (9, 9, 9)),
    ),
    "key range": (
        "shape_keys",
        lambda t: setattr(t.data.shape_keys.key_blocks["Smile"], "slider_max", 2.0),
    ),
    "key driver": (
        "shape_keys",
        lambda t: t.data.shape_keys.key_blocks["Smile"].driver_add("value"),
    ),
}
BEFORE = {
    "groups": lambda t: group_weights(t, t.vertex_groups[0].name).tolist(),
    "attribute": lambda t: values(t, "wear").tolist(),
    "colours": lambda t: values(t, "dirt").tolist(),
    "uv": lambda t: values(t, "UVMap").tolist(),
    "key": lambda t: [tuple(p.co) for p in t.data.shape_keys.key_blocks["Smile"].data],
}


@pytest.mark.parametrize("edit", MOVED_EDITS)
def test_moved_data_that_was_changed_or_is_used_stays(pair, edit):
    source, target = pair
    kind, change = MOVED_EDITS[edit]
    move(source, target, kind)
    change(target)
    content = BEFORE[edit.split()[0]]
    before = content(target)
    for _ in range(2):
        lines = move(source, target, kind)
        assert content(target) == before
        assert "'DN " in lines[0], lines
    move(source, target, kind, overwrite=True)
    assert content(target) != before or edit in {"key range", "key driver"}


@pytest.mark.parametrize("edit", MOVED_EDITS)
def test_data_of_the_artist_under_names_of_the_source_stays(pair, edit):
    source, target = pair
    kind = MOVED_EDITS[edit][0]
    # Made as the artist would have: with no note of ours.
    move(source, target, kind)
    target.data.diffusionnet.owned.clear()
    content = BEFORE[edit.split()[0]]
    MOVED_EDITS[edit][1](target)
    before = content(target)
    move(source, target, kind)
    assert content(target) == before


def test_moved_weights_serve_their_bones_and_labels_give_way_to_them(pair):
    source, target = pair
    write.write_labels(target, result_for(target), options.Outputs())
    bone = source.vertex_groups[0].name
    target.vertex_groups["head"].name = bone
    target.data.diffusionnet.owned["head"].name = bone
    target.data.diffusionnet.parts["head"].vertex_group = bone
    move(source, target, "weights", "armature")
    weights = group_weights(target, bone)
    assert target.data.diffusionnet.parts["head"].vertex_group == ""
    # Weights on bones are replaced by a second transfer, and never by labels.
    move(source, target, "weights")
    assert f"DN {bone}" not in target.vertex_groups
    write.write_labels(target, result_for(target, seed=1), options.Outputs())
    assert np.array_equal(group_weights(target, bone), weights)


def test_groups_of_parts_are_not_moved_as_weights(pair):
    source, target = pair
    assert set(CLASSES) < set(source.vertex_groups.keys())
    move(source, target, "weights")
    assert not set(CLASSES) & set(target.vertex_groups.keys())


@pytest.mark.parametrize("name", ["match_position", "match_confidence", "match_confidence_color"])
def test_a_preview_that_was_changed_stays(pair, name):
    source, target = pair
    match = find_match(source, target)
    preview.write_preview(source, target, match, "POSITION")
    change_values(target, name)
    before = values(target, name)
    assert f"DN {name}" in preview.write_preview(source, target, match, "POSITION")
    assert np.array_equal(values(target, name), before)


@pytest.mark.parametrize("name", ["live_triangle", "live_barycentric", "live_confidence"])
def test_a_live_match_that_was_changed_stays(pair, name):
    source, target = pair
    match = find_match(source, target)
    live.write_live(source, target, match)
    change_values(target, name)
    before = values(target, name)
    live.write_live(source, target, match)
    assert np.array_equal(values(target, name), before)
    assert f"DN {name}" in target.data.attributes


def test_what_is_said_in_the_panel_of_a_rig_of_the_artist(pair):
    source, target = pair
    rig_with_bones(target, "low")
    said = refused(bpy.ops.diffusionnet.transfer, source="Source", target="Target", armature=True)
    assert "is already bound to the armature" in said
