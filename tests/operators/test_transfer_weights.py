"""Skin weights on a target: the limit, the sum, what is kept, and what has no weight."""

import bpy
import numpy as np
import pytest

from diffusionnet_blender.matching.points import points_at_vertices
from tests.operators.test_transfer import directions, keep_true_match, make_pair
from tests.scenes import add_rig, chain, group_weights, select

pytestmark = pytest.mark.usefixtures("blender")
BONES = tuple(f"bone {number}" for number in range(8))


@pytest.fixture
def pair(blender):
    """Two meshes of one body in the same triangles, so that weights are copied as they are."""
    source, target = make_pair()
    target.data = source.data.copy()
    target["directions"] = directions(source).ravel()
    count, faces = len(source.data.vertices), corners(source)
    keep_true_match(source, target, points_at_vertices(np.arange(count), faces))
    return source, target


def corners(obj):
    return np.array([polygon.vertices[:] for polygon in obj.data.polygons])


def give_weights(obj, names, weights):
    """Groups with weights, (V, B); 0: not a member."""
    for name, column in zip(names, np.asarray(weights).T, strict=True):
        group = obj.vertex_groups.get(name) or obj.vertex_groups.new(name=name)
        for vertex in np.flatnonzero(column).tolist():
            group.add([vertex], float(column[vertex]), "REPLACE")


def blended(obj, bones=8, steps=0):
    """Weights that fall off from points; rounded, many of them are equal."""
    at = directions(obj)
    middle = np.random.default_rng(1).uniform(-1, 1, (bones, 3))
    weights = np.exp(-2 * np.square(at[:, None] - middle).sum(axis=2))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.round(weights * steps) / steps if steps else weights


def read_weights(obj, names):
    return np.stack([group_weights(obj, name) for name in names], axis=1)


def transfer(**options):
    options = {"weights": True, **options}
    return bpy.ops.diffusionnet.transfer(source="Source", target="Target", **options)


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7, 8, 0])
@pytest.mark.parametrize("steps", [0, 4, 20, 255, -1])
def test_no_vertex_has_more_bones_than_the_limit(pair, limit, steps):
    source, target = pair
    # All of them equal, where steps is below 0.
    count = len(source.data.vertices)
    weights = blended(source, steps=steps) if steps >= 0 else np.full((count, 8), 1 / 8)
    give_weights(source, BONES, weights)
    add_rig(source, chain(*BONES))
    runs = []
    for _ in range(2):
        transfer(limit=limit)
        runs.append(read_weights(target, BONES))
    found = runs[0]
    np.testing.assert_array_equal(found, runs[1])
    members = np.count_nonzero(found, axis=1)
    assert members.max() <= (limit or 8)
    some = weights.sum(axis=1) > 0
    np.testing.assert_allclose(found[some].sum(axis=1), np.minimum(weights.sum(axis=1), 1)[some],
                               atol=1e-5)  # fmt: skip
    # The largest are those that stay.
    kept = np.where(found > 0, weights, 0).sum(axis=1)
    largest = np.sort(weights, axis=1)[:, ::-1][:, : limit or 8].sum(axis=1)
    np.testing.assert_allclose(kept, largest, atol=2e-3)


@pytest.mark.parametrize("way", ["locked", "other bones", "both"])
@pytest.mark.parametrize("share", [0.25, 0.9999999, 1.0])
def test_kept_weights_count_for_the_sum_and_for_the_limit(pair, way, share, told):
    source, target = pair
    names = BONES[:5]
    give_weights(source, names, blended(source, 5))
    add_rig(source, chain(*names))
    count = len(target.data.vertices)
    own = {"locked": ["bone 0"], "other bones": ["tail", "wing"], "both": ["bone 0", "tail"]}[way]
    give_weights(target, own, np.full((count, len(own)), share / len(own)))
    if "bone 0" in own:
        target.vertex_groups["bone 0"].lock_weight = True
    select(target)
    add_rig(target, chain(*names, *own))
    # No bone of its armature, and one that deforms nothing.
    give_weights(target, ["mask", "control"], np.ones((count, 2)))
    bones = target.modifiers[0].object.data.bones
    assert "control" not in bones
    transfer(limit=3)
    kept = read_weights(target, own)
    np.testing.assert_allclose(kept, share / len(own), atol=1e-6)
    moved = read_weights(target, [name for name in names if name not in own])
    np.testing.assert_allclose(kept.sum(axis=1) + moved.sum(axis=1), 1, atol=1e-5)
    assert (np.count_nonzero(kept, axis=1) + np.count_nonzero(moved, axis=1)).max() <= 3
    np.testing.assert_array_equal(read_weights(target, ["mask", "control"]), 1)
    text = told()
    if way != "other bones":
        assert "locked and kept: bone 0" in text
        assert f"{len(names) - 1} vertex groups (" in text
    if way != "locked":
        assert f"kept and counted into the sum: {', '.join(n for n in own if n[0] != 'b')}" in text
    assert ("already add up to 1" in text) == (share > 0.9)


