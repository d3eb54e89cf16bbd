"""Shape keys are moved by their effects, with drivers, and the target's own stay as they are."""

import re

import bpy
import numpy as np
import pytest

from tests.operators.test_transfer import directions, make_pair, two_bones
from tests.scenes import add_rig, chain, select

pytestmark = pytest.mark.usefixtures("blender")


@pytest.fixture
def pair(blender):
    return make_pair()


def places(key):
    found = np.empty(3 * len(key.data), np.float32)
    key.data.foreach_get("co", found)
    return found.reshape(-1, 3)


def effect(key):
    return places(key) - places(key.relative_key)


def lifted(by):
    """Upper part lifted."""
    return lambda at: at + np.array([0, 0, by]) * np.clip(at[:, 2:], 0, 1)


def widened(by):
    return lambda at: at * [1 + by, 1, 1]


def add_key(obj, name, change, relative=None):
    """A key that changes its relative key, the reference by default."""
    if obj.data.shape_keys is None:
        obj.shape_key_add(name="Basis", from_mix=False)
    keys = obj.data.shape_keys.key_blocks
    start = keys[relative] if relative else obj.data.shape_keys.reference_key
    key = obj.shape_key_add(name=name, from_mix=False)
    key.data.foreach_set("co", change(places(start)).astype(np.float32).ravel())
    key.relative_key = start
    return key


def transfer(**options):
    options = {"shape_keys": True, **options}
    assert bpy.ops.diffusionnet.transfer(source="Source", target="Target", **options) == {
        "FINISHED"
    }
    bpy.context.view_layer.update()


def lifting_of(obj, by):
    return np.array([0, 0, by]) * np.clip(places_of(obj)[:, 2:], 0, 1)


def places_of(obj):
    found = np.empty(3 * len(obj.data.vertices), np.float32)
    obj.data.vertices.foreach_get("co", found)
    return found.reshape(-1, 3)


def assert_lifts(key, obj, by):
    """A key moves the upper part; as a whole it is free to shift a little."""
    away = effect(key) - lifting_of(obj, by)
    assert np.abs(away - away.mean(axis=0)).max() < 0.05
    assert np.abs(away).mean() < 0.03


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("chosen", ["", "Up", "Wide, Up", "Deep, Up"])
def test_a_key_has_its_own_effect_whatever_it_is_relative_to(pair, chosen, small, overwrite):
    """Up is relative to Deep, which is relative to Wide."""
    source, target = pair
    add_key(source, "Wide", widened(0.5))
    add_key(source, "Deep", lambda at: at * [1, 1.4, 1], "Wide")
    key = add_key(source, "Up", lifted(0.3), "Deep")
    wanted = effect(key)
    # The target has keys of these names that are something else, relative to one another.
    add_key(target, "Deep", lifted(-0.4))
    add_key(target, "Own", widened(-0.3), "Deep")
    own = effect(target.data.shape_keys.key_blocks["Own"])
    transfer(key_names=chosen, small_keys=small, overwrite=overwrite)
    moved = target.data.shape_keys.key_blocks["Up"]
    directions_of_lift = effect(moved).mean(axis=0)
    assert abs(directions_of_lift[2] - wanted.mean(axis=0)[2]) < 0.03
    assert_lifts(moved, target, 0.3)
    # A key of the target's own keeps its effect, too.
    own_now = effect(target.data.shape_keys.key_blocks["Own"])
    np.testing.assert_allclose(own_now, own, atol=1e-6)
    deep = "Deep" if overwrite else "DN Deep"
    assert (moved.relative_key.name == deep) == ("Deep" in chosen or not chosen)


def test_keys_that_follow_one_that_is_moved_again_stay_ours(pair):
    source, target = pair
    add_key(source, "Wide", widened(0.5))
    add_key(source, "Up", lifted(0.3), "Wide")
    transfer()
    transfer(key_names="Wide")
    transfer()
    assert target.data.shape_keys.key_blocks.keys() == ["Basis", "Wide", "Up"]


