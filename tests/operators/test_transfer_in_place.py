"""Every kind of data on a target that lies on its source arrives as at the nearest point."""

import bpy
import numpy as np
import pytest

from diffusionnet_blender.scene.matches import find_match
from diffusionnet_blender.surface.winding import vertex_normals
from tests.matching.pairs import lumps, lumpy_surface
from tests.operators.test_transfer import (
    colour_of,
    corner_vertices,
    directions,
    give_image,
    read_at_faces,
    unwrap,
)
from tests.scenes import add_mesh, add_rig, chain, group_weights, values_of

pytestmark = pytest.mark.usefixtures("blender")

NO_MODEL = "NONE"


def pushed(away):
    """The skin, so far outside of itself."""
    body, at = lumpy_surface(3)
    return body.vertices + away * vertex_normals(body.vertices, body.faces), body.faces, at


def cut(away):
    """A garment over one side."""
    vertices, faces, at = pushed(away)
    kept, faces = np.unique(
        faces[(at[faces] @ [1, 1, 0.5] > -0.3).all(axis=1)], return_inverse=True
    )
    return vertices[kept], faces.reshape(-1, 3), at[kept]


def retopology():
    """The same body in other triangles."""
    body, at = lumpy_surface(3, seed=6)
    return lumps(at), body.faces, at


TARGETS = {
    "retopology": retopology,
    "cut": lambda: cut(0.0),
    "garment": lambda: cut(0.04),
    "shell": lambda: pushed(0.04),
    "core": lambda: pushed(-0.03),
}


def give(obj, name, kind, domain, values, prop="value"):
    obj.data.attributes.new(name, kind, domain)
    obj.data.attributes[name].data.foreach_set(prop, np.ascontiguousarray(values).ravel())


def read(obj, name, width, prop):
    layer = obj.data.attributes[name]
    values = np.empty(width * len(layer.data), dtype=np.float32)
    layer.data.foreach_get(prop, values)
    return values.reshape(-1, width)


def corners_at(obj):
    return directions(obj)[corner_vertices(obj.data)]


def faces_at(obj):
    return corners_at(obj).reshape(-1, 3, 3).mean(axis=1)


def give_texture(source, target):
    unwrap(source)
    unwrap(target, "Mine")
    give_image(source, colour_of)


def check_texture(source, target):
    found, at = read_at_faces(target)
    assert np.abs(found - colour_of(at))[np.abs(at[:, 2]) > 0.2].mean() < 0.02


def give_uv(source, target):
    unwrap(source, "Layout")


def check_uv(source, target):
    uv = np.empty(2 * len(target.data.loops), dtype=np.float32)
    target.data.uv_layers["Layout"].data.foreach_get("uv", uv)
    at = corners_at(target).reshape(-1, 3, 3)
    above = at.sum(axis=1)[:, 2] > 0
    wanted = 0.5 + 0.45 * at[..., :2]
    wanted[..., 0] = 0.5 * wanted[..., 0] + np.where(above, 0.5, 0.0)[:, None]
    clear = np.abs(at[..., 2]).min(axis=1) > 0.2
    assert np.abs(uv.reshape(-1, 3, 2) - 0.9 * wanted)[clear].max() < 0.02


def give_colours(source, target):
    opaque = np.insert(colour_of(directions(source)), 3, 1, axis=1).astype(np.float32)
    give(source, "Point", "FLOAT_COLOR", "POINT", opaque, "color")
    corners = opaque[corner_vertices(source.data)]
    give(source, "Corner", "BYTE_COLOR", "CORNER", corners, "color")


def check_colours(source, target):
    point, corner = (read(target, name, 4, "color")[:, :3] for name in ("Point", "Corner"))
    assert np.abs(point - colour_of(directions(target))).max() < 0.02
    assert np.abs(corner - colour_of(corners_at(target))).max() < 0.05


def give_attributes(source, target):
    at, faces = directions(source).astype(np.float32), faces_at(source)
    give(source, "place", "FLOAT_VECTOR", "POINT", at, "vector")
    give(source, "half", "INT", "POINT", (at[:, 0] > 0).astype(np.int32))
    give(source, "flag", "BOOLEAN", "FACE", faces[:, 1] > 0)
    give(source, "height", "FLOAT", "FACE", faces[:, 2].astype(np.float32))


