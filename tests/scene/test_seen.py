"""Meshes with modifiers: read as one sees them, and labels brought back to the base mesh."""

import bpy
import numpy as np
import pytest

from diffusionnet_blender.errors import SurfaceError
from diffusionnet_blender.scene import modifiers as kinds
from diffusionnet_blender.scene.mask import mask_parts
from diffusionnet_blender.scene.options import Outputs
from diffusionnet_blender.scene.read import read_object
from diffusionnet_blender.scene.seen import read_seen
from diffusionnet_blender.scene.write import write_labels
from diffusionnet_blender.tasks.labels import labels_of
from tests.scenes import add_body, add_mesh, add_rig, group_weights, select

pytestmark = pytest.mark.usefixtures("blender")

CLASSES = ("low.L", "low.R", "middle.L", "middle.R", "high.L", "high.R")
COLOURS = np.tile(np.linspace(0.1, 0.9, 6)[:, None], (1, 3))
EVERY_TYPE = {
    item.identifier
    for item in bpy.types.Modifier.bl_rna.properties["type"].enum_items
    if not item.identifier.startswith(("GREASE_PENCIL", "LINEART"))
}


def by_place(geometry, middle=0.0):
    """Labels of a mesh by its places alone: three heights, two sides."""
    x, _, z = geometry.coordinates.T
    number = 2 * np.digitize(z, (-0.5, 0.7)) + (x < middle - 1e-4)
    probabilities = np.eye(len(CLASSES), dtype=np.float32)[number]
    return labels_of(
        probabilities, geometry.surface, geometry.polygons, CLASSES, COLOURS, "by place"
    )


def agreement(labels, expected):
    """Share of the vertices, and of the area of the polygons, that have the labels expected."""
    same = labels.polygon_labels == expected.polygon_labels
    areas = expected.polygon_areas
    return (labels.vertex_labels == expected.vertex_labels).mean(), same @ areas / areas.sum()


def half(obj):
    """Delete one half of a mesh, up to a seam at x = 0."""
    import bmesh

    mesh = bmesh.new()
    mesh.from_mesh(obj.data)
    everything = [*mesh.verts, *mesh.edges, *mesh.faces]
    plane = {"plane_co": (0, 0, 0), "plane_no": (1, 0, 0)}
    bmesh.ops.bisect_plane(mesh, geom=everything, clear_inner=True, **plane)
    mesh.to_mesh(obj.data)
    mesh.free()


