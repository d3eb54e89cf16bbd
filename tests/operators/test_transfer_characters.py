"""What a character of several objects carries is moved to the members of another."""

from dataclasses import replace

import bpy
import numpy as np
import pytest

from diffusionnet_blender.matching.points import SurfacePoints
from diffusionnet_blender.scene.matches import find_match, keep_match
from diffusionnet_blender.scene.options import Outputs
from diffusionnet_blender.scene.uv_maps import MOST_UV_MAPS
from diffusionnet_blender.scene.write import write_labels
from tests.operators.characters import add_pair, both_characters, keep_true_maps
from tests.scenes import add_rig, group_weights, result_for, snapshot, values_of

pytestmark = pytest.mark.usefixtures("blender")


@pytest.fixture
def pair(blender):
    return add_pair()


def directions(obj):
    return np.array(obj["directions"]).reshape(-1, 3)


def transfer(*kinds, **options):
    chosen = dict.fromkeys(kinds, True)
    return bpy.ops.diffusionnet.transfer(**chosen, **options)


def test_every_member_gets_weights_and_one_copy_of_the_armature(pair):
    source, target = pair
    assert transfer("weights", "armature") == {"FINISHED"}
    rigs = {m.object for obj in target for m in obj.modifiers if m.type == "ARMATURE"}
    assert len(rigs) == 1
    assert rigs != {source[0].parent}
    for obj in target:
        weights = group_weights(obj, "upper")
        truth = np.clip(0.5 + 0.5 * directions(obj)[:, 2], 0, 1)
        assert np.abs(weights - truth).mean() < 0.05, obj.name
    # Once more: its own armature makes way.
    assert transfer("weights", "armature") == {"FINISHED"}
    assert len([o for o in bpy.data.objects if o.type == "ARMATURE"]) == 2


def test_a_thing_on_a_bone_gives_its_bone(pair):
    source, target = pair
    eyes = source[2]
    eyes.vertex_groups.clear()
    eyes.modifiers.clear()
    place = eyes.matrix_world.copy()
    eyes.parent_type, eyes.parent_bone = "BONE", "upper"
    eyes.matrix_world = place
    bpy.context.view_layer.update()
    keep_true_maps(source, target)
    assert transfer("weights") == {"FINISHED"}
    np.testing.assert_allclose(group_weights(target[2], "upper"), 1.0)
    assert "lower" not in target[2].vertex_groups


def test_shape_keys_go_to_the_members_that_they_move(pair):
    source, target = pair
    for obj, names in ((source[0], ("Smile", "Big")), (source[1], ("Big",))):
        obj.shape_key_add(name="Basis")
        for name in names:
            key = obj.shape_key_add(name=name, from_mix=False)
            key.slider_max = 2.0
            for point, at in zip(key.data, directions(obj).tolist(), strict=True):
                point.co.z += 0.3 * max(at[2], 0.0)
    assert transfer("shape_keys") == {"FINISHED"}
    keys = [obj.data.shape_keys for obj in target]
    assert [k.name for k in keys[0].key_blocks] == ["Basis", "Smile", "Big"]
    assert [k.name for k in keys[1].key_blocks] == ["Basis", "Big"]
    assert keys[2] is None
    moved = keys[1].key_blocks["Big"]
    assert moved.slider_max == 2.0
    rise = [p.co.z - v.co.z for p, v in zip(moved.data, target[1].data.vertices, strict=True)]
    truth = 0.3 * np.maximum(directions(target[1])[:, 2], 0)
    assert np.abs(rise - truth).mean() < 0.05


def test_attributes_go_where_the_source_has_them_and_materials_by_member(pair):
    source, target = pair
    for obj in source:
        material = bpy.data.materials.new(f"{obj.name} Material")
        obj.data.materials.append(material)
    attribute = source[1].data.attributes.new("Cloth", "FLOAT", "POINT")
    attribute.data.foreach_set("value", directions(source[1])[:, 0].copy())
    assert transfer("attributes", "materials") == {"FINISHED"}
    assert ["Cloth" in obj.data.attributes for obj in target] == [False, True, False]
    assert np.abs(values_of(target[1], "Cloth") - directions(target[1])[:, 0]).mean() < 0.05
    for one, other in zip(source, target, strict=True):
        assert [m.name for m in other.data.materials] == [f"{one.name} Material"]


