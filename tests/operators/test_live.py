"""A live match: what changes on the source is seen on the evaluated target, through a modifier."""

from dataclasses import replace

import bpy
import numpy as np
import pytest

from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.scene.matches import find_match, keep_match
from diffusionnet_blender.scene.read import read_object
from tests.operators.characters import add_pair
from tests.operators.test_transfer import directions, keep_true_match
from tests.scenes import add_mesh, add_rig, chain
from tests.shapes import icosphere

pytestmark = pytest.mark.usefixtures("blender")


def body(name, fineness, scale, n_gons=False):
    """An egg; with n-gons, as one dissolves edges by hand."""
    vertices, faces = icosphere(fineness)
    obj = add_mesh(name, vertices * scale, faces)
    if n_gons:
        import bmesh

        bm = bmesh.new()
        bm.from_mesh(obj.data)
        chosen = [e for e in bm.edges if sum(v.co.z for v in e.verts) > 1.0][::3]
        bmesh.ops.dissolve_edges(bm, edges=chosen)
        bm.to_mesh(obj.data)
        bm.free()
    at = coordinates(obj.data.vertices) / scale
    obj["directions"] = (at / np.linalg.norm(at, axis=1, keepdims=True)).ravel()
    return obj


def coordinates(collection):
    found = np.empty(3 * len(collection), np.float32)
    collection.foreach_get("co", found)
    return found.reshape(-1, 3).astype(np.float64)


def keep_map(source, target, in_place):
    """The true map; of one in place, the nearest point in the world."""
    bpy.context.view_layer.update()
    read = read_object(source).surface
    if in_place:
        here, there = (world(obj, coordinates(obj.data.vertices)) for obj in (source, target))
    else:
        here, there = directions(source), directions(target)
    points = ClosestPoints(here, read.faces)(there)[0]
    keep_true_match(source, target, points)
    if in_place:
        match = find_match(source, target)
        found = replace(match.correspondence, offset=np.zeros(3))
        keep_match(source, target, replace(match, correspondence=found))
    return points


def world(obj, values):
    matrix = np.array(obj.matrix_world)
    return values @ matrix[:3, :3].T + matrix[:3, 3]


def choose(source, target):
    panel = bpy.context.scene.diffusionnet.transfer
    panel.source, panel.target = source, target
    return source, target


@pytest.fixture
def apart(blender):
    """A source with n-gons, turned and small; a target elsewhere."""
    source, target = body("Source", 3, (1.0, 0.7, 1.6), n_gons=True), body("Target", 2, (1, 1, 1))
    source.rotation_euler, source.scale = (0.3, 0.2, 0.9), (0.01,) * 3
    target.location = (4.0, 0.0, 0.0)
    keep_map(source, target, in_place=False)
    return choose(source, target)


@pytest.fixture
def worn(blender):
    """A body with a bone, and a shell around it in place, with an origin of its own."""
    source, target = body("Source", 3, (1.0, 0.7, 1.6), n_gons=True), body("Target", 2, (1, 1, 1))
    target.data.transform(target.matrix_world.Diagonal((1.1, 0.8, 1.7, 1.0)))
    target.data.transform(target.matrix_world.Translation((-2.0, 0.0, 0.5)))
    target.location = (2.0, 0.0, -0.5)
    keep_map(source, target, in_place=True)
    return choose(source, target)


def live(**options):
    assert bpy.ops.diffusionnet.live_match(**options) == {"FINISHED"}
    bpy.context.view_layer.update()


def evaluated(obj):
    bpy.context.view_layer.update()
    return obj.evaluated_get(bpy.context.evaluated_depsgraph_get()).data


def colour(source, values, domain="POINT"):
    mesh = source.data
    if "paint" not in mesh.color_attributes:
        mesh.color_attributes.new("paint", "FLOAT_COLOR", domain)
        mesh.color_attributes.active_color = mesh.color_attributes["paint"]
    rgba = np.ones((len(mesh.attributes["paint"].data), 4), np.float32)
    rgba[:, :3] = values
    mesh.attributes["paint"].data.foreach_set("color", rgba.ravel())
    mesh.update()


def seen(target, name="live paint"):
    data = evaluated(target).attributes[name].data
    found = np.empty(4 * len(data), np.float32)
    data.foreach_get("color", found)
    return found.reshape(-1, 4)[:, :3]


def mapped(source, target, values):
    """Values at the vertices of a source, where the match leads."""
    points = find_match(source, target).correspondence.target_to_source
    return points.interpolate(np.asarray(values, float), read_object(source).surface.faces)