def add_nodes(obj, *types, **inputs):
    """A modifier of geometry nodes in a row."""
    tree = bpy.data.node_groups.new("Nodes", "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    last = tree.nodes.new("NodeGroupInput").outputs[0]
    for name in types:
        node = tree.nodes.new(name)
        for key, value in inputs.items():
            if key in node.inputs:
                node.inputs[key].default_value = value
        if node.inputs and node.inputs[0].type == "GEOMETRY":
            tree.links.new(last, node.inputs[0])
        last = node.outputs[0]
    tree.links.new(last, tree.nodes.new("NodeGroupOutput").inputs[0])
    modifier = obj.modifiers.new("Nodes", "NODES")
    modifier.node_group = tree
    return modifier


def add_multires(obj, modifier):
    with bpy.context.temp_override(object=obj, active_object=obj):
        bpy.ops.object.multires_subdivide(modifier=modifier.name)


def ball(obj, modifier, operation):
    """A ball at the left of the waist that is added or taken away."""
    bpy.ops.mesh.primitive_uv_sphere_add(radius=0.4, location=(0.8, 0, 0))
    modifier.object, modifier.operation = bpy.context.object, operation
    select(obj)


# Name, type, settings of the modifier or a function of object and modifier, and the least share of
# vertices and area that keep their labels.
MODIFIERS = [
    ("mirror of a half", "MIRROR", lambda o, m: half(o), 1.0, 0.99),
    ("mirror that bisects", "MIRROR", {"use_bisect_axis": (True, False, False)}, 0.95, 0.94),
    ("subdivision", "SUBSURF", {"levels": 2}, 0.98, 0.97),
    ("multires", "MULTIRES", add_multires, 0.98, 0.97),
    ("solidify", "SOLIDIFY", {"thickness": 0.05}, 1.0, 0.99),
    ("solidify outward", "SOLIDIFY", {"thickness": 0.05, "offset": 1.0}, 0.97, 0.97),
    ("bevel", "BEVEL", {"width": 0.01}, 0.99, 0.97),
    ("array", "ARRAY", {"count": 3}, 1.0, 0.99),
    ("voxel remesh", "REMESH", {"voxel_size": 0.06}, 0.96, 0.95),
    ("octree remesh", "REMESH", {"mode": "SMOOTH", "octree_depth": 5}, 0.96, 0.95),
    ("decimate", "DECIMATE", {"ratio": 0.4}, 0.94, 0.94),
    ("undivide", "DECIMATE", {"decimate_type": "UNSUBDIV", "iterations": 1}, 0.97, 0.9),
    ("dissolve", "DECIMATE", {"decimate_type": "DISSOLVE", "angle_limit": 0.1}, 0.9, 0.9),
    ("weld", "WELD", {"merge_threshold": 0.05}, 0.97, 0.94),
    ("split edges", "EDGE_SPLIT", {"split_angle": 0.1}, 1.0, 0.99),
    ("triangulate", "TRIANGULATE", {}, 1.0, 0.9999),
    ("wireframe", "WIREFRAME", {"thickness": 0.01}, 0.98, 0.97),
    ("union", "BOOLEAN", lambda o, m: ball(o, m, "UNION"), 0.98, 0.96),
    ("difference", "BOOLEAN", lambda o, m: ball(o, m, "DIFFERENCE"), 0.98, 0.96),
    ("smooth", "SMOOTH", {"iterations": 2}, 0.98, 0.97),
]


@pytest.mark.parametrize(
    ("kind", "settings", "vertices", "area"),
    [pytest.param(*case, id=name) for name, *case in MODIFIERS],
)
def test_labels_of_what_is_seen_come_back_to_the_base_mesh(kind, settings, vertices, area):
    obj = add_body(subdivisions=4)
    modifier = obj.modifiers.new("It", kind)
    if callable(settings):
        settings(obj, modifier)
    else:
        for name, value in settings.items():
            setattr(modifier, name, value)
    seen = read_seen(obj)
    found = seen.to_base(by_place(seen.geometry))
    own = read_object(obj)
    expected = by_place(own)
    assert found.topology == expected.topology
    if seen.way:
        np.testing.assert_allclose(found.polygon_areas, expected.polygon_areas, rtol=1e-5)
    np.testing.assert_allclose(found.vertex_probabilities.sum(axis=1), 1.0, atol=1e-5)
    of_vertices, of_area = agreement(found, expected)
    assert of_vertices >= vertices
    assert of_area >= area
    # And values of the base at what is seen.
    stem = seen.from_base(own.coordinates)
    assert stem.shape == seen.geometry.coordinates.shape


@pytest.mark.parametrize(
    ("types", "inputs"),
    [
        (("GeometryNodeSubdivideMesh",), {}),
        (("GeometryNodeSubdivisionSurface",), {}),
        (("GeometryNodeDualMesh",), {}),
        (("GeometryNodeMeshToVolume", "GeometryNodeVolumeToMesh"), {}),
        (("GeometryNodeTransform",), {"Translation": (5.0, 0.0, 0.0)}),
        (("GeometryNodeGeometryToInstance", "GeometryNodeRealizeInstances"), {}),
        (("GeometryNodeTriangulate", "GeometryNodeSplitEdges"), {}),
    ],
)
def test_geometry_nodes_count_too(types, inputs):
    obj = add_body(subdivisions=3)
    add_nodes(obj, *types, **inputs)
    seen = read_seen(obj)
    found = seen.to_base(by_place(seen.geometry, inputs.get("Translation", (0.0,))[0]))
    of_vertices, of_area = agreement(found, by_place(read_object(obj)))
    assert of_vertices > 0.94
    assert of_area > 0.9


@pytest.fixture(scope="module")
def parts_of_ada(addon):
    from benchmarks.modifiers import reference

    return reference()


@pytest.mark.slow
@pytest.mark.parametrize("number", range(16))
def test_a_body_keeps_its_parts_with_any_modifier(parts_of_ada, number):
    from benchmarks.modifiers import CASES, agreement

    assert len(CASES) == 17
    # The last is of two bodies, whose sides are one decision.
    assert agreement(CASES[number], parts_of_ada)[0] > 0.97


@pytest.mark.parametrize("order", [("MIRROR", "SUBSURF"), ("MIRROR", "SUBSURF", "SOLIDIFY")])
def test_a_half_keeps_its_side_up_to_the_seam(order):
    obj = add_body(subdivisions=2)
    half(obj)
    for kind in order:
        obj.modifiers.new(kind, kind)
    seen = read_seen(obj)
    labels = seen.to_base(by_place(seen.geometry))
    assert (labels.polygon_labels % 2 == 0).all()
    assert seen.geometry.coordinates[:, 0].min() < -0.5


def test_a_coarse_cage_takes_the_vote_of_what_it_becomes():
    """Its corners alone do not tell: the face between two heights is of the one in the middle."""
    ring = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    corners = np.concatenate([np.c_[ring, np.full(4, z)] for z in (-1.0, 1.2)])
    sides = [[i, (i + 1) % 4, 4 + (i + 1) % 4, 4 + i] for i in range(4)]
    obj = add_mesh("Cage", corners, [*sides, [3, 2, 1, 0], [4, 5, 6, 7]])
    modifier = obj.modifiers.new("Subdivision", "SUBSURF")
    modifier.levels, modifier.subdivision_type = 3, "SIMPLE"
    seen = read_seen(obj)
    heights = seen.to_base(by_place(seen.geometry)).polygon_labels // 2
    assert heights.tolist() == [1, 1, 1, 1, 0, 2]


def test_what_has_no_modifiers_that_count_is_read_as_it_is():
    obj = add_body()
    obj.modifiers.new("Armature", "ARMATURE")
    obj.modifiers.new("Subdivision", "SUBSURF").show_viewport = False
    seen, own = read_seen(obj), read_object(obj)
    labels = by_place(own)
    assert seen.to_base(labels) is labels
    assert seen.geometry.surface.vertices.tobytes() == own.surface.vertices.tobytes()
    assert seen.geometry.surface.faces.tobytes() == own.surface.faces.tobytes()


def test_each_type_of_modifier_is_of_one_kind():
    groups = (kinds.DATA, kinds.MODELLING, kinds.POSING, kinds.ANIMATING, kinds.GENERATING)
    assert sum(map(len, groups)) == len(frozenset.union(*groups))
    assert frozenset.union(*groups) == EVERY_TYPE


@pytest.mark.parametrize("kind", sorted(kinds.POSING | kinds.ANIMATING))
def test_what_poses_and_animates_leaves_the_rest_shape(kind):
    obj = add_body()
    obj.modifiers.new("It", kind)
    obj.modifiers.new("Mirror", "MIRROR")
    seen = read_seen(obj).geometry
    obj.modifiers.remove(obj.modifiers[0])
    assert read_seen(obj).geometry.surface.vertices.tobytes() == seen.surface.vertices.tobytes()


def _state():
    """All data-blocks with their users, and the poses of armatures."""
    collections = [getattr(bpy.data, name) for name in dir(bpy.data)]
    blocks = [c for c in collections if isinstance(c, bpy.types.bpy_prop_collection)]
    poses = [
        tuple(bone.matrix_basis[row])
        for obj in bpy.data.objects
        if obj.pose
        for bone in obj.pose.bones
        for row in range(4)
    ]
    users = {(type(b).__name__, b.name_full): b.users for c in blocks for b in c}
    return users, poses, bpy.context.scene.name, [o.name for o in bpy.context.selected_objects]


@pytest.fixture
def rigged():
    """A half body with a mirror, whose rig has a key in frame 1 and another pose without one."""
    obj = add_body(subdivisions=3)
    half(obj)
    rig = add_rig(obj, {"root": ((0, 0, -2), (0, 0, 0)), "top": ((0, 0, 0), (0, 0, 2))})
    heights = read_object(obj).coordinates[:, 2]
    for name, chosen in (("root", heights < 0), ("top", heights >= 0)):
        obj.vertex_groups.new(name=name).add(np.flatnonzero(chosen).tolist(), 1.0, "REPLACE")
    obj.modifiers.new("Mirror", "MIRROR")
    obj.modifiers.move(0, 1)
    obj.shape_key_add(name="Basis")
    obj.shape_key_add(name="Other")
    bone = rig.pose.bones["top"]
    bone.keyframe_insert("location", frame=1)
    bone.location = (0.0, 3.0, 0.0)
    select(obj)
    return obj, rig


@pytest.mark.parametrize("posed", [False, True])
@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_left_behind_and_the_pose_stays(rigged, posed, fails):
    obj, rig = rigged
    if fails:
        add_nodes(obj, "GeometryNodeTransform", Scale=(float("inf"),) * 3)
        bpy.context.view_layer.update()
    before = _state()
    if fails:
        with pytest.raises(SurfaceError, match="not finite"):
            read_seen(obj, posed)
    else:
        read_seen(obj, posed)
    assert _state() == before
    bpy.context.view_layer.update()
    assert rig.pose.bones["top"].location[1] == 3.0


def test_posed_is_as_the_viewport_shows_it(rigged):
    obj, _ = rigged
    posed, rest = read_seen(obj, posed=True), read_seen(obj)
    shown = read_object(obj, bpy.context.evaluated_depsgraph_get())
    np.testing.assert_array_equal(posed.geometry.coordinates, shown.coordinates)
    assert np.ptp(posed.geometry.coordinates[:, 2]) > np.ptp(rest.geometry.coordinates[:, 2]) + 2
    # Both tell the same of the same vertices.
    sides = posed.to_base(by_place(posed.geometry)).vertex_labels % 2
    assert (sides == 0).all()
    np.testing.assert_array_equal(
        posed.values_to_base(rest.geometry.coordinates), read_object(obj).coordinates
    )


@pytest.mark.parametrize("hide", ["hide_set", "hide_viewport", "edit", "mask"])
def test_what_the_viewport_does_not_show_is_read_all_the_same(rigged, hide):
    obj, rig = rigged
    rig.pose.bones["top"].keyframe_insert("location", frame=1)
    bpy.context.view_layer.update()
    shown = read_seen(obj, posed=True).geometry.coordinates
    if hide == "hide_set":
        obj.hide_set(True)
    elif hide == "hide_viewport":
        obj.hide_viewport = True
    elif hide == "edit":
        obj.modifiers["Mirror"].show_in_editmode = False
        bpy.ops.object.mode_set(mode="EDIT")
    else:
        labels = by_place(read_object(obj))
        write_labels(obj, labels, Outputs())
        mask_parts(obj, labels, {2, 4})
    bpy.context.view_layer.update()
    np.testing.assert_allclose(read_seen(obj, posed=True).geometry.coordinates, shown, atol=1e-5)


def test_hidden_parts_are_read_and_what_the_artist_masks_is_not():
    obj = add_body(subdivisions=3)
    labels = by_place(read_object(obj))
    write_labels(obj, labels, Outputs())
    mask_parts(obj, labels, {0, 1})
    assert read_seen(obj).way is None
    own = obj.vertex_groups.new(name="kept")
    own.add(np.flatnonzero(read_object(obj).coordinates[:, 2] > 0).tolist(), 1.0, "REPLACE")
    obj.modifiers.new("Mine", "MASK").vertex_group = "kept"
    seen = read_seen(obj)
    assert seen.geometry.coordinates[:, 2].min() > -0.2
    # What is not seen has the label of what is next to it.
    assert (seen.to_base(by_place(seen.geometry)).polygon_labels // 2 > 0).all()


def test_edges_with_a_skin_have_labels_on_their_vertices():
    obj = add_mesh("Stick", [[0, 0, -2], [0, 0, 0], [0, 0, 2]], [], edges=[(0, 1), (1, 2)])
    bpy.ops.object.modifier_add(type="SKIN")
    seen = read_seen(obj)
    assert not seen.geometry.surface.is_point_cloud
    labels = seen.to_base(by_place(seen.geometry))
    assert (labels.vertex_labels // 2).tolist() == [0, 1, 2]
    assert len(labels.polygon_labels) == 0


@pytest.mark.parametrize("nodes", [["GeometryNodeMeshToPoints"], ["GeometryNodeMeshToCurve"]])
def test_what_is_seen_and_no_mesh_leaves_the_base(nodes):
    obj = add_body()
    add_nodes(obj, *nodes)
    assert read_seen(obj).geometry.polygons.topology == read_object(obj).polygons.topology


def test_a_mesh_that_modifiers_make_of_nothing_is_told():
    obj = add_mesh("Nothing", np.zeros((0, 3)), [])
    add_nodes(obj, "GeometryNodeMeshUVSphere")
    with pytest.raises(SurfaceError, match="'Nothing' has no geometry of its own"):
        read_seen(obj)


@pytest.mark.parametrize("state", ["edit", "shared", "linked", "override", "sculpt"])
def test_objects_in_any_state(state, tmp_path):
    obj = add_body(subdivisions=3)
    half(obj)
    obj.modifiers.new("Mirror", "MIRROR")
    expected = read_seen(obj).geometry.coordinates
    if state in {"edit", "sculpt"}:
        bpy.ops.object.mode_set(mode=state.upper())
    elif state == "shared":
        twin = bpy.data.objects.new("Twin", obj.data)
        bpy.context.collection.objects.link(twin)
    else:
        path = tmp_path / "body.blend"
        bpy.data.libraries.write(str(path), {obj})
        bpy.data.objects.remove(obj)
        with bpy.data.libraries.load(str(path), link=True) as (_, wanted):
            wanted.objects = ["Body"]
        obj = wanted.objects[0]
        bpy.context.collection.objects.link(obj)
        if state == "override":
            obj = obj.override_create(remap_local_usages=True)
    bpy.context.view_layer.update()
    before = _state()
    seen = read_seen(obj)
    np.testing.assert_array_equal(seen.geometry.coordinates, expected)
    assert (seen.to_base(by_place(seen.geometry)).polygon_labels % 2 == 0).all()
    after = _state()
    if state == "override":
        # Blender does not give back a user of the linked object.
        before, after = set(before[0]), set(after[0])
    assert after == before


def test_the_other_half_follows_by_mirrored_vertex_groups():
    obj = add_body(subdivisions=3)
    half(obj)
    obj.modifiers.new("Mirror", "MIRROR")
    seen = read_seen(obj)
    write_labels(obj, seen.to_base(by_place(seen.geometry)), Outputs())
    assert group_weights(obj, "high.R").max() == 0
    shown = obj.evaluated_get(bpy.context.evaluated_depsgraph_get())
    groups = [group.name for group in obj.vertex_groups]
    for vertex in shown.data.vertices:
        sides = {groups[element.group][-1] for element in vertex.groups if element.weight > 0}
        if abs(vertex.co.x) > 1e-4:
            assert sides == {"L" if vertex.co.x > 0 else "R"}


def test_a_mirrored_object_with_a_mirror_stays_outward():
    obj = add_body(subdivisions=3)
    half(obj)
    obj.modifiers.new("Mirror", "MIRROR")
    obj.scale = (-1, 2, 1)
    bpy.context.view_layer.update()
    seen = read_seen(obj)
    a, b, c = (seen.geometry.surface.vertices[seen.geometry.surface.faces[:, i]] for i in range(3))
    assert np.einsum("fi,fi->", a, np.cross(b, c)) > 0
    assert (seen.to_base(by_place(seen.geometry)).polygon_labels % 2 == 0).all()