def test_masks_share_no_sum_with_bones(pair, told):
    source, target = pair
    count = len(source.data.vertices)
    give_weights(source, ("low", "mask", "empty"), np.tile([1.0, 0.7, 0.0], (count, 1)))
    add_rig(source, chain("low"))
    give_weights(target, ("own",), np.ones((count, 1)))
    select(target)
    add_rig(target, chain("own", "low"))
    transfer(group_names="mask")
    np.testing.assert_allclose(group_weights(target, "mask"), 0.7)
    assert "kept" not in told()
    transfer(group_names="empty")
    assert not group_weights(target, "empty").any()
    assert "without weights" not in told()


def test_with_its_armature_the_bones_of_the_copy_count(pair, told):
    source, target = pair
    count = len(source.data.vertices)
    give_weights(source, ("low", "high"), np.full((count, 2), 0.5))
    add_rig(source, chain("low", "high"))
    give_weights(target, ("high", "old"), np.full((count, 2), 0.25))
    transfer(armature=True, group_names="low")
    np.testing.assert_allclose(group_weights(target, "low"), 0.5)
    assert "kept and counted into the sum: high" in told()
    np.testing.assert_allclose(group_weights(target, "old"), 0.25)


@pytest.mark.parametrize("armature", [True, False])
def test_vertices_of_the_source_without_weights_are_filled_in(pair, armature, told):
    source, target = pair
    at = directions(source)
    high = (at[:, 2] + 1) / 2
    weights = np.stack([1 - high, high], axis=1)
    bare = np.abs(at[:, 0]) < 0.25
    give_weights(source, ("low", "high"), np.where(bare[:, None], 0, weights))
    mask = (at[:, 1] > 0).astype(float)
    if armature:
        give_weights(source, ("mask",), mask[:, None])
        add_rig(source, chain("low", "high"))
    transfer()
    found = read_weights(target, ("low", "high"))
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    assert np.abs(found - weights)[bare].max() < 0.1
    np.testing.assert_allclose(found[~bare], weights[~bare], atol=1e-5)
    if armature:
        np.testing.assert_array_equal(group_weights(target, "mask"), mask)
    assert f"{bare.mean():.0%} of the vertices filled in" in told()


def test_a_vertex_with_weights_of_other_bones_alone_is_not_without_weights(pair):
    source, target = pair
    upper = directions(source)[:, 2] > 0
    give_weights(source, ("low", "high"), np.stack([~upper, upper], axis=1).astype(float))
    add_rig(source, chain("low", "high"))
    transfer(group_names="high")
    np.testing.assert_array_equal(group_weights(target, "high"), upper)
    assert target.vertex_groups.keys() == ["high"]


def test_a_part_of_the_weights_is_filled_in_as_that_part(pair):
    """Where the match is not sure, half of a vertex's weight stays half of it."""
    source, target = pair
    count = len(source.data.vertices)
    give_weights(source, ("low", "high"), np.full((count, 2), 0.5))
    add_rig(source, chain("low", "high"))
    doubtful = directions(target)[:, 0] > 0.3
    points = points_at_vertices(np.arange(count), corners(source))
    keep_true_match(source, target, points, np.where(doubtful, 0.0, 1.0))
    transfer(group_names="high")
    np.testing.assert_allclose(group_weights(target, "high"), 0.5, atol=1e-3)


def test_a_source_without_any_skin_weight_is_refused(pair):
    source, target = pair
    source.vertex_groups.new(name="low")
    add_rig(source, chain("low"))
    with pytest.raises(RuntimeError, match="No vertex of the source has a skin weight"):
        transfer()
    assert not target.vertex_groups


@pytest.mark.parametrize(
    ("also", "masks"),
    [("", False), ("", True), ("attributes", False), ("attributes", True), ("armature", False)],
)
def test_all_groups_locked_is_told_as_none(pair, also, masks, told):
    source, target = pair
    at = directions(source)
    give_weights(source, ("low", "high"), np.stack([at[:, 2] > 0, at[:, 2] <= 0], axis=1))
    if not masks:
        add_rig(source, chain("low", "high"))
    else:
        give_weights(source, ("low",), np.ones((len(at), 1)))
    source.data.attributes.new("number", "FLOAT", "POINT")
    give_weights(target, ("low", "high"), np.full((len(at), 2), 0.5))
    for group in target.vertex_groups:
        group.lock_weight = True
    result = transfer(**({also: True} if also else {}))
    text = told()
    np.testing.assert_array_equal(read_weights(target, ("low", "high")), 0.5)
    if also:
        assert result == {"FINISHED"}
        assert "no vertex group (locked and kept: low, high)" in text
        assert "filled in" not in text
    else:
        assert result == {"CANCELLED"}
        assert text.startswith("Warning: All vertex groups of 'Target'")
        assert "locked" in text


def test_groups_by_patterns_and_one_that_is_of_nothing(pair):
    source, target = pair
    for name in ("arm.L", "arm.R", "leg.L"):
        source.vertex_groups.new(name=name).add([0, 1], 1.0, "REPLACE")
    transfer(group_names="*.L, arm*")
    assert set(target.vertex_groups.keys()) == {"arm.L", "arm.R", "leg.L"}
    target.vertex_groups.clear()
    with pytest.raises(RuntimeError, match=r"no vertex group 'hand\*'.*It has .*arm.L"):
        transfer(group_names="arm*, hand*")
    assert not target.vertex_groups