def test_colours_are_seen_through_the_match_and_follow_a_change(apart):
    source, target = apart
    first, second = directions(source) * 0.4 + 0.5, np.abs(directions(source))
    colour(source, first)
    live()
    np.testing.assert_allclose(seen(target), mapped(source, target, first), atol=1e-4)
    colour(source, second)
    np.testing.assert_allclose(seen(target), mapped(source, target, second), atol=1e-4)
    assert "live paint" not in target.data.attributes
    # It is what the viewport shows, as long as the artist has no other colours.
    assert evaluated(target).color_attributes.active_color_name == "live paint"


def test_colours_of_the_artist_stay_the_active_ones(apart):
    source, target = apart
    colour(source, directions(source))
    colour(target, directions(target))
    live()
    assert evaluated(target).color_attributes.active_color_name == "paint"


def test_colours_of_corners_have_their_seams(apart):
    source, target = apart
    corner = np.array([loop.vertex_index for loop in source.data.loops])
    colour(source, directions(source)[corner] * 0.4 + 0.5, "CORNER")
    live()
    wanted = mapped(source, target, directions(source) * 0.4 + 0.5)
    np.testing.assert_allclose(seen(target), wanted, atol=1e-4)


def test_a_vertex_group_of_the_source_is_read_like_an_attribute(apart):
    source, target = apart
    source.vertex_groups.new(name="top").add(
        np.flatnonzero(directions(source)[:, 2] > 0).tolist(), 1.0, "REPLACE"
    )
    live(attribute="top")
    wanted = mapped(source, target, directions(source)[:, 2:] > 0)
    np.testing.assert_allclose(seen(target, "live top")[:, :1], wanted, atol=1e-4)
    with pytest.raises(RuntimeError, match="no attribute or vertex group 'nothing'"):
        live(attribute="nothing")


def bent(source, by):
    """A shape key that lifts the upper half."""
    if source.data.shape_keys is None:
        source.shape_key_add(name="Basis")
    key = source.shape_key_add(name="Up", from_mix=False)
    moved = coordinates(source.data.vertices)
    lift = np.array(by) * np.clip(directions(source)[:, 2:], 0, 1)
    key.data.foreach_set("co", (moved + lift).astype(np.float32).ravel())
    # 1 in Blender 5.
    key.value = 0.0
    return key, lift


def test_a_target_apart_moves_as_the_source_does_in_its_own_size(apart):
    source, target = apart
    key, lift = bent(source, (0.2, 0.1, 0.5))
    live(follow=1.0)
    rest = coordinates(target.data.vertices)
    np.testing.assert_allclose(coordinates(evaluated(target).vertices), rest, atol=1e-5)
    key.value = 1.0
    moved = coordinates(evaluated(target).vertices) - rest
    heights = [np.ptp(world(o, coordinates(o.data.vertices)), axis=0).max() for o in apart]
    linear = np.array(source.matrix_world.to_3x3())
    wanted = mapped(source, target, lift) @ linear.T * heights[1] / heights[0]
    np.testing.assert_allclose(moved, wanted, atol=1e-4 * np.abs(wanted).max())


def test_a_shell_in_place_keeps_its_place_on_a_posed_body(worn):
    source, target = worn
    rig = add_rig(source, chain("spine"))
    source.vertex_groups.new(name="spine").add(range(len(source.data.vertices)), 1.0, "REPLACE")
    live(follow=1.0)
    rest = coordinates(target.data.vertices)
    np.testing.assert_allclose(coordinates(evaluated(target).vertices), rest, atol=1e-5)
    bone = rig.pose.bones["spine"]
    bone.rotation_mode = "XYZ"
    bone.rotation_euler, bone.location = (0.4, 1.1, -0.7), (0.5, 0.2, -0.3)
    bpy.context.view_layer.update()
    # The body moves as a whole, and the shell with it.
    posed = coordinates(evaluated(source).vertices)
    own = coordinates(source.data.vertices)
    turn = np.linalg.lstsq(np.c_[own, np.ones(len(own))], posed, rcond=None)[0]
    at = world(target, rest)
    wanted = np.c_[at, np.ones(len(at))] @ turn
    found = world(target, coordinates(evaluated(target).vertices))
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    # And with the objects.
    source.location.x += 3.0
    rig.location.x += 3.0
    found = world(target, coordinates(evaluated(target).vertices))
    np.testing.assert_allclose(found, wanted + [3.0, 0, 0], atol=1e-4)


