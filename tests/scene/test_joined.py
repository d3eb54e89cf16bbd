"""Several objects as one, for the time of a reading."""

import bpy
import numpy as np
import pytest

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.scene.character import alone, characters_of
from diffusionnet_blender.scene.character_read import read_character
from diffusionnet_blender.scene.joined import joined
from diffusionnet_blender.scene.layers import read_source
from diffusionnet_blender.scene.read import read_object
from diffusionnet_blender.scene.uv_maps import read_uv, source_uv_name
from diffusionnet_blender.tasks.transfer.kinds import Kinds
from tests.scenes import add_body, add_rig, chain, select

pytestmark = pytest.mark.usefixtures("blender")


def paint(obj, name, colour):
    material = bpy.data.materials.new(name)
    material.diffuse_color = colour
    obj.data.materials.append(material)
    return material


@pytest.fixture
def character():
    """A body, a hat on a bone that is posed, and a mirrored glove without materials."""
    body = add_body("Body", subdivisions=3)
    hat, glove = add_body("Hat", scale=(0.3, 0.3, 0.2)), add_body("Glove", subdivisions=1)
    rig = add_rig(body, chain("spine", "head"))
    hat.parent, hat.parent_type, hat.parent_bone = rig, "BONE", "head"
    hat.location.z = 1.0
    head = rig.pose.bones["head"]
    head.rotation_mode = "XYZ"
    head.keyframe_insert("rotation_euler")
    # A pose without a key.
    head.rotation_euler.x = 1.0
    glove.modifiers.new("Armature", "ARMATURE").object = rig
    glove.location, glove.scale = (1.2, 0, 0.2), (-0.3, 0.3, 0.3)
    body.location = 1.0, 2.0, 3.0
    body.vertex_groups.new(name="spine").add(range(40), 0.75, "REPLACE")
    glove.vertex_groups.new(name="head").add(range(9), 1.0, "REPLACE")
    glove.vertex_groups.new(name="spine").add(range(3), 0.5, "REPLACE")
    for obj, name in ((body, "UVMap"), (hat, "Layout")):
        obj.data.uv_layers.new(name=name)
        values = np.random.default_rng(len(name)).random(2 * len(obj.data.loops))
        obj.data.uv_layers[name].uv.foreach_set("vector", values.astype(np.float32))
    paint(body, "Skin", (1, 0, 0, 1))
    paint(hat, "Felt", (0, 1, 0, 1))
    for key in ("Basis", "smile"):
        body.shape_key_add(name=key)
    for key in ("Basis", "tall"):
        hat.shape_key_add(name=key)
    hat.data.shape_keys.key_blocks["tall"].data[0].co.z += 0.5
    select(body)
    bpy.context.view_layer.update()
    (found,) = characters_of([body], bpy.context.view_layer)
    return found


def test_it_has_the_elements_of_all_members_in_their_order(character):
    expected = read_character(character)
    members = character.members
    assert [obj.name for obj in members] == ["Body", "Hat", "Glove"]
    with joined(character) as whole:
        geometry = read_object(whole)
        surface = expected.placed.surface
        np.testing.assert_allclose(geometry.surface.vertices, surface.vertices, atol=1e-5)
        assert geometry.polygons.count == expected.polygons.count
        assert np.allclose(whole.matrix_world.translation, expected.origin)
        assert np.allclose(whole.matrix_world.to_3x3(), np.eye(3))
        ends = np.cumsum([len(obj.data.polygons) for obj in members])
        names = [whole.material_slots[p.material_index].material for p in whole.data.polygons]
        assert {m and m.name for m in names[: ends[0]]} == {"Skin"}
        assert {m and m.name for m in names[ends[0] : ends[1]]} == {"Felt"}
        assert set(names[ends[1] :]) == {None}


def test_groups_keys_and_uv_maps_are_united_by_name(character):
    body, hat, glove = character.members
    with joined(character) as whole:
        read = read_source(whole, Kinds.only("weights", "shape_keys", "uv"))
        start = len(body.data.vertices) + len(hat.data.vertices)
        weights = dict(zip(read.layers.weights.names, read.layers.weights.values.T, strict=True))
        assert np.allclose(weights["spine"][:40], 0.75)
        assert np.allclose(weights["spine"][start : start + 3], 0.5)
        assert np.allclose(weights["head"][start : start + 9], 1.0)
        assert not weights["head"][:start].any()
        assert read.layers.weights.deforming.all()
        assert set(read.layers.keys.names) == {"smile", "tall"}
        tall = read.layers.keys.positions[read.layers.keys.names.index("tall")]
        rest = read_object(whole).surface.vertices
        moved = np.flatnonzero(np.abs(tall - rest).max(axis=1) > 1e-4)
        assert moved.tolist() == [len(body.data.vertices)]
        uv = read_uv(whole.data, source_uv_name(whole))
        own = [read_uv(obj.data, obj.data.uv_layers[0].name) for obj in (body, hat)]
        np.testing.assert_allclose(uv[: sum(map(len, own))], np.concatenate(own), atol=1e-6)


def test_nothing_of_it_stays(character):
    def counts():
        kinds = ("objects", "meshes", "scenes", "shape_keys", "materials", "collections")
        return {kind: len(getattr(bpy.data, kind)) for kind in kinds}

    before, names = counts(), [obj.data.name for obj in character.members]
    active, selected = bpy.context.view_layer.objects.active, bpy.context.selected_objects[:]
    head = bpy.data.objects["Rig"].pose.bones["head"]
    with joined(character) as whole:
        read_source(whole, Kinds.only("weights", "shape_keys"))
    assert head.rotation_euler.x == 1.0
    with pytest.raises(ZeroDivisionError), joined(character):
        raise ZeroDivisionError
    assert counts() == before
    assert [obj.data.name for obj in character.members] == names
    assert bpy.context.view_layer.objects.active == active
    assert bpy.context.selected_objects == selected
    assert bpy.context.scene.name == "Scene"


def test_one_object_is_itself():
    body = add_body()
    with joined(alone(body)) as whole:
        assert whole == body
    assert body.name in bpy.data.objects


def test_too_many_uv_maps_are_told(character):
    for obj in character.members:
        for number in range(4):
            obj.data.uv_layers.new(name=f"{obj.name} {number}")
    with pytest.raises(DiffusionNetError, match="more than 8 UV maps"), joined(character):
        pass