def check_attributes(source, target):
    at, faces = directions(target), faces_at(target)
    assert np.abs(read(target, "place", 3, "vector") - at).max() < 0.04
    clear = np.abs(at[:, 0]) > 0.15
    assert np.array_equal(values_of(target, "half")[clear], (at[:, 0] > 0)[clear])
    clear = np.abs(faces[:, 1]) > 0.15
    assert np.array_equal(values_of(target, "flag")[clear], (faces[:, 1] > 0)[clear])
    assert np.abs(values_of(target, "height") - faces[:, 2]).mean() < 0.05


def give_materials(source, target):
    for name in ("Front", "Back"):
        source.data.materials.append(bpy.data.materials.new(name))
    back = (faces_at(source)[:, 1] > 0).astype(np.int32)
    source.data.polygons.foreach_set("material_index", back)


def check_materials(source, target):
    names = [target.data.materials[p.material_index].name for p in target.data.polygons]
    y = faces_at(target)[:, 1]
    clear = np.abs(y) > 0.15
    assert np.array_equal(np.array(names)[clear], np.where(y > 0, "Back", "Front")[clear])


def give_labels(source, target):
    bpy.ops.diffusionnet.segment(object_name="Skin")


def check_labels(source, target):
    nearest = (directions(target) @ directions(source).T).argmax(axis=1)
    given, got = (values_of(obj, "part_vertex") for obj in (source, target))
    assert (got == given[nearest]).mean() > 0.95


def give_weights(source, target):
    """Three bones around the body."""
    share = _shares(source)
    for name, column in zip(BONES, share.T, strict=True):
        group = source.vertex_groups.new(name=name)
        for vertex, weight in enumerate(column):
            group.add([vertex], weight, "REPLACE")
    add_rig(source, chain(*BONES))


BONES = ("east", "west", "up")


def _shares(obj):
    near = np.exp(3 * directions(obj) @ np.array([[1, 0, 0], [-1, 0, 0], [0, 0, 1]]).T)
    return near / near.sum(axis=1, keepdims=True)


def check_weights(source, target):
    found = np.stack([group_weights(target, name) for name in BONES], axis=1)
    assert np.abs(found - _shares(target)).max() < 0.05


def give_keys(source, target):
    source.shape_key_add(name="Basis")
    key = source.shape_key_add(name="Leant")
    moved = np.array([v.co for v in source.data.vertices]) + _leaning(source)
    key.data.foreach_set("co", moved.ravel())


def _leaning(obj):
    return np.array([0.3, 0.1, 0.0]) * directions(obj)[:, 2:]


def check_keys(source, target):
    blocks = target.data.shape_keys.key_blocks
    at = [np.array([p.co for p in blocks[name].data]) for name in ("Basis", "Leant")]
    assert np.abs(at[1] - at[0] - _leaning(target)).max() < 0.05


KINDS = {
    "texture": (give_texture, check_texture),
    "uv": (give_uv, check_uv),
    "colors": (give_colours, check_colours),
    "attributes": (give_attributes, check_attributes),
    "materials": (give_materials, check_materials),
    "labels": (give_labels, check_labels),
    "weights": (give_weights, check_weights),
    "shape_keys": (give_keys, check_keys),
}


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(name, marks=() if name in ("retopology", "garment") else pytest.mark.slow)
        for name in TARGETS
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_it_arrives_as_at_the_nearest_point(blender, kind, target):
    """The two have origins of their own, and stand where they stand."""
    body, here = lumpy_surface(3)
    vertices, faces, there = TARGETS[target]()
    source, worn = (
        add_mesh("Skin", body.vertices, body.faces),
        add_mesh("Worn", vertices - [0.0, 3.0, 0.0], faces),
    )
    worn.location.y = 3.0
    source["directions"], worn["directions"] = here.ravel(), there.ravel()
    bpy.context.view_layer.update()
    panel = bpy.context.scene.diffusionnet.transfer
    panel.source, panel.target = source, worn
    given, checked = KINDS[kind]
    given(source, worn)
    assert bpy.ops.diffusionnet.match(model=NO_MODEL) == {"FINISHED"}
    assert find_match(source, worn).correspondence.in_place
    assert bpy.ops.diffusionnet.transfer(**{kind: True}) == {"FINISHED"}
    checked(source, worn)
