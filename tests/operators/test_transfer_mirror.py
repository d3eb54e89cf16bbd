"""The other side of groups and keys that a source has for one side alone."""

import bpy
import numpy as np
import pytest

from diffusionnet_blender.matching.closest import ClosestPoints
from tests.operators.test_transfer import directions, keep_true_match
from tests.operators.test_transfer_keys import add_key, drivers, effect
from tests.scenes import add_mesh, add_rig, chain, group_weights
from tests.shapes import icosphere

pytestmark = pytest.mark.usefixtures("blender")


@pytest.fixture
def pair(blender):
    """Two egg-shaped bodies, symmetric about X; the source turned away from the world's axes."""
    found = []
    for name, fineness, scale in (("Source", 3, (1.0, 0.6, 1.7)), ("Target", 2, (1.1, 0.7, 1.5))):
        vertices, faces = icosphere(fineness)
        obj = add_mesh(name, vertices * scale, faces)
        obj["directions"] = vertices.ravel()
        found.append(obj)
    source, target = found
    source.rotation_euler, source.location = (0.0, 0.0, 0.7), (5.0, 1.0, 0.0)
    bpy.context.view_layer.update()
    keep_map(source, target)
    panel = bpy.context.scene.diffusionnet.transfer
    panel.source, panel.target = source, target
    return source, target


def keep_map(source, target):
    faces = np.array([polygon.vertices[:] for polygon in source.data.polygons])
    keep_true_match(source, target, ClosestPoints(directions(source), faces)(directions(target))[0])


def transfer(**options):
    assert bpy.ops.diffusionnet.transfer(mirror=True, **options) == {"FINISHED"}


def mirrored(target, values):
    """Values at the vertices of a target, seen in the mirror."""
    at = directions(target)
    image = at * [-1, 1, 1]
    nearest = np.linalg.norm(image[:, None] - at[None], axis=2).argmin(axis=1)
    assert np.linalg.norm(at[nearest] - image, axis=1).max() < 1e-6
    return values[nearest]


def give_group(obj, name, weights):
    group = obj.vertex_groups.new(name=name)
    for vertex in np.flatnonzero(weights > 0).tolist():
        group.add([vertex], float(weights[vertex]), "REPLACE")


def left(obj):
    return np.clip(directions(obj)[:, 0], 0, 1) * (directions(obj)[:, 2] > -0.3)


def test_a_mask_gets_its_other_side(pair):
    source, target = pair
    give_group(source, "sleeve.L", left(source))
    give_group(source, "belt", np.ones(len(directions(source))))
    transfer(weights=True)
    assert set(target.vertex_groups.keys()) == {"sleeve.L", "sleeve.R", "belt"}
    here, there = (group_weights(target, f"sleeve.{side}") for side in "LR")
    np.testing.assert_allclose(there, mirrored(target, here), atol=0.02)
    assert there[directions(target)[:, 0] > 0.1].max() == 0.0


def test_skin_weights_of_one_side_cover_both_and_add_up(pair):
    source, target = pair
    add_rig(source, chain("spine", "arm.L"))
    give_group(source, "arm.L", left(source))
    give_group(source, "spine", 1 - left(source))
    transfer(weights=True)
    found = [group_weights(target, name) for name in ("spine", "arm.L", "arm.R")]
    np.testing.assert_allclose(np.sum(found, axis=0), 1.0, atol=1e-4)
    far = directions(target) @ [-1, 0, 0] > 0.8
    assert found[2][far & (directions(target)[:, 2] > 0)].min() > 0.3


def test_what_the_source_has_is_not_made_of_the_other_side(pair):
    source, target = pair
    give_group(source, "sleeve.L", left(source))
    give_group(source, "sleeve.R", np.full(len(directions(source)), 0.5))
    transfer(weights=True)
    np.testing.assert_allclose(group_weights(target, "sleeve.R"), 0.5, atol=1e-3)
    target.vertex_groups.clear()
    # Nor where it is not chosen.
    transfer(weights=True, group_names="*.L")
    assert target.vertex_groups.keys() == ["sleeve.L"]


