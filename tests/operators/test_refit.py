"""Refit: new objects that belong to the target's body, and nothing of the artist's is touched."""

import bpy
import numpy as np
import pytest

from diffusionnet_blender.matching.skin import Skin
from diffusionnet_blender.surface.triangles import compact
from tests.matching.pairs import lumpy_surface
from tests.scenes import add_mesh, add_rig, chain, group_weights, link_bodies, snapshot

pytestmark = pytest.mark.usefixtures("blender")

SHAPE, UP = lumpy_surface(3)


def part(low, high, height):
    inside = (UP[:, 2] > low) & (UP[:, 2] < high)
    faces, kept = compact(len(UP), SHAPE.faces[inside[SHAPE.faces].all(axis=1)])
    return height * SHAPE.vertices[kept], faces


@pytest.fixture
def pair(blender):
    """A character with a shirt, a hat and an eye, rigged; a larger body with a rig of its own."""
    body = add_mesh("Body", SHAPE.vertices, SHAPE.faces)
    shirt = add_mesh("Shirt", *part(-0.4, 0.4, 1.03))
    hat = add_mesh("Hat", *part(0.6, 1.1, 1.05))
    eye = add_mesh("Eye.L", *part(0.5, 0.6, 0.9))
    shirt.data.materials.append(bpy.data.materials.new("Cloth"))
    shirt.data.uv_layers.new(name="Pattern")
    shirt.shape_key_add(name="Basis")
    key = shirt.shape_key_add(name="Wide", from_mix=False)
    wide = 1.1 * np.array([v.co for v in shirt.data.vertices], np.float32)
    key.data.foreach_set("co", wide.ravel())
    rig = add_rig(body, chain("Old"))
    for obj in (body, shirt, hat, eye):
        obj.parent = rig
        if obj != body:
            obj.modifiers.new("Armature", "ARMATURE").object = rig
    shirt.vertex_groups.new(name="Old").add(range(len(shirt.data.vertices)), 1.0, "REPLACE")
    shirt.vertex_groups.new(name="Pinned").add([0, 1], 1.0, "REPLACE")
    target = add_mesh("Troll", 2.0 * SHAPE.vertices * [1.3, 1.0, 1.0], SHAPE.faces)
    target.location = (9.0, 0.0, 0.0)
    other = add_rig(target, chain("low", "high"))
    for name, weights in (("low", (1 - UP[:, 2]) / 2), ("high", (1 + UP[:, 2]) / 2)):
        group = target.vertex_groups.new(name=name)
        for vertex, weight in enumerate(weights.tolist()):
            group.add([vertex], weight, "REPLACE")
    home = bpy.data.collections.new("Trolls")
    bpy.context.scene.collection.children.link(home)
    home.objects.link(target)
    bpy.context.collection.objects.unlink(target)
    bpy.context.view_layer.update()
    return body, shirt, target, other


def refit(**options):
    return bpy.ops.diffusionnet.refit(**{"source": "Shirt", "target": "Troll", **options})


def in_world(obj, points):
    matrix = np.array(obj.matrix_world)
    return np.array([tuple(p.co) for p in points]) @ matrix[:3, :3].T + matrix[:3, 3]


def test_garments_lie_on_the_target_and_follow_its_rig(pair):
    body, shirt, target, rig = pair
    before = snapshot(shirt), snapshot(target)
    assert refit() == {"FINISHED"}
    assert (snapshot(shirt), snapshot(target)) == before
    made = {obj.name: obj for obj in bpy.context.selected_objects}
    assert made.keys() == {"Shirt on Troll", "Hat on Troll"}
    for obj in made.values():
        skin = Skin(in_world(target, target.data.vertices), SHAPE.faces)
        at = in_world(obj, obj.data.vertices)
        points, _ = skin.surface(at)
        height, _ = skin.above(points, at, at)
        assert height.min() > 0.0
        assert height.max() < 0.4
        assert [m.object for m in obj.modifiers if m.type == "ARMATURE"] == [rig]
        assert obj.parent == rig
        assert [c.name for c in obj.users_collection] == ["Trolls"]
    copy = made["Shirt on Troll"]
    assert [m.name for m in copy.data.materials] == ["Cloth"]
    assert copy.data.uv_layers.keys() == ["Pattern"]
    assert sorted(copy.vertex_groups.keys()) == ["Pinned", "high", "low"]
    total = group_weights(copy, "low") + group_weights(copy, "high")
    np.testing.assert_allclose(total, 1.0, atol=0.02)
    rest, wide = (in_world(copy, key.data) for key in copy.data.shape_keys.key_blocks)
    assert np.median(np.linalg.norm(wide - rest, axis=1)) > 0.1


