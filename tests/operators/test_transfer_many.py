"""One source, all selected targets: each gets its data, and one that fails costs itself alone."""

import bpy
import numpy as np
import pytest

from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.scene.matches import find_match, forget_all_matches
from diffusionnet_blender.session.transferred import forget_transfer, last_transfer
from tests.matching.pairs import lumpy_surface
from tests.operators.characters import add_pair
from tests.operators.test_transfer import directions, keep_true_match, make_pair, two_bones
from tests.operators.test_transfer_characters import paint, pixels_of
from tests.scenes import add_mesh, add_rig, chain, group_weights, select

pytestmark = pytest.mark.usefixtures("blender")


@pytest.fixture
def scene(blender):
    """A source with weights of two bones, and three others with their true maps."""
    forget_transfer()
    source, first = make_pair()
    two_bones(source)
    add_rig(source, chain("low", "high"))
    targets = [first, *(add_target(f"Target {n}", n) for n in (2, 3))]
    for number, target in enumerate(targets):
        target.location.x = 4.0 * (number + 1)
        keep_map(source, target)
    bpy.context.view_layer.update()
    select(source, *targets)
    return source, targets


def add_target(name, seed):
    surface, there = lumpy_surface(2, seed=seed)
    made = add_mesh(name, surface.vertices, surface.faces)
    made["directions"] = there.ravel()
    return made


def keep_map(source, target, **details):
    faces = np.array([polygon.vertices[:] for polygon in source.data.polygons])
    points, _ = ClosestPoints(directions(source), faces)(directions(target))
    keep_true_match(source, target, points, **details)


def move(**options):
    options = {"weights": True} | options
    return bpy.ops.diffusionnet.transfer_to_selected(**options)


def has_weights(target):
    height = directions(target)[:, 2]
    found = group_weights(target, "high")
    return np.corrcoef(height, found)[0, 1] > 0.8


def test_all_selected_characters_get_the_data_in_one_step(scene):
    source, targets = scene
    assert move() == {"FINISHED"}
    assert all(map(has_weights, targets))
    found = last_transfer()
    assert found.source.name == "Source"
    assert [outcome.target.name for outcome in found.outcomes] == [t.name for t in targets]
    assert all(outcome.moved == {"weights"} for outcome in found.outcomes)
    assert all(outcome.confident == 1.0 for outcome in found.outcomes)
    assert not source.data.diffusionnet.owned


def test_named_objects_stand_for_the_selected_ones(scene):
    _, targets = scene
    assert move(source="Source", objects=[{"name": targets[1].name}]) == {"FINISHED"}
    assert [bool(t.vertex_groups) for t in targets] == [False, True, False]


def test_one_that_fails_does_not_stop_the_others(scene, told):
    source, targets = scene
    targets[1].data.shape_keys or targets[1].shape_key_add(name="Basis")
    targets[1].data.shape_keys.use_relative = False
    source.shape_key_add(name="Basis")
    source.shape_key_add(name="Wide").data[0].co.x += 0.2
    for target in targets:
        keep_map(source, target)
    assert move(shape_keys=True) == {"FINISHED"}
    assert "2 characters, 1 failed" in told()
    assert [bool(t.vertex_groups) for t in targets] == [True, False, True]
    outcomes = last_transfer().outcomes
    assert [outcome.error is None for outcome in outcomes] == [True, False, True]
    assert "absolute" in str(outcomes[1].error)
    assert "Wide" in targets[2].data.shape_keys.key_blocks


def test_where_all_fail_nothing_is_written_and_the_first_error_is_told(scene):
    _, targets = scene
    before = [len(t.vertex_groups) for t in targets]
    with pytest.raises(RuntimeError, match="no color attribute"):
        move(colors=True)
    assert [len(t.vertex_groups) for t in targets] == before


def test_no_other_character_is_selected(scene):
    select(scene[0])
    with pytest.raises(RuntimeError, match="Select those that receive"):
        move()


def test_a_mesh_that_the_source_shares_is_no_target_and_another_is(scene):
    source, targets = scene
    twin = bpy.data.objects.new("Twin", source.data)
    bpy.context.collection.objects.link(twin)
    select(source, twin, targets[0])
    assert move() == {"FINISHED"}
    assert has_weights(targets[0])
    outcomes = {o.target.name: o for o in last_transfer().outcomes}
    assert outcomes[targets[0].name].error is None
    assert "Twin" not in outcomes or outcomes["Twin"].error is not None


def test_what_is_not_matched_is_matched_before(scene):
    source, targets = scene
    forget_all_matches()
    select(source, targets[2])
    assert move(model="NONE", accept_uncertain=True) == {"FINISHED"}
    assert find_match(source, targets[2]) is not None
    assert targets[2].vertex_groups


def test_the_report_has_what_has_no_counterpart(scene):
    source, targets = scene
    alone = directions(targets[0])[:, 2] > 0.5
    keep_map(source, targets[0], unmatched=alone)
    assert move() == {"FINISHED"}
    shares = [outcome.unmatched for outcome in last_transfer().outcomes]
    assert shares[0] == pytest.approx(alone.mean())
    assert shares[1:] == [0.0, 0.0]


def test_again_repeats_the_last_transfer_with_what_is_chosen_now(scene):
    source, targets = scene
    panel = bpy.context.scene.diffusionnet.transfer
    with pytest.raises(RuntimeError, match="Nothing was transferred"):
        bpy.ops.diffusionnet.transfer_again()
    move(source="Source", objects=[{"name": targets[0].name}, {"name": targets[2].name}])
    panel.limit = 1
    select(targets[1])
    assert bpy.ops.diffusionnet.transfer_again() == {"FINISHED"}
    for target in (targets[0], targets[2]):
        found = np.stack([group_weights(target, name) for name in ("low", "high")])
        assert ((found > 0).sum(axis=0) <= 1).all()
    assert not targets[1].vertex_groups


def test_again_after_a_transfer_to_one(scene):
    _, targets = scene
    bpy.ops.diffusionnet.transfer(weights=True)
    targets[0].vertex_groups.clear()
    assert bpy.ops.diffusionnet.transfer_again(weights=True) == {"FINISHED"}
    assert has_weights(targets[0])
    assert not targets[1].vertex_groups


def test_all_of_it_is_one_undo_step(scene):
    _, targets = scene
    names = [target.name for target in targets]
    bpy.ops.ed.undo_push(message="Before")
    bpy.ops.diffusionnet.transfer_to_selected("EXEC_DEFAULT", True, weights=True)
    assert all(bpy.data.objects[name].vertex_groups for name in names)
    bpy.ops.ed.undo()
    assert not any(bpy.data.objects[name].vertex_groups for name in names)


def test_characters_of_several_objects_get_their_textures(blender):
    source, target = add_pair()
    paint(source)
    select(source[0], target[0])
    assert move(source=source[0].name, texture=True, texture_size=16) == {"FINISHED"}
    (outcome,) = last_transfer().outcomes
    assert outcome.error is None
    assert outcome.moved == {"texture", "weights"}
    assert all(pixels_of(obj)[:, :3].max() > 0.5 for obj in target)
