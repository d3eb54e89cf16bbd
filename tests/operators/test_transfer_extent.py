"""A region, its edges and the mix: outside of it the target's own data stays, bit for bit."""

import bpy
import numpy as np
import pytest

from diffusionnet_blender.scene.fingerprint import of_key
from diffusionnet_blender.scene.options import Outputs
from diffusionnet_blender.scene.write import write_labels
from tests.operators.characters import add_pair
from tests.operators.test_transfer import (
    colour_of,
    directions,
    give_image,
    make_pair,
    two_bones,
    unwrap,
)
from tests.scenes import add_rig, chain, group_weights, result_for, values_of

pytestmark = pytest.mark.usefixtures("blender")
BONES = ("low", "high")


@pytest.fixture
def pair(blender):
    """A source with weights of two bones; a target with weights of the same bones, all on one."""
    source, target = make_pair()
    two_bones(source)
    add_rig(source, chain(*BONES))
    for name, weight in zip(BONES, (1.0, 0.0), strict=True):
        target.vertex_groups.new(name=name).add(range(len(target.data.vertices)), weight, "REPLACE")
    right = target.vertex_groups.new(name="right")
    right.add(np.flatnonzero(on_right(target)).tolist(), 1.0, "REPLACE")
    return source, target


def on_right(obj):
    return directions(obj)[:, 0] > 0


def transfer(**options):
    options = {"region": "GROUP", "region_name": "right", "overwrite": True} | options
    assert bpy.ops.diffusionnet.transfer(source="Source", target="Target", **options) == {
        "FINISHED"
    }


def weights_of(obj):
    return np.stack([group_weights(obj, name) for name in BONES], axis=1)


def test_weights_move_in_the_region_and_stay_outside(pair):
    _, target = pair
    bpy.ops.diffusionnet.transfer(weights=True, overwrite=True)
    everywhere = weights_of(target)
    for name, weight in zip(BONES, (1.0, 0.0), strict=True):
        target.vertex_groups[name].add(range(len(everywhere)), weight, "REPLACE")
    transfer(weights=True, edge=0.0)
    inside, found = on_right(target), weights_of(target)
    np.testing.assert_allclose(found[inside], everywhere[inside], atol=1e-6)
    np.testing.assert_array_equal(found[~inside], np.tile([1.0, 0.0], ((~inside).sum(), 1)))


def test_at_soft_edges_weights_add_up_and_fade_in(pair):
    _, target = pair
    transfer(weights=True, edge=0.3)
    found, inside = weights_of(target), on_right(target)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-5)
    assert (found[~inside, 1] == 0).all()
    height, side = directions(target)[:, 2], directions(target)[:, 0]
    top = (height > 0.3) & inside
    # The farther from the edge, the more of the new weights.
    assert np.corrcoef(side[top], found[top, 1])[0, 1] > 0.7


def test_no_vertex_has_more_bones_than_either_side(pair):
    source, target = pair
    third = source.vertex_groups.new(name="extra")
    third.add(range(len(source.data.vertices)), 0.5, "REPLACE")
    transfer(weights=True, edge=0.5, limit=1, groups="ALL")
    found = weights_of(target)
    assert ((found > 0).sum(axis=1) <= 1).all()
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-5)


def test_a_mix_of_both(pair):
    _, target = pair
    transfer(weights=True, region="ALL", overwrite=True)
    whole = weights_of(target)
    for name, weight in zip(BONES, (1.0, 0.0), strict=True):
        target.vertex_groups[name].add(range(len(whole)), weight, "REPLACE")
    transfer(weights=True, region="ALL", mix=0.25)
    np.testing.assert_allclose(
        weights_of(target), 0.75 * np.array([1, 0]) + 0.25 * whole, atol=1e-5
    )


def test_a_group_that_is_locked_stays_within_the_region_too(pair):
    _, target = pair
    target.vertex_groups["low"].lock_weight = True
    before = group_weights(target, "low")
    transfer(weights=True)
    np.testing.assert_array_equal(group_weights(target, "low"), before)