def test_keys_that_are_relative_to_each_other_are_moved_by_their_effects(pair):
    source, target = pair
    up = add_key(source, "Up", lifted(0.3))
    wide = add_key(source, "Wide", widened(0.2))
    lone = add_key(source, "Lone", lifted(0.1))
    up.relative_key, wide.relative_key, lone.relative_key = wide, up, lone
    assert up.relative_key == wide
    transfer()
    keys = target.data.shape_keys.key_blocks
    assert np.abs(effect(keys["Lone"])).max() < 1e-6
    there = effect(up)
    away = effect(keys["Up"]).mean(axis=0) - there.mean(axis=0)
    assert np.linalg.norm(away) < 0.05
    total = effect(keys["Up"]) + effect(keys["Wide"])
    assert np.abs(total).mean() < 0.03


@pytest.mark.parametrize("reference", ["Basis", "Neutral"])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_the_reference_key_of_the_target_never_moves(pair, reference, value):
    source, target = pair
    add_key(source, "Neutral", lifted(0.3)).value = value
    add_key(source, "DN Neutral", lifted(0.1))
    target.shape_key_add(name=reference, from_mix=False)
    add_key(target, "Smile", widened(0.1))
    # The reference is not the mesh, where a key was edited.
    moved = places(target.data.shape_keys.reference_key) + np.float32(0.01)
    target.data.shape_keys.reference_key.data.foreach_set("co", moved.ravel())
    mesh, smile = places_of(target), places(target.data.shape_keys.key_blocks["Smile"])
    for _ in range(2):
        transfer()
        keys = target.data.shape_keys
        assert keys.reference_key.name == reference
        np.testing.assert_array_equal(places(keys.reference_key), moved)
        np.testing.assert_array_equal(places_of(target), mesh)
        np.testing.assert_array_equal(places(keys.key_blocks["Smile"]), smile)
    is_taken = reference == "Neutral"
    renamed, other = ("DN Neutral", "DN DN Neutral") if is_taken else ("Neutral", "DN Neutral")
    names = {reference, "Smile", renamed, other}
    assert set(keys.key_blocks.keys()) == names
    assert_lifts(keys.key_blocks[renamed], target, 0.3)
    assert keys.key_blocks[renamed].value == value
    assert_lifts(keys.key_blocks[other], target, 0.1)


def test_another_name_is_told(pair, told):
    source, target = pair
    add_key(source, "Neutral", lifted(0.3))
    target.shape_key_add(name="Neutral", from_mix=False)
    transfer()
    assert "'Neutral' as 'DN Neutral'" in told()


@pytest.mark.skipif(
    "lock_shape" not in bpy.types.ShapeKey.bl_rna.properties, reason="this Blender has no locks"
)
@pytest.mark.parametrize("also", [False, True])
def test_locked_keys_stay_with_all_that_their_effect_depends_on(pair, told, also):
    source, target = pair
    for name in ("Smile", "Frown", "Brow") if also else ("Smile", "Frown"):
        add_key(source, name, lifted(0.3)).value = 0.5
    add_key(target, "Smile", widened(0.2)).value = 0.25
    frown = add_key(target, "Frown", widened(0.1), "Smile")
    frown.lock_shape, frown.value = True, 0.25
    before = {key.name: places(key) for key in target.data.shape_keys.key_blocks}
    result = bpy.ops.diffusionnet.transfer(source="Source", target="Target", shape_keys=True)
    keys = target.data.shape_keys.key_blocks
    for name, at in before.items():
        np.testing.assert_array_equal(places(keys[name]), at)
    assert keys["Frown"].value == keys["Smile"].value == 0.25
    text = told()
    if also:
        assert "1 shape key (locked and kept: Smile, Frown)" in text
        assert_lifts(keys["Brow"], target, 0.3)
    else:
        assert text.startswith("Warning: ")
        assert "All shape keys of 'Target' that would be replaced are locked" in text
        assert result == {"CANCELLED"}


def drive(key, setting, variables, expression):
    curve = key.driver_add(setting)
    curve.driver.expression = expression
    for name, kind, data, path in variables:
        variable = curve.driver.variables.new()
        variable.name, variable.type = name, kind
        end = variable.targets[0]
        if kind == "SINGLE_PROP":
            end.id_type = "KEY" if isinstance(data, bpy.types.Key) else "OBJECT"
            end.id, end.data_path = data, path
        else:
            end.id = data
            end.bone_target = path
    return curve


def drivers(obj):
    animation = obj.data.shape_keys.animation_data
    return {d.data_path: d for d in animation.drivers} if animation else {}


