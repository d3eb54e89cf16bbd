"""Textures for a target whose own UV map has no room for the colours of all faces.

They are for another UV map, which the new material reads; the artist's stays as it was.
"""

import re

import bpy
import numpy as np
import pytest
from scipy.spatial import cKDTree

from diffusionnet_blender.scene.files import open_file, save_file
from diffusionnet_blender.scene.uv_maps import MOST_UV_MAPS
from tests.operators.conftest import told  # noqa: F401
from tests.scene.test_textures_as_seen import (
    base_colour,
    close,
    coordinates,
    counts,
    give_material,
    make_pair,
    new,
    read_uv,
    shown_by_source,
    shown_by_target,
    skin,
    transfer,
    write_uv,
)

pytestmark = pytest.mark.usefixtures("blender")

SPARE = "DN Unwrapped"


@pytest.fixture
def pair(blender):
    return make_pair()


def places_of(obj):
    return np.array([obj.data.vertices[loop.vertex_index].co for loop in obj.data.loops])


def from_above(obj):
    """Upper and lower half on one another."""
    flat = places_of(obj).reshape(-1, 3, 3)[..., :2]
    return 0.5 + 0.4 * flat / np.abs(flat).max()


def on_a_point(obj):
    return np.full((len(obj.data.polygons), 3, 2), 0.5)


def on_a_palette(obj):
    """Each face on the field of its height, without any area."""
    height = places_of(obj)[:, 2].reshape(-1, 3).mean(axis=1)
    field = np.floor(4 * (height - height.min()) / (np.ptp(height) + 1e-6))
    uv = np.full((len(height), 3, 2), 0.5)
    uv[..., 0] = (field[:, None] + 0.5) / 4
    # One of them is laid out.
    uv[0] += [[0, 0], [0.02, 0], [0, 0.02]]
    return uv


def on_lines(obj):
    uv = read_uv(obj.data, "Lay")
    uv[..., 1] = 0.5
    return uv


def nowhere(obj):
    uv = read_uv(obj.data, "Lay")
    uv[:30] = np.nan
    return uv


LAYOUTS = {
    from_above: r"\d+\.\d% of the target's faces lie on others",
    on_a_palette: r"\d+\.\d% of the target's faces lie on others.* or without any area",
    on_a_point: "the target's UV map covers no part of an image",
    on_lines: "the target's UV map covers no part of an image",
    nowhere: "30 faces of the target's UV map have no finite place",
}


def lay(target, layout):
    """Give the target a layout; its own is kept beside it, to look at all faces."""
    uv = read_uv(target.data, "Lay")
    write_uv(target.data, "Lay", layout(target))
    return uv


def look(source, target, uv):
    """Colours of the target and those of the source, texel by texel of a layout."""
    target.data.uv_layers.new(name="Flat", do_init=False)
    write_uv(target.data, "Flat", uv)
    return shown_by_target(target, "Flat"), shown_by_source(source, [base_colour], target, "Flat")


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_the_texture_is_right_on_a_map_of_its_own(pair, layout, told):  # noqa: F811
    source, target = pair
    give_material(source, skin)
    uv = lay(target, layout)
    own = read_uv(target.data, "Lay")
    # A second time in the same one.
    for _ in range(2):
        transfer()
        line = told()
        assert f"into a UV map of their own, {SPARE!r}, as " in line
        assert re.search(LAYOUTS[layout], line)
        layers = target.data.uv_layers
        assert layers.keys() == ["Lay", SPARE]
        assert layers.active == layers["Lay"]
        assert layers["Lay"].active_render
        np.testing.assert_array_equal(read_uv(target.data, "Lay"), own)
        assert len(target.data.materials) == 1
    close(*look(source, target, uv), 0.06)


def same_above_and_below(tree):
    """A colour by the place in a plane, the same on both sides of it."""
    node = new(tree, "ShaderNodeVectorMath", operation="MULTIPLY")
    node.inputs[1].default_value = (0.8, 0.8, 0)
    tree.links.new(new(tree, "ShaderNodeTexCoord").outputs["Object"], node.inputs[0])
    return node.outputs[0]


def test_faces_that_agree_stay_on_one_another(pair, told):  # noqa: F811
    source, target = pair
    give_material(source, same_above_and_below)
    uv = lay(target, from_above)
    transfer()
    assert SPARE not in told()
    assert target.data.uv_layers.keys() == ["Lay"]
    close(*look(source, target, uv), 0.06)


def test_without_room_for_a_map_the_textures_are_refused(pair):
    source, target = pair
    give_material(source, skin)
    lay(target, from_above)
    while len(target.data.uv_layers) < MOST_UV_MAPS:
        target.data.uv_layers.new()
    before, materials = counts(), len(target.data.materials)
    with pytest.raises(RuntimeError, match=r"\d% of the target's faces.*need other colours"):
        transfer()
    assert counts() == before
    assert len(target.data.materials) == materials


@pytest.mark.parametrize("kinds", [{"texture": True}, {"texture": True, "uv": True}])
def test_a_second_time_needs_no_more_room(pair, kinds):
    source, target = pair
    give_material(source, skin)
    lay(target, from_above)
    while len(target.data.uv_layers) < MOST_UV_MAPS - len(kinds):
        target.data.uv_layers.new()
    for _ in range(2):
        transfer(**kinds)
        assert len(target.data.uv_layers) == MOST_UV_MAPS
        assert SPARE in target.data.uv_layers


def test_a_map_that_the_artist_changed_stays(pair):
    source, target = pair
    give_material(source, skin)
    lay(target, from_above)
    transfer()
    changed = 0.5 * read_uv(target.data, SPARE)
    write_uv(target.data, SPARE, changed)
    transfer()
    assert target.data.uv_layers.keys() == ["Lay", SPARE, f"DN {SPARE}"]
    np.testing.assert_array_equal(read_uv(target.data, SPARE), changed)


def face_colours(obj):
    """Middle of each face, and the colour there of the image that the material shows."""
    mesh, (material,) = obj.data, obj.data.materials
    node = next(n for n in material.node_tree.nodes if n.type == "TEX_IMAGE")
    name = node.inputs["Vector"].links[0].from_node.uv_map
    uv = read_uv(mesh, name).mean(axis=1)
    image = node.image
    width, height = image.size
    pixels = np.array(image.pixels[:], dtype=np.float32).reshape(height, width, -1)
    column, row = (uv * [width, height]).astype(int).T
    middle = np.array([obj.matrix_world @ polygon.center for polygon in mesh.polygons])
    return middle, pixels[row, column, :3]


@pytest.mark.parametrize("suffix", [".glb", ".gltf", ".blend"])
def test_the_map_and_its_texture_go_into_files(pair, suffix, tmp_path):
    source, target = pair
    give_material(source, skin)
    lay(target, from_above)
    transfer()
    middle, colours = face_colours(target)
    bpy.data.objects.remove(source)
    save_file(tmp_path / f"target{suffix}")
    (read,) = open_file(tmp_path / f"target{suffix}")
    assert len(read.data.uv_layers) == 2
    found, there = face_colours(read)
    apart, nearest = cKDTree(middle).query(found)
    assert apart.max() < 1e-4
    # JPEG is not lossless.
    assert np.abs(there - colours[nearest]).mean() < 0.02


def test_a_source_whose_faces_have_no_area_in_its_map_is_baked_all_the_same(pair):
    source, target = pair
    give_material(source, coordinates("Generated"))
    uv = read_uv(target.data, "Lay")
    for name in source.data.uv_layers.keys():
        write_uv(source.data, name, on_a_palette(source))
    transfer()
    close(*look(source, target, uv))