def paint(source):
    """One colour on each member, in an image; colours by the name of the part."""
    colours = {}
    for obj, colour in zip(source, ((1, 0, 0, 1), (0, 1, 0, 1), (0, 0, 1, 1)), strict=True):
        obj.data.uv_layers.new(name=f"{obj.name} UV")
        image = bpy.data.images.new(obj.name, 16, 16)
        image.pixels.foreach_set(np.tile(colour, 256).astype(np.float32))
        material = bpy.data.materials.new(obj.name)
        material.use_nodes = True
        nodes = material.node_tree.nodes
        node = nodes.new("ShaderNodeTexImage")
        node.image = image
        shader = next(n for n in nodes if n.type == "BSDF_PRINCIPLED")
        material.node_tree.links.new(node.outputs["Color"], shader.inputs["Base Color"])
        obj.data.materials.append(material)
        colours[obj.name.split()[1]] = colour
    return colours


def pixels_of(obj):
    """Pixels (N, 4) of the image that the only material of an object shows."""
    (material,) = obj.data.materials
    image = next(n.image for n in material.node_tree.nodes if n.type == "TEX_IMAGE")
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(-1, 4)


def test_textures_of_every_member_go_onto_the_layout_of_each(pair):
    source, target = pair
    colours = paint(source)
    assert transfer("texture", texture_size=64) == {"FINISHED"}
    for obj in target:
        pixels = pixels_of(obj)
        painted = pixels[pixels[:, :3].any(axis=1)]
        np.testing.assert_allclose(
            painted[:, :3].mean(axis=0), colours[obj.name.split()[1]][:3], atol=0.02
        )


def of_member(target, name):
    """Vertices (V,) of all members that are of one."""
    return np.repeat(
        [obj.name.endswith(name) for obj in target], [len(obj.data.vertices) for obj in target]
    )


def keep_changed(source, target, **changes):
    """Keep the match of two characters with other fields in its correspondence."""
    one, other = both_characters(source, target)
    match = find_match(one, other)
    keep_match(one, other, replace(match, correspondence=replace(match.correspondence, **changes)))


def test_a_member_without_its_like_keeps_what_it_shows(pair):
    source, target = pair
    paint(source)
    own = bpy.data.materials.new("Own")
    target[1].data.materials.append(own)
    keep_changed(source, target, unmatched=of_member(target, "Shirt"))
    for kinds in (("texture",), ("texture", "materials"), ("materials",)):
        assert transfer(*kinds, texture_size=64) == {"FINISHED"}
        assert list(target[1].data.materials) == [own]
        assert target[0].data.materials


def test_a_member_is_trusted_with_the_whole(pair):
    source, target = pair
    paint(source)
    shirt = of_member(target, "Shirt")
    keep_changed(source, target, confidence=np.where(shirt, 0.2, 1.0))
    assert transfer("texture", texture_size=64) == {"FINISHED"}
    assert pixels_of(target[1])[:, 1].max() == 1.0


def test_a_member_whose_textures_are_refused_keeps_its_materials(pair):
    source, target = pair
    paint(source)
    # All faces on one place, which need the colours of two members, and no room for another layout.
    shirt = target[1].data
    layout = shirt.uv_layers.new(name="Mine")
    while len(shirt.uv_layers) < MOST_UV_MAPS:
        shirt.uv_layers.new()
    corners = np.tile([[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]], (len(shirt.polygons), 1))
    layout.data.foreach_set("uv", corners.astype(np.float32).ravel())
    found = find_match(*both_characters(source, target)).correspondence.target_to_source
    number = np.flatnonzero(of_member(target, "Shirt"))
    half = number[directions(target[1])[:, 0] > 0]
    other = SurfacePoints(np.zeros(len(half), np.int64), np.tile([1.0, 0, 0], (len(half), 1)))
    keep_changed(source, target, target_to_source=found.replaced(half, other))
    own = bpy.data.materials.new("Own")
    shirt.materials.append(own)
    transfer("texture", texture_size=64)
    assert list(shirt.materials) == [own]
    assert pixels_of(target[0])[:, 0].max() == 1.0


def test_a_material_that_no_point_falls_on_is_left_out(pair):
    source, target = pair
    hit = find_match(*both_characters(source, target)).correspondence.target_to_source.face
    start = 0
    for obj in source:
        for number, blue in enumerate((0.0, 1.0)):
            material = bpy.data.materials.new(f"{obj.name} {number}")
            material.use_nodes = True
            shader = material.node_tree.nodes["Principled BSDF"]
            shader.inputs["Base Color"].default_value = (1.0, 0.0, blue, 1.0)
            obj.data.materials.append(material)
        count = len(obj.data.polygons)
        missed = ~np.isin(np.arange(start, start + count), hit)
        assert missed.any()
        obj.data.polygons.foreach_set("material_index", missed.astype(np.int32))
        start += count
    assert transfer("texture", texture_size=64) == {"FINISHED"}
    for obj in target:
        (material,) = obj.data.materials
        assert material.name.endswith("0")