def ends(curve):
    return [(v.targets[0].id, v.targets[0].data_path, v.targets[0].bone_target)
            for v in curve.driver.variables]  # fmt: skip


@pytest.mark.parametrize("setting", ["value", "mute", "slider_min", "slider_max"])
def test_drivers_are_moved(pair, setting):
    source, target = pair
    key = add_key(source, 'Up "1"', lifted(0.3))
    drive(key, setting, [("x", "SINGLE_PROP", source, "location.x")], "x + 0.25")
    source.location.x, target.location.x = 0.25, 0.5
    bpy.context.view_layer.update()
    transfer()
    (curve,) = drivers(target).values()
    made = target.data.shape_keys.key_blocks['Up "1"']
    assert curve.data_path == made.path_from_id(setting)
    assert ends(curve) == [(target, "location.x", "")]
    assert ends(next(iter(drivers(source).values()))) == [(source, "location.x", "")]
    if setting != "mute":
        assert getattr(made, setting) == pytest.approx(0.75)
    target.location.x = 0.0
    bpy.context.view_layer.update()
    if setting == "value":
        assert made.value == pytest.approx(0.25)
    # Once more: still one driver.
    transfer()
    assert len(drivers(target)) == 1


def test_drivers_follow_the_target_s_own_data_where_it_has_it(pair, told):
    source, target = pair
    source["smile"], target["smile"], source["frown"] = 0.3, 0.6, 0.2
    panel = bpy.data.objects.new("Panel", None)
    bpy.context.collection.objects.link(panel)
    target.shape_key_add(name="Neutral", from_mix=False)
    first = add_key(source, "Neutral", lifted(0.1))
    first.value = 0.5
    key = add_key(source, "Up", lifted(0.3))
    keys = source.data.shape_keys
    drive(
        key, "value",
        [("a", "SINGLE_PROP", source, '["smile"]'),
         ("b", "SINGLE_PROP", source, '["frown"]'),
         ("c", "SINGLE_PROP", panel, "location.y"),
         ("d", "SINGLE_PROP", keys, 'key_blocks["Neutral"].value'),
         ("e", "TRANSFORMS", source, "")],
        "a + b + c + d",
    )  # fmt: skip
    transfer()
    (curve,) = drivers(target).values()
    assert ends(curve) == [
        (target, '["smile"]', ""), (source, '["frown"]', ""), (panel, "location.y", ""),
        (target.data.shape_keys, 'key_blocks["DN Neutral"].value', ""), (target, "", ""),
    ]  # fmt: skip
    assert "1 driver, by Panel, Source, Target" in told()


@pytest.mark.parametrize("bound", ["copy", "own", "same", "none"])
def test_drivers_by_bones_follow_the_armature_of_the_target(pair, bound):
    source, target = pair
    two_bones(source)
    add_rig(source, chain("low", "high"))
    rig = source.modifiers[0].object
    rig.pose.bones["high"]["open"] = 0.2
    key = add_key(source, "Up", lifted(0.3))
    drive(
        key, "value",
        [("a", "TRANSFORMS", rig, "high"),
         ("b", "SINGLE_PROP", rig, 'pose.bones["high"]["open"]'),
         ("c", "TRANSFORMS", rig, "low")],
        "a + b + c",
    )  # fmt: skip
    wanted = rig
    if bound == "own":
        select(target)
        add_rig(target, chain("high"))
        wanted = target.modifiers[0].object
        wanted.pose.bones["high"]["open"] = 0.7
    elif bound == "same":
        target.modifiers.new("Armature", "ARMATURE").object = rig
    transfer(weights=True, armature=bound == "copy")
    if bound == "copy":
        wanted = target.modifiers[0].object
        assert wanted != rig
    (curve,) = drivers(target).values()
    found = [end[0] for end in ends(curve)]
    # Its own armature has no bone "low".
    assert found == [wanted, wanted, rig if bound == "own" else wanted]


def test_animation_is_told_and_the_driver_of_the_target_s_own_key_stays(pair, told):
    source, target = pair
    key = add_key(source, "Up", lifted(0.3))
    key.value = 0.5
    key.keyframe_insert("value", frame=1)
    own = add_key(target, "Own", widened(0.1))
    drive(own, "value", [("a", "SINGLE_PROP", target, "location.x")], "a")
    transfer()
    assert re.search("their animation '.*' is not moved", told())
    assert list(drivers(target)) == [own.path_from_id("value")]
    assert target.data.shape_keys.key_blocks["Up"].value == 0.5