def test_it_is_one_step_of_undo(pair):
    bpy.ops.ed.undo_push(message="before")
    assert refit() == {"FINISHED"}
    assert "Shirt on Troll" in bpy.data.objects
    bpy.ops.ed.undo_push(message="Refit")
    bpy.ops.ed.undo()
    assert "Shirt on Troll" not in bpy.data.objects
    assert {"Shirt", "Troll"} <= set(bpy.data.objects.keys())


def test_without_a_rig_they_hang_on_the_body(pair):
    *_, target, rig = pair
    bpy.data.objects.remove(rig)
    target.modifiers.clear()
    assert refit() == {"FINISHED"}
    copy = bpy.data.objects["Shirt on Troll"]
    assert copy.parent == target
    assert not copy.modifiers
    assert sorted(copy.vertex_groups.keys()) == ["Old", "Pinned"]


def test_modifiers_that_follow_the_body_follow_the_new_one(pair):
    body, shirt, target, _ = pair
    shirt.modifiers.new("Near", "SHRINKWRAP").target = body
    shirt.modifiers.new("Bound", "SURFACE_DEFORM").target = body
    assert refit() == {"FINISHED"}
    kept = {m.type: m for m in bpy.data.objects["Shirt on Troll"].modifiers}
    assert kept.keys() == {"ARMATURE", "SHRINKWRAP"}
    assert kept["SHRINKWRAP"].target == target


def test_the_body_can_be_chosen(pair):
    body, shirt, *_ = pair
    body.name = "Mesh"
    assert refit(body="Mesh") == {"FINISHED"}
    # A garment alone, with a body that is chosen.
    assert refit(body="Mesh", each=True) == {"FINISHED"}
    assert [obj.name for obj in bpy.context.selected_objects] == ["Shirt on Troll.001"]


def spoil_source(pair):
    """Two garments that do not lie on one another."""
    bpy.data.objects.remove(pair[0])
    return {}


def spoil_target(pair):
    pair[2].name = "Eyes"
    return {"target": "Eyes"}


def spoil_mirror(pair):
    pair[2].modifiers.new("Mirror", "MIRROR")
    return {}


def spoil_pin(pair):
    _, shirt, target, _ = pair
    chosen = bpy.context.scene.diffusionnet.transfer
    chosen.source, chosen.target = shirt, target
    pin = chosen.pins.add()
    pin.source_object, pin.target_object = shirt, target
    pin.source_vertex = pin.target_vertex = 0
    return {}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda pair: {"each": True}, "single mesh"),
        (lambda pair: {"body": "Nobody"}, "no mesh 'Nobody'"),
        (lambda pair: {"target": "Body", "source": "Troll"}, "single mesh"),
        (spoil_source, "is its body is not clear"),
        (spoil_target, "has no body"),
        (spoil_mirror, "another shape without its modifier 'Mirror'"),
        (spoil_pin, "A pin is not on the body"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_made(pair, spoil, message):
    options = spoil(pair)
    before = len(bpy.data.objects), len(bpy.data.meshes)
    with pytest.raises(RuntimeError, match=message):
        refit(**options)
    assert (len(bpy.data.objects), len(bpy.data.meshes)) == before


def test_a_linked_target_is_told(pair, tmp_path):
    bpy.data.objects.remove(pair[2])
    link_bodies(tmp_path, "Troll")
    with pytest.raises(RuntimeError, match="linked"):
        refit()