def test_part_labels_have_one_legend(pair):
    source, target = pair
    for obj in source[:2]:
        write_labels(obj, result_for(obj), Outputs())
    assert transfer("labels") == {"FINISHED"}
    legends = [[part.name for part in obj.data.diffusionnet.parts] for obj in target]
    assert legends[0] == legends[1] == legends[2] != []
    shares = [[part.share for part in obj.data.diffusionnet.parts] for obj in target]
    np.testing.assert_allclose(shares[0], shares[2], atol=1e-6)


def test_uv_maps_go_to_every_member(pair):
    source, target = pair
    for obj in source:
        obj.data.uv_layers.new(name="Layout")
    assert transfer("uv") == {"FINISHED"}
    assert all("Layout" in obj.data.uv_layers for obj in target)


def share_a_mesh(source, target):
    """Eyes of both characters are one mesh."""
    target[2].data = source[2].data
    target[2]["directions"] = directions(source[2]).ravel()


def lock(source, target):
    for name in ("lower", "upper"):
        target[2].vertex_groups.new(name=name).lock_weight = True


@pytest.mark.parametrize("spoil", [share_a_mesh, lock])
def test_a_member_that_cannot_be_written_to_costs_itself_alone(pair, spoil):
    source, target = pair
    spoil(source, target)
    bpy.context.view_layer.update()
    keep_true_maps(source, target)
    before = snapshot(target[2])
    assert transfer("weights") == {"FINISHED"}
    assert group_weights(target[0], "upper").any()
    assert snapshot(target[2]) == before


def test_a_group_that_one_member_has_locked_is_kept_there_alone(pair):
    _, target = pair
    kept = target[1].vertex_groups.new(name="upper")
    kept.add([0, 1], 0.25, "REPLACE")
    kept.lock_weight = True
    assert transfer("weights") == {"FINISHED"}
    weights = group_weights(target[1], "upper")
    np.testing.assert_allclose(weights[:2], 0.25)
    assert not weights[2:].any()
    assert group_weights(target[0], "upper").max() > 0.9


def test_each_object_alone_moves_from_one_object_to_one(pair):
    source, target = pair
    panel = bpy.context.scene.diffusionnet
    panel.transfer.source, panel.transfer.target = source[1], target[1]
    panel.each = True
    try:
        keep_true_maps([source[1]], [target[1]])
        assert transfer("weights") == {"FINISHED"}
    finally:
        panel.each = False
    assert group_weights(target[1], "upper").any()
    assert not target[0].vertex_groups


def test_what_fails_on_one_member_leaves_all_as_they_were(pair, monkeypatch):
    from diffusionnet_blender.scene import transfer_write

    before = [snapshot(obj) for obj in pair[1]]
    written = transfer_write.write_vertex_groups

    def fails_at_the_last(obj, *rest):
        if obj == pair[1][2]:
            raise RuntimeError("no more")
        written(obj, *rest)

    monkeypatch.setattr(transfer_write, "write_vertex_groups", fails_at_the_last)
    with pytest.raises(RuntimeError):
        transfer("weights", "armature")
    assert [snapshot(obj) for obj in pair[1]] == before


def test_a_pattern_that_is_of_no_member_is_an_error(pair):
    _, target = pair
    with pytest.raises(RuntimeError, match=r"No object of the source has a vertex group 'hand\*'"):
        transfer("weights", group_names="low*, hand*")
    assert not any(obj.vertex_groups for obj in target)
    assert transfer("weights", group_names="low*") == {"FINISHED"}
    assert {name for obj in target for name in obj.vertex_groups.keys()} == {"lower"}


def test_members_whose_own_weights_leave_nothing_are_told(pair, told):
    _, target = pair
    rig = add_rig(target[0], {"own": ((0, 0, 0), (0, 0, 1))})
    for obj in target:
        own = obj.vertex_groups.new(name="own")
        own.add(range(len(obj.data.vertices)), 1.0, "REPLACE")
        if obj.find_armature() is None:
            obj.modifiers.new("Armature", "ARMATURE").object = rig
    assert transfer("weights") == {"FINISHED"}
    assert "no vertex group, as the kept ones already add up to 1" in told()
    assert all([group.name for group in obj.vertex_groups] == ["own"] for obj in target)
