"""Conform: new objects on the target, and nothing of the artist's is touched."""

import bpy
import numpy as np
import pytest

from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.operators.run import JobRun
from diffusionnet_blender.session import computing
from diffusionnet_blender.session.bending import WatchedConformJobs
from diffusionnet_blender.session.wires import shown_wires
from tests.matching.pairs import lumpy_surface
from tests.scenes import add_mesh, add_rig, chain
from tests.waiting import moments

pytestmark = pytest.mark.usefixtures("blender")


@pytest.fixture
def pair(blender):
    """A lumpy body with a bone, a group, a material and a key; another size and place of it."""
    mesh, _ = lumpy_surface(2)
    shape, _ = lumpy_surface(3, seed=4)
    one = add_mesh("Body", mesh.vertices, mesh.faces)
    other = add_mesh("Scan", shape.vertices, shape.faces)
    other.matrix_world = other.matrix_world.Translation((5, 0, 0)) @ other.matrix_world.Scale(2, 4)
    one.data.materials.append(bpy.data.materials.new("Skin"))
    one.vertex_groups.new(name="Spine").add(range(len(mesh.vertices)), 0.5, "REPLACE")
    one.shape_key_add(name="Basis")
    key = one.shape_key_add(name="Tall", from_mix=False)
    raised = mesh.vertices + [0, 0, 0.3] * (mesh.vertices[:, 2:] > 0)
    key.data.foreach_set("co", raised.astype(np.float32).ravel())
    add_rig(one, chain("Spine"))
    bpy.context.view_layer.update()
    return one, other


def coordinates(collection):
    found = np.empty(3 * len(collection))
    collection.foreach_get("co", found)
    return found.reshape(-1, 3)


def world(obj, values):
    matrix = np.array(obj.matrix_world)
    return values @ matrix[:3, :3].T + matrix[:3, 3]


def shape_of(obj):
    return world(obj, coordinates(obj.data.vertices))


def conform(**options):
    done = bpy.ops.diffusionnet.conform(
        source="Body", target="Scan", model="NONE", accept_uncertain=True, **options
    )
    assert done == {"FINISHED"}
    return bpy.context.view_layer.objects.active


def test_a_copy_lies_on_the_target_and_the_source_stays(pair):
    one, other = pair
    before = shape_of(one)
    made = conform()
    assert made.name == "Body on Scan"
    assert made not in pair
    assert made.data != one.data
    np.testing.assert_array_equal(shape_of(one), before)
    faces = np.array([list(p.vertices) for p in other.data.polygons])
    surface = ClosestPoints(shape_of(other), faces)
    at = shape_of(made)
    off = np.linalg.norm(surface.positions(surface(at)[0]) - at, axis=1)
    assert off.mean() < 0.002 * np.ptp(shape_of(other), axis=0).max()
    assert [m.name for m in made.data.materials] == ["Skin"]
    assert [group.name for group in made.vertex_groups] == ["Spine"]
    assert not made.modifiers
    assert [m.type for m in one.modifiers] == ["ARMATURE"]


def test_the_bending_mesh_is_in_view_until_the_run_ends(pair):
    one, other = pair
    jobs = WatchedConformJobs(
        one, other, np.zeros((0, 2), int), {"accept_uncertain": True}, model=None, method="MATCH"
    )
    run = JobRun(jobs, computing.the_worker())
    computing.begin_run(run)
    try:
        for _ in moments("the mesh is bent"):
            if run.finished:
                break
            run.advance()
        positions, edges = shown_wires()
    finally:
        computing.end_run(run)
        run.abandon()
    assert edges.max() < len(positions)
    # Where the target stands, and not where the source does.
    low, high = shape_of(other).min(axis=0), shape_of(other).max(axis=0)
    assert (positions > low - 1).all()
    assert (positions < high + 1).all()
    assert shown_wires() is None


def test_keys_go_along(pair):
    one, _ = pair
    made = conform()
    assert [key.name for key in made.data.shape_keys.key_blocks] == ["Basis", "Tall"]
    rest, tall = (world(made, coordinates(key.data)) for key in made.data.shape_keys.key_blocks)
    np.testing.assert_allclose(rest, shape_of(made), atol=1e-5)
    moved = np.linalg.norm(tall - rest, axis=1)
    own = coordinates(one.data.vertices)
    # Twice the size, twice the way; what the key does not move stays.
    assert np.median(moved[own[:, 2] > 0.2]) == pytest.approx(0.6, rel=0.35)
    assert np.median(moved[own[:, 2] < -0.2]) < 0.1