@pytest.mark.parametrize("small", [False, True])
def test_a_key_gets_its_other_side_with_range_mask_and_mirrored_effect(pair, small):
    source, target = pair
    give_group(target, "cheek.R", np.ones(len(directions(target))))
    key = add_key(
        source, "smile.L", lambda at: at + np.array([0.3, 0.0, 0.2]) * np.clip(at[:, :1], 0, 1)
    )
    key.slider_max, key.value, key.vertex_group = 2.0, 0.5, "cheek.L"
    give_group(source, "cheek.L", left(source))
    transfer(shape_keys=True, small_keys=small)
    keys = target.data.shape_keys.key_blocks
    assert set(keys.keys()) == {"Basis", "smile.L", "smile.R"}
    here, there = effect(keys["smile.L"]), effect(keys["smile.R"])
    np.testing.assert_allclose(there, mirrored(target, here) * [-1, 1, 1], atol=0.03)
    assert np.abs(there).max() > 0.1
    assert (keys["smile.R"].slider_max, keys["smile.R"].value) == (2.0, 0.5)
    assert keys["smile.R"].vertex_group == "cheek.R"


def test_its_driver_reads_the_other_side(pair, told):
    source, target = pair
    rig = add_rig(source, chain("control.L", "control.R"))
    target.modifiers.new("Armature", "ARMATURE").object = rig
    rig["mood_left"], rig["mood_right"] = 0.5, 0.5
    for name, other in (("smile.L", None), ("squint.L", "smile.L")):
        key = add_key(source, name, lambda at: at + 0.2 * np.clip(at[:, :1], 0, 1))
        driver = key.driver_add("value").driver
        variable = driver.variables.new()
        if other:
            variable.targets[0].id_type = "KEY"
            variable.targets[0].id = source.data.shape_keys
            variable.targets[0].data_path = f'key_blocks["{other}"].value'
        else:
            variable.type = "TRANSFORMS"
            variable.targets[0].id, variable.targets[0].bone_target = rig, "control.L"
            second = driver.variables.new()
            second.targets[0].id, second.targets[0].data_path = rig, '["mood_left"]'
    transfer(shape_keys=True)
    made, keys = drivers(target), target.data.shape_keys

    def read(name):
        driver = made[keys.key_blocks[name].path_from_id("value")].driver
        return [v.targets[0] for v in driver.variables]

    assert [read(f"smile.{side}")[0].bone_target for side in "LR"] == ["control.L", "control.R"]
    assert read("smile.R")[1].data_path == '["mood_right"]'
    for side in "LR":
        end = read(f"squint.{side}")[0]
        assert (end.id, end.data_path) == (keys, f'key_blocks["smile.{side}"].value')
    assert "read nothing" not in told()


def test_a_driver_that_reads_nothing_is_told(pair, told):
    source, target = pair
    for name in ("Lost", "Dead"):
        key = add_key(source, name, lambda at: at * 1.1)
        variable = key.driver_add("value").driver.variables.new()
        if name == "Dead":
            variable.targets[0].id = source
            variable.targets[0].data_path = '["gone"]'
    assert bpy.ops.diffusionnet.transfer(shape_keys=True) == {"FINISHED"}
    assert "drivers that read nothing: Dead, Lost" in told()
    assert {"Lost", "Dead"} <= set(target.data.shape_keys.key_blocks.keys())


def test_a_source_without_symmetry_has_no_other_side(pair):
    source, target = pair
    give_group(source, "sleeve.L", left(source))
    for vertex in source.data.vertices:
        vertex.co.z += max(0.0, vertex.co.x) * 2.0
    keep_map(source, target)
    with pytest.raises(RuntimeError, match="'Source' is not symmetric.*Other Side off"):
        transfer(weights=True)
    assert not target.vertex_groups