def test_without_overwrite_the_artist_s_groups_stay_and_ours_have_them_outside(pair):
    _, target = pair
    before = weights_of(target)
    transfer(weights=True, edge=0.0, overwrite=False)
    np.testing.assert_array_equal(weights_of(target), before)
    made, inside = group_weights(target, "DN low"), on_right(target)
    np.testing.assert_array_equal(made[~inside], 1.0)
    assert made[inside].min() < 0.5


def positions_of(key):
    found = np.empty(3 * len(key.data), np.float32)
    key.data.foreach_get("co", found)
    return found.reshape(-1, 3)


def test_keys_move_in_the_region_and_keep_their_effect_outside(pair):
    source, target = pair
    for obj, by in ((source, 0.4), (target, 0.1)):
        obj.shape_key_add(name="Basis")
        key = obj.shape_key_add(name="Up", from_mix=False)
        raised = positions_of(key) + np.array([0, 0, by], np.float32)
        key.data.foreach_set("co", raised.ravel())
    other = target.shape_key_add(name="Mine", from_mix=False)
    content = of_key(other)
    transfer(shape_keys=True, edge=0.0)
    keys = target.data.shape_keys.key_blocks
    lifted = (positions_of(keys["Up"]) - positions_of(keys["Basis"]))[:, 2]
    inside = on_right(target)
    np.testing.assert_allclose(lifted[~inside], 0.1, atol=1e-6)
    # Deformation transfer leaves a shift free: what counts is that it is another effect.
    assert np.abs(lifted[inside] - 0.1).min() > 1e-3
    assert of_key(target.data.shape_keys.key_blocks["Mine"]) == content


def test_attributes_of_all_domains(pair):
    source, target = pair
    for obj, value in ((source, 7), (target, 2)):
        mesh = obj.data
        for domain, size in (("POINT", mesh.vertices), ("FACE", mesh.polygons)):
            mesh.attributes.new(f"number {domain}", "INT", domain)
            numbers = np.full(len(size), value, np.int32)
            mesh.attributes[f"number {domain}"].data.foreach_set("value", numbers)
        mesh.attributes.new("wear", "FLOAT", "CORNER")
        mesh.attributes["wear"].data.foreach_set("value", np.full(len(mesh.loops), value, float))
    transfer(attributes=True, edge=0.0, mix=0.5)
    inside = on_right(target)
    assert (values_of(target, "number POINT") == np.where(inside, 7, 2)).all()
    corner = np.array([loop.vertex_index for loop in target.data.loops])
    np.testing.assert_allclose(values_of(target, "wear"), np.where(inside[corner], 4.5, 2.0))
    faces = np.array([polygon.vertices[:] for polygon in target.data.polygons])
    most = inside[faces].mean(axis=1) >= 0.5
    assert (values_of(target, "number FACE") == np.where(most, 7, 2)).all()


def test_textures_and_materials_are_those_of_the_faces_inside(pair):
    source, target = pair
    unwrap(source)
    unwrap(target)
    give_image(source, colour_of)
    mine = bpy.data.materials.new("Mine")
    target.data.materials.append(mine)
    faces = np.array([polygon.vertices[:] for polygon in target.data.polygons])
    most = on_right(target)[faces].mean(axis=1) >= 0.5

    def shown():
        slots = [polygon.material_index for polygon in target.data.polygons]
        return np.array([target.data.materials[slot] for slot in slots])

    for _ in range(2):
        transfer(texture=True, edge=0.0)
        np.testing.assert_array_equal(shown() == mine, ~most)
    # What an earlier transfer gave stays outside, too.
    transfer(texture=True, region="ALL")
    first = shown()[0]
    transfer(texture=True, edge=0.0)
    assert set(shown()[~most]) == {first}
    assert first not in shown()[most]


def test_faces_without_any_material_have_none_outside(pair):
    source, target = pair
    source.data.materials.append(bpy.data.materials.new("Paint"))
    transfer(materials=True, edge=0.0)
    slots = np.array([polygon.material_index for polygon in target.data.polygons])
    faces = np.array([polygon.vertices[:] for polygon in target.data.polygons])
    most = on_right(target)[faces].mean(axis=1) >= 0.5
    named = np.array([material.name if material else "" for material in target.data.materials])
    assert (named[slots] == np.where(most, "Paint", "")).all()


