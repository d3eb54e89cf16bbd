"""Data moved between meshes of very different sizes is what it is between equal ones."""

import bpy
import numpy as np
import pytest
from mathutils import Matrix

from tests.operators.test_transfer import colour_of, directions, give_image, make_pair, unwrap
from tests.scenes import add_rig, group_weights

pytestmark = pytest.mark.usefixtures("blender")

HEADS = {"low": (0, 0, -0.9), "high": (0, 0, 0.1), "tip": (0, 0.05, 1.0)}
TAILS = {"low": (0, 0, 0.1), "high": (0.1, 0, 1.0), "tip": (0, 0.05, 1.01)}


def dressed_pair():
    """A source with every kind of data, and a bare target without a layout."""
    source, target = make_pair()
    unwrap(source, "Layout")
    give_image(source, colour_of)
    height = (directions(source)[:, 2] + 1) / 2
    for name, column in (("low", 1 - height), ("high", height)):
        group = source.vertex_groups.new(name=name)
        for vertex, weight in enumerate(column.tolist()):
            group.add([vertex], weight, "REPLACE")
    source.shape_key_add(name="Rest")
    for name, middle in (("Chin", (0, -0.7, 0.5)), ("Tall", (0, 0, 1.4))):
        key = source.shape_key_add(name=name)
        places = np.array([point.co for point in key.data])
        near = np.exp(-np.square(places - middle).sum(axis=1) / 0.3)
        places[:, 2] += 0.2 * near
        key.data.foreach_set("co", places.astype(np.float32).ravel())
    attribute = source.data.attributes.new("wave", "FLOAT", "POINT")
    attribute.data.foreach_set("value", np.sin(5 * height).astype(np.float32))
    rig = add_rig(source, {name: (HEADS[name], TAILS[name]) for name in HEADS})
    bpy.context.view_layer.update()
    return source, target, rig


def resize(obj, factor, by):
    if by == "mesh":
        with_keys = obj.data.shape_keys is not None
        obj.data.transform(Matrix.Scale(factor, 4), shape_keys=with_keys)
    else:
        obj.scale = (factor, factor, factor)


def moved(factor, side, by, small):
    """Everything on the target, without its size."""
    from diffusionnet_blender.matching.closest import ClosestPoints
    from tests.operators.test_transfer import keep_true_match

    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    source, target, rig = dressed_pair()
    if side != "source":
        resize(target, factor, by)
    if side != "target":
        of_source = factor if side == "source" else 1 / factor
        resize(source, of_source, by)
        rig.scale = (of_source, of_source, of_source)
    bpy.context.view_layer.update()
    faces = np.array([polygon.vertices[:] for polygon in source.data.polygons])
    points, _ = ClosestPoints(directions(source), faces)(directions(target))
    keep_true_match(source, target, points)
    assert bpy.ops.diffusionnet.transfer(
        texture=True, uv=True, weights=True, shape_keys=True, attributes=True, armature=True,
        texture_size=64, small_keys=small,
    ) == {"FINISHED"}  # fmt: skip
    bpy.context.view_layer.update()
    world = np.array(target.matrix_world.to_3x3())
    size = factor if side != "source" else 1.0
    keys = target.data.shape_keys.key_blocks
    rest = np.array([point.co for point in keys[0].data])
    found = {
        f"key {key.name}": (np.array([point.co for point in key.data]) - rest) @ world.T / size
        for key in keys[1:]
    }
    for layer in target.data.uv_layers:
        uv = np.empty(2 * len(target.data.loops), dtype=np.float32)
        layer.uv.foreach_get("vector", uv)
        found[f"layout {layer.name}"] = uv
    for name in ("low", "high"):
        found[name] = group_weights(target, name)
    wave = np.empty(len(target.data.vertices), dtype=np.float32)
    target.data.attributes["wave"].data.foreach_get("value", wave)
    found["wave"] = wave
    (made,) = (m.object for m in target.modifiers if m.type == "ARMATURE")
    for name in HEADS:
        bone = made.pose.bones[name]
        found[f"bone {name}"] = np.array([made.matrix_world @ bone.head,
                                          made.matrix_world @ bone.tail]) / size  # fmt: skip
        axes = np.array((made.matrix_world @ bone.matrix).to_3x3())
        found[f"axes {name}"] = axes / np.linalg.norm(axes, axis=0)
    made.pose.bones["high"].rotation_mode = "XYZ"
    made.pose.bones["high"].rotation_euler.x = 0.5
    bpy.context.view_layer.update()
    posed = target.evaluated_get(bpy.context.evaluated_depsgraph_get())
    found["posed"] = np.array([v.co for v in posed.data.vertices]) @ world.T / size
    image = next(i for i in bpy.data.images if i.name.endswith("Base Color"))
    pixels = np.empty(len(image.pixels), dtype=np.float32)
    image.pixels.foreach_get(pixels)
    found["texture"] = pixels
    return found


@pytest.fixture(scope="module")
def expected():
    return {}


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("by", ["mesh", "object"])
@pytest.mark.parametrize("side", ["target", "source", "both"])
@pytest.mark.parametrize(
    "factor",
    [1e-4, 1e4, *(pytest.param(f, marks=pytest.mark.slow) for f in (1e-3, 0.01, 0.1, 100.0, 1e3))],
)
def test_moved_data_has_the_size_of_the_target(factor, side, by, small, expected):
    if small not in expected:
        expected[small] = moved(1.0, "target", "mesh", small)
    found = moved(factor, side, by, small)
    assert found.keys() == expected[small].keys()
    for name, wanted in expected[small].items():
        np.testing.assert_allclose(found[name], wanted, atol=2e-3, err_msg=name)