@pytest.mark.parametrize("first", [0.0, 15.0])
def test_absolute_keys_stay_absolute(pair, first):
    source, target = pair
    source.shape_key_add(name="Rest", from_mix=False)
    keys = source.data.shape_keys
    keys.use_relative = False
    if first:
        keys.eval_time = first
        source.shape_key_add(name="Start", from_mix=False)
        source.shape_key_remove(keys.key_blocks["Rest"])
    for name, frame, change in (("Up", 40.0, lifted(0.3)), ("Wide", 25.0, widened(0.3))):
        keys.eval_time = frame
        key = source.shape_key_add(name=name, from_mix=False)
        key.data.foreach_set("co", change(places_of(source)).astype(np.float32).ravel())
    keys.key_blocks["Wide"].interpolation = "KEY_CARDINAL"
    keys.eval_time = 33.0
    for _ in range(2):
        transfer()
        made = target.data.shape_keys
        assert not made.use_relative
        assert made.eval_time == 33.0
        assert [(k.name, pytest.approx(k.frame), k.interpolation) for k in made.key_blocks] == [
            (k.name, k.frame, k.interpolation) for k in keys.key_blocks
        ]
        np.testing.assert_array_equal(places(made.reference_key), places_of(target))
    up = made.key_blocks["Up"]
    away = places(up) - places_of(target) - lifting_of(target, 0.3)
    assert np.abs(away).mean() < 0.03


def test_absolute_keys_go_among_relative_ones_as_such_and_it_is_told(pair, told):
    source, target = pair
    add_key(source, "Up", lifted(0.3))
    source.data.shape_keys.use_relative = False
    add_key(target, "Own", widened(0.1))
    transfer()
    assert "absolute on the source, relative here" in told()
    assert target.data.shape_keys.use_relative
    assert_lifts(target.data.shape_keys.key_blocks["Up"], target, 0.3)


def test_no_key_comes_between_absolute_ones_of_the_target(pair):
    source, target = pair
    add_key(source, "Up", lifted(0.3))
    add_key(target, "Own", widened(0.1))
    target.data.shape_keys.use_relative = False
    before = {key.name: places(key) for key in target.data.shape_keys.key_blocks}
    with pytest.raises(RuntimeError, match="'Target' are absolute, and 'Up' would come between"):
        bpy.ops.diffusionnet.transfer(source="Source", target="Target", shape_keys=True)
    assert target.data.shape_keys.key_blocks.keys() == list(before)


def test_ranges_masks_and_what_is_shown_are_kept(pair, told):
    source, target = pair
    two_bones(source)
    key = add_key(source, "Up", lifted(0.3))
    key.slider_min, key.slider_max, key.value, key.mute = -2.0, -1.0, -1.5, True
    key.vertex_group = "low"
    other = add_key(source, "Side", widened(0.3))
    other.vertex_group = "high"
    add_key(target, "Own", widened(0.1))
    target.active_shape_key_index, target.show_only_shape_key = 1, True
    target.use_shape_key_edit_mode = True
    transfer(weights=True, group_names="low")
    made = target.data.shape_keys.key_blocks["Up"]
    assert (made.slider_min, made.slider_max, made.value, made.mute) == (-2.0, -1.0, -1.5, True)
    assert made.vertex_group == "low"
    assert target.data.shape_keys.key_blocks["Side"].vertex_group == ""
    assert "on all vertices, without vertex group high" in told()
    assert target.active_shape_key_index == 1
    assert target.show_only_shape_key
    assert target.use_shape_key_edit_mode


def test_the_reference_gets_a_name_that_no_key_has(pair):
    """A source without a key called Basis may have one of the reference's name after a rename."""
    source, target = pair
    add_key(source, "Up", lifted(0.3))
    transfer()
    keys = target.data.shape_keys
    assert (keys.reference_key.name, keys.key_blocks.keys()) == ("Basis", ["Basis", "Up"])
    assert directions(target).shape == places(keys.reference_key).shape