def test_a_uv_map_inside_and_the_own_one_outside(pair):
    source, target = pair
    unwrap(source, "Theirs")
    own = unwrap(target, "Mine")
    transfer(uv=True, edge=0.0)
    found = np.empty(2 * len(target.data.loops), np.float32)
    target.data.uv_layers["Theirs"].uv.foreach_get("vector", found)
    away = np.abs(found.reshape(-1, 2) - own).max(axis=1)
    corner = np.array([loop.vertex_index for loop in target.data.loops])
    outside = (~on_right(target))[corner].reshape(-1, 3).all(axis=1).repeat(3)
    np.testing.assert_allclose(away[outside], 0.0, atol=1e-6)


def test_parts_inside_and_the_own_ones_outside(pair):
    source, target = pair
    write_labels(source, result_for(source, classes=("head", "tail")), Outputs())
    with pytest.raises(RuntimeError, match="Segment it first"):
        transfer(labels=True)
    mine = result_for(target, seed=1, classes=("tail", "wing"))
    write_labels(target, mine, Outputs())
    before = [mine.class_names[n] for n in mine.vertex_labels]
    transfer(labels=True, edge=0.0)
    names = [part.name for part in target.data.diffusionnet.parts]
    assert set(names) == {"head", "tail", "wing"}
    labels = values_of(target, target.data.diffusionnet.vertex_attribute)
    found = [names[int(n)] for n in labels]
    outside = np.flatnonzero(~on_right(target))
    assert [found[n] for n in outside] == [before[n] for n in outside]
    assert not {found[n] for n in np.flatnonzero(on_right(target))} & {"wing"}


def test_a_part_and_the_selection_are_regions(pair):
    _, target = pair
    result = result_for(target, classes=("head", "tail"))
    write_labels(target, result, Outputs())
    transfer(weights=True, region="PART", region_name="tail", edge=0.0, mix=1.0)
    changed = weights_of(target)[:, 1] > 0
    assert not changed[result.vertex_labels == 0].any()
    assert changed.any()
    target.data.vertices.foreach_set("select", on_right(target))
    transfer(weights=True, region="SELECTION", edge=0.0)
    assert (weights_of(target)[on_right(target), 1] > 0).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"region_name": "nobody"}, "no vertex group 'nobody'.*right"),
        ({"region_name": "empty"}, "nothing in the region"),
        ({"region": "SELECTION"}, "nothing in the region"),
        ({"region": "PART", "region_name": "head"}, "no part 'head'"),
    ],
)
def test_a_region_with_nothing_in_it_is_an_error_and_nothing_is_written(pair, options, message):
    _, target = pair
    target.vertex_groups.new(name="empty")
    target.data.vertices.foreach_set("select", np.zeros(len(target.data.vertices), bool))
    before = weights_of(target)
    with pytest.raises(RuntimeError, match=message):
        transfer(weights=True, **options)
    np.testing.assert_array_equal(weights_of(target), before)


def test_members_outside_the_region_are_left_as_they_are(blender):
    _, target = add_pair()
    target[1].vertex_groups.new(name="here").add([0, 1, 2, 3, 4, 5], 1.0, "REPLACE")
    done = bpy.ops.diffusionnet.transfer(weights=True, region="GROUP", region_name="here", edge=0.0)
    assert done == {"FINISHED"}
    assert [len(obj.vertex_groups) > 0 for obj in target] == [False, True, False]
    shirt = target[1]
    found = np.stack([group_weights(shirt, n) for n in ("lower", "upper")]).sum(axis=0)
    assert (found[6:] == 0).all()
    assert (found[:6] > 0).all()
    with pytest.raises(RuntimeError, match="no vertex group 'there'"):
        bpy.ops.diffusionnet.transfer(weights=True, region="GROUP", region_name="there")