def test_the_match_is_on_the_target_as_attributes(apart):
    source, target = apart
    live()
    found = find_match(source, target).correspondence
    attributes = target.data.attributes
    assert (attributes["live_triangle"].data_type, attributes["live_triangle"].domain) == (
        "INT",
        "POINT",
    )
    triangle = np.array([each.value for each in attributes["live_triangle"].data])
    np.testing.assert_array_equal(triangle, found.target_to_source.face)
    shares = np.array([tuple(each.vector) for each in attributes["live_barycentric"].data])
    np.testing.assert_allclose(shares, found.target_to_source.barycentric, atol=1e-6)
    assert {each.value for each in attributes["live_confidence"].data} == {1.0}
    source.data.calc_loop_triangles()
    corners = [tuple(source.data.loop_triangles[n].loops) for n in triangle]
    kept = zip(*(attributes[f"live_corner_{end}"].data for end in "abc"), strict=True)
    assert [tuple(each.value for each in ends) for ends in kept] == corners


def test_twice_is_once_and_what_the_artist_changed_stays(apart):
    source, target = apart
    colour(source, directions(source))
    live()
    before = set(target.data.attributes.keys()), len(bpy.data.node_groups)
    live()
    assert [m.name for m in target.modifiers] == ["Live Match"]
    assert (set(target.data.attributes.keys()), len(bpy.data.node_groups)) == before
    group = target.modifiers[0].node_group
    group.nodes.new("GeometryNodeSetShadeSmooth")
    live()
    assert [m.node_group == group for m in target.modifiers] == [False, True]


def test_an_attribute_of_the_artist_stays(apart):
    _, target = apart
    own = target.data.attributes.new("live_triangle", "FLOAT", "FACE")
    own.data[0].value = 0.5
    live()
    assert target.data.attributes["live_triangle"].domain == "FACE"
    assert target.data.attributes["DN live_triangle"].data_type == "INT"


def test_modifiers_that_change_the_faces_of_the_source_are_refused(apart):
    source, target = apart
    source.modifiers.new("Subdivision", "SUBSURF")
    bpy.context.view_layer.update()
    with pytest.raises(RuntimeError, match="change its faces.*viewport"):
        live()
    assert not target.modifiers
    assert not [name for name in target.data.attributes.keys() if name.startswith("live")]
    source.modifiers[0].show_viewport = False
    live()


def test_it_needs_a_match(blender):
    choose(body("Source", 2, (1, 1, 1)), body("Target", 2, (1, 1, 1)))
    with pytest.raises(RuntimeError, match="Press Match first"):
        live()


def test_each_member_reads_the_member_of_the_source_that_it_is_matched_to(blender):
    source, target = add_pair()
    for number, obj in enumerate(source):
        mesh = obj.data
        mesh.color_attributes.new("paint", "FLOAT_COLOR", "POINT")
        mesh.color_attributes.active_color = mesh.color_attributes["paint"]
        colours = np.tile([*np.eye(3)[number], 1.0], (len(mesh.vertices), 1)).astype(np.float32)
        mesh.attributes["paint"].data.foreach_set("color", colours.ravel())
    live()
    for number, obj in enumerate(target):
        np.testing.assert_allclose(seen(obj), np.tile(np.eye(3)[number], (len(seen(obj)), 1)))


def test_it_goes_before_modifiers_that_add_vertices(apart):
    source, target = apart
    colour(source, directions(source) * 0.4 + 0.5)
    target.modifiers.new("Subdivision", "SUBSURF").levels = 1
    live()
    assert [m.name for m in target.modifiers] == ["Live Match", "Subdivision"]
    wanted = mapped(source, target, directions(source) * 0.4 + 0.5)
    # The first vertices of a subdivided mesh are those of the mesh.
    found = seen(target)[: len(wanted)]
    assert np.abs(found - wanted).mean() < 0.02
    assert 0.0 <= seen(target).min() <= seen(target).max() <= 1.0


def test_it_is_one_undo_step(apart):
    bpy.ops.ed.undo_push(message="Before")
    bpy.ops.diffusionnet.live_match("EXEC_DEFAULT", True)
    assert bpy.data.objects["Target"].modifiers
    bpy.ops.ed.undo()
    target = bpy.data.objects["Target"]
    assert not target.modifiers
    assert "live_triangle" not in target.data.attributes