def test_an_uncertain_match_makes_nothing(pair):
    flat = add_mesh("Wall", [[0, 0, 0], [9, 0, 0], [9, 9, 0], [0, 9, 0]], [[0, 1, 2], [0, 2, 3]])
    bpy.context.view_layer.update()
    before = len(bpy.data.objects), len(bpy.data.meshes)
    with pytest.raises(RuntimeError):
        bpy.ops.diffusionnet.conform(source="Body", target=flat.name, model="NONE")
    assert (len(bpy.data.objects), len(bpy.data.meshes)) == before


def test_the_same_pair_twice_makes_two(pair):
    first, second = conform(), conform(stiffness=5.0)
    assert first != second
    assert second.name == "Body on Scan.001"


def test_a_shape_key_has_the_shape_in_the_source_s_own_place(pair):
    one, other = pair
    before, count = shape_of(one), len(bpy.data.objects)
    conform(as_key=True)
    assert len(bpy.data.objects) == count
    np.testing.assert_array_equal(shape_of(one), before)
    keys = one.data.shape_keys.key_blocks
    assert list(keys.keys()) == ["Basis", "Tall", "On Scan"]
    bent = world(one, coordinates(keys["On Scan"].data))
    faces = np.array([list(p.vertices) for p in other.data.polygons])
    away = np.array(other.matrix_world.translation) - np.array(one.matrix_world.translation)
    surface = ClosestPoints(shape_of(other) - away, faces)
    off = np.linalg.norm(surface.positions(surface(bent)[0]) - bent, axis=1)
    assert off.mean() < 0.002 * np.ptp(shape_of(other), axis=0).max()
    assert keys["On Scan"].value == 1.0


def test_a_second_run_replaces_its_own_key_and_no_other(pair):
    one, _ = pair
    conform(as_key=True)
    conform(as_key=True)
    keys = one.data.shape_keys.key_blocks
    assert list(keys.keys()) == ["Basis", "Tall", "On Scan"]
    keys["On Scan"].data[0].co.x += 1.0
    kept = coordinates(keys["On Scan"].data)
    conform(as_key=True)
    assert list(keys.keys()) == ["Basis", "Tall", "On Scan", "DN On Scan"]
    np.testing.assert_array_equal(coordinates(keys["On Scan"].data), kept)


def test_absolute_keys_are_left_alone(pair):
    one, _ = pair
    one.data.shape_keys.use_relative = False
    with pytest.raises(RuntimeError, match="absolute"):
        conform(as_key=True)
    assert list(one.data.shape_keys.key_blocks.keys()) == ["Basis", "Tall"]


def test_a_mesh_of_two_objects_takes_no_two_shapes(pair):
    one, _ = pair
    other = one.copy()
    other.location.x += 2.5
    bpy.context.collection.objects.link(other)
    bpy.context.view_layer.update()
    with pytest.raises(RuntimeError, match="share one mesh"):
        conform(as_key=True)
    assert list(one.data.shape_keys.key_blocks.keys()) == ["Basis", "Tall"]


def test_a_region_alone_takes_the_shape_and_the_rest_follows(pair):
    one, other = pair
    upper = [v.index for v in one.data.vertices if v.co.z > 0]
    one.vertex_groups.new(name="Upper").add(upper, 1.0, "REPLACE")
    at = shape_of(conform(region="Upper"))
    faces = np.array([list(p.vertices) for p in other.data.polygons])
    surface = ClosestPoints(shape_of(other), faces)
    off = np.linalg.norm(surface.positions(surface(at)[0]) - at, axis=1)
    is_upper = np.isin(np.arange(len(at)), upper)
    size = np.ptp(shape_of(other), axis=0).max()
    assert off[is_upper].mean() < 0.002 * size
    assert off[~is_upper].mean() > 3 * off[is_upper].mean()
    # No tear between the two.
    edges = np.array([list(edge.vertices) for edge in one.data.edges])
    lengths = [np.linalg.norm(x[edges[:, 0]] - x[edges[:, 1]], axis=1) for x in (shape_of(one), at)]
    assert (lengths[1] / lengths[0]).max() < 3 * np.median(lengths[1] / lengths[0])


@pytest.mark.parametrize(
    ("name", "words"), [("Hat", "no vertex group"), ("Empty", "Nothing is in")]
)
def test_an_empty_region_is_told(pair, name, words):
    one, _ = pair
    one.vertex_groups.new(name="Empty")
    count = len(bpy.data.objects)
    with pytest.raises(RuntimeError, match=words):
        conform(region=name)
    assert len(bpy.data.objects) == count
