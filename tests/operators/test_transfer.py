"""What one mesh carries is moved to another and read back through bpy."""

import time

import bpy
import numpy as np
import pytest

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.matching.closest import ClosestPoints
from diffusionnet_blender.matching.judgement import Judgement
from diffusionnet_blender.operators.run import JobRun
from diffusionnet_blender.properties import from_options
from diffusionnet_blender.scene.matches import Match, find_match, fingerprint, keep_match
from diffusionnet_blender.scene.read import read_object
from diffusionnet_blender.scene.transfer import read_transfer
from diffusionnet_blender.scene.transfer_jobs import TransferJobs
from diffusionnet_blender.session import computing
from diffusionnet_blender.surface.repair_report import RepairReport
from diffusionnet_blender.tasks.match.request import Correspondence, no_pins
from diffusionnet_blender.tasks.transfer import job
from diffusionnet_blender.tasks.transfer.kinds import KINDS, Kinds
from diffusionnet_blender.tasks.transfer.request import TransferRequest
from tests.matching.pairs import lumps, lumpy_surface
from tests.scenes import add_mesh, add_rig, chain, group_weights, select, values_of

pytestmark = pytest.mark.usefixtures("blender")

LEAN = (0.8, 0.5)


@pytest.fixture(scope="module", autouse=True)
def _end_worker():
    yield
    computing.end_worker()


@pytest.fixture
def pair(blender):
    """Two meshes of one body, the second in other triangles, with their true map kept."""
    return make_pair()


def make_pair(turned=None):
    source, here = lumpy_surface(3)
    target, there = lumpy_surface(3, seed=6)
    one = add_mesh("Source", source.vertices, source.faces)
    other = add_mesh("Target", target.vertices, target.faces)
    if turned is not None:
        other.matrix_world = turned
    bpy.context.view_layer.update()
    one["directions"], other["directions"] = here.ravel(), there.ravel()
    points, _ = ClosestPoints(here, source.faces)(there)
    keep_true_match(one, other, points)
    panel = bpy.context.scene.diffusionnet.transfer
    panel.source, panel.target = one, other
    return one, other


def keep_true_match(one, other, points, confidence=None, unmatched=None):
    found = Correspondence(
        target_to_source=points,
        confidence=np.ones(len(points)) if confidence is None else confidence,
        unmatched=np.zeros(len(points), dtype=bool) if unmatched is None else unmatched,
        judgement=Judgement(1.0, 1.0, 0.0),
        model_name="truth",
        way="features",
        fit="",
        repairs=(RepairReport(), RepairReport()),
        seconds={},
    )
    keep_match(one, other, Match(found, no_pins(), fingerprint(one), fingerprint(other)))


def directions(obj):
    return np.array(obj["directions"]).reshape(-1, 3)


def corner_vertices(mesh):
    vertices = np.empty(len(mesh.loops), dtype=np.int32)
    mesh.loops.foreach_get("vertex_index", vertices)
    return vertices


def unwrap(obj, name="UVMap", scale=0.9):
    """Seen from above and below: two islands beside each other, cut around the middle."""
    mesh = obj.data
    mesh.uv_layers.new(name=name)
    at = directions(obj)[corner_vertices(mesh)].reshape(-1, 3, 3)
    above = at.sum(axis=1)[:, 2] > 0
    uv = 0.5 + 0.45 * at[..., :2]
    uv[..., 0] = 0.5 * uv[..., 0] + np.where(above, 0.5, 0.0)[:, None]
    uv = scale * uv.reshape(-1, 2)
    mesh.uv_layers[name].data.foreach_set("uv", uv.ravel())
    return uv


def give_image(obj, colour_of, name="Skin", size=128, socket="Base Color", packed=True):
    """A material with an image: a function of the direction from the middle."""
    v, u = np.meshgrid((np.arange(size) + 0.5) / size, (np.arange(size) + 0.5) / size,
                       indexing="ij")  # fmt: skip
    flat = np.stack([u, v], axis=2) / 0.9
    x = (2 * flat[..., 0]) % 1
    plane = np.stack([(x - 0.5) / 0.45, (flat[..., 1] - 0.5) / 0.45], axis=2)
    height = np.sqrt(np.clip(1 - np.square(plane).sum(axis=2), 0, 1))
    z = np.where(flat[..., 0] > 0.5, height, -height)
    pixels = np.ones((size, size, 4), dtype=np.float32)
    pixels[..., :3] = colour_of(np.concatenate([plane, z[..., None]], axis=2))
    image = bpy.data.images.new(name, size, size)
    image.pixels.foreach_set(pixels.ravel())
    if packed:
        image.pack()
    material = obj.active_material or bpy.data.materials.new("Paint")
    material.use_nodes = True
    if not obj.data.materials:
        obj.data.materials.append(material)
    nodes = material.node_tree.nodes
    node = nodes.new("ShaderNodeTexImage")
    node.image = image
    shader = nodes["Principled BSDF"]
    if socket == "Normal":
        image.colorspace_settings.name = "Non-Color"
        between = nodes.new("ShaderNodeNormalMap")
        material.node_tree.links.new(node.outputs["Color"], between.inputs["Color"])
        material.node_tree.links.new(between.outputs["Normal"], shader.inputs["Normal"])
    else:
        material.node_tree.links.new(node.outputs["Color"], shader.inputs[socket])
    return image


def give_all_kinds(source, size=16):
    """An image, weights of a rig, a shape key and an attribute."""
    unwrap(source)
    give_image(source, colour_of, size=size)
    two_bones(source)
    add_rig(source, chain("low", "high"))
    source.shape_key_add(name="Basis")
    source.shape_key_add(name="Smile").data[0].co.x += 0.1
    source.data.attributes.new("wear", "FLOAT", "POINT")


def colour_of(direction):
    x, y, z = np.moveaxis(direction, -1, 0)
    return np.stack([0.5 + 0.4 * x, 0.5 + 0.4 * y, 0.5 + 0.3 * z], axis=-1)


def shown(obj, channel="Base Color"):
    """Image that a material of an object shows, as an array, and the UVs it is read through."""
    material = obj.data.materials[obj.data.polygons[0].material_index]
    for node in material.node_tree.nodes:
        if node.type == "TEX_IMAGE" and node.image.name.endswith(channel):
            image = node.image
            name = node.inputs["Vector"].links[0].from_node.uv_map
    pixels = np.empty(len(image.pixels), dtype=np.float32)
    image.pixels.foreach_get(pixels)
    uv = np.empty(2 * len(obj.data.loops), dtype=np.float32)
    obj.data.uv_layers[name].data.foreach_get("uv", uv)
    return image, pixels.reshape(image.size[1], image.size[0], 4), uv.reshape(-1, 2)


def read_at_faces(obj, channel="Base Color"):
    """Colours that an object shows in the middle of each face, and the directions there."""
    _, pixels, uv = shown(obj, channel)
    middle = uv.reshape(-1, 3, 2).mean(axis=1)
    column, row = (np.clip((middle * pixels.shape[1::-1]).astype(int), 0, 127)).T
    at = directions(obj)[corner_vertices(obj.data)].reshape(-1, 3, 3).mean(axis=1)
    return pixels[row, column, :3], at / np.linalg.norm(at, axis=1, keepdims=True)


def test_a_texture_is_baked_into_the_target_s_own_layout(pair):
    source, target = pair
    unwrap(source)
    unwrap(target, "Mine")
    give_image(source, colour_of)
    give_image(
        source, lambda d: np.repeat(0.5 + 0.4 * d[..., 2:], 3, axis=-1), "R", 64, "Roughness"
    )
    assert bpy.ops.diffusionnet.transfer(texture=True) == {"FINISHED"}
    found, at = read_at_faces(target)
    inside = np.abs(at[:, 2]) > 0.2
    assert np.abs(found - colour_of(at))[inside].mean() < 0.02
    rough, pixels, _ = shown(target, "Roughness")
    assert tuple(rough.size) == (64, 64)
    assert rough.packed_file is not None
    # The source's layout has other texels; the target keeps its own layout alone.
    assert target.data.uv_layers.keys() == ["Mine"]
    assert source.data.materials[0].name == "Paint"
    assert source.data.materials[0].users == 1


def test_faces_without_a_counterpart_keep_the_material_of_the_artist(pair):
    source, target = pair
    unwrap(source)
    unwrap(target)
    give_image(source, colour_of)
    top = directions(target)[:, 2] > 0.5
    match = find_match(source, target)
    points = match.correspondence.target_to_source
    keep_true_match(source, target, points, unmatched=top)
    hat = bpy.data.materials.new("Hat")
    target.data.materials.append(hat)
    faces = np.array([polygon.vertices[:] for polygon in target.data.polygons])
    alone = top[faces].sum(axis=1) > 1

    def kept():
        slots = np.array([polygon.material_index for polygon in target.data.polygons])
        return np.array([material == hat for material in target.data.materials])[slots]

    for kinds in ({"texture": True}, {"texture": True, "materials": True}, {"materials": True}):
        # Once more, what is ours makes way, and what is theirs stays.
        for _ in range(2):
            assert bpy.ops.diffusionnet.transfer(**kinds) == {"FINISHED"}
            np.testing.assert_array_equal(kept(), alone)
    target.data.materials.clear()
    assert bpy.ops.diffusionnet.transfer(texture=True) == {"FINISHED"}
    assert not any(polygon.material_index for polygon in target.data.polygons)
    assert len(target.data.materials) == 1


def test_an_image_on_disk_on_a_mirrored_object(pair, tmp_path):
    from mathutils import Matrix

    source, target = pair
    unwrap(source)
    unwrap(target)
    image = give_image(source, colour_of, packed=False)
    image.filepath_raw, image.file_format = str(tmp_path / "skin.png"), "PNG"
    image.save()
    for node in source.active_material.node_tree.nodes:
        if node.type == "TEX_IMAGE":
            node.image = bpy.data.images.load(image.filepath_raw)
    # Mirrored twice it stands as before, with its faces the other way round in the mesh.
    source.data.transform(Matrix.Diagonal((-1.0, 1.0, 1.0, 1.0)))
    source.data.flip_normals()
    source.scale.x = -1.0
    bpy.context.view_layer.update()
    faces = read_object(source).surface.faces
    keep_true_match(source, target, ClosestPoints(directions(source), faces)(directions(target))[0])
    bpy.ops.diffusionnet.transfer(texture=True)
    found, at = read_at_faces(target)
    inside = np.abs(at[:, 2]) > 0.2
    assert np.abs(found - colour_of(at))[inside].mean() < 0.02
    assert shown(target)[0].packed_file is not None


def test_a_target_without_a_layout_is_unwrapped(pair):
    source, target = pair
    unwrap(source)
    give_image(source, colour_of)
    select(source)
    assert bpy.ops.diffusionnet.transfer(texture=True, texture_size=128) == {"FINISHED"}
    found, at = read_at_faces(target)
    inside = np.abs(at[:, 2]) > 0.2
    assert np.abs(found - colour_of(at))[inside].mean() < 0.03
    assert bpy.context.view_layer.objects.active == source
    assert [obj.name for obj in bpy.data.objects if obj.type == "MESH"] == ["Source", "Target"]


def test_a_normal_map_is_turned_into_the_target_s_frames(pair):
    """The layouts lie a quarter turn apart: what leans along u then leans along v."""
    source, target = pair
    unwrap(source)
    uv = unwrap(target, scale=0.8)
    turned = np.stack([1 - uv[:, 1], uv[:, 0]], axis=1)
    target.data.uv_layers[0].data.foreach_set("uv", turned.ravel())
    leaning = np.array([0.5 + 0.5 * 0.6, 0.5, 0.5 + 0.5 * 0.8])
    give_image(source, lambda d: np.broadcast_to(leaning, d.shape), socket="Normal")
    bpy.ops.diffusionnet.transfer(texture=True)
    image, _, _ = shown(target, "Normal")
    assert image.colorspace_settings.name == "Non-Color"
    found, at = read_at_faces(target, "Normal")
    above = np.abs(at[:, 2]) > 0.6
    np.testing.assert_allclose(
        np.median(found[above], axis=0), [0.5, leaning[0], leaning[2]], atol=0.06
    )


def test_the_uv_map_is_copied_with_its_seam(pair):
    source, target = pair
    unwrap(source, "Layout")
    bpy.ops.diffusionnet.transfer(uv=True)
    uv = np.empty(2 * len(target.data.loops), dtype=np.float32)
    target.data.uv_layers["Layout"].data.foreach_get("uv", uv)
    uv = uv.reshape(-1, 3, 2)
    at = directions(target)[corner_vertices(target.data)].reshape(-1, 3, 3)
    wanted = 0.5 + 0.45 * at[..., :2]
    above = at.sum(axis=1)[:, 2] > 0
    wanted[..., 0] = 0.5 * wanted[..., 0] + np.where(above, 0.5, 0.0)[:, None]
    clear = np.abs(at[..., 2]).min(axis=1) > 0.2
    assert np.abs(uv - 0.9 * wanted)[clear].max() < 0.02
    # No face spans both islands, and the edges between them are seams.
    assert np.ptp(uv[..., 0], axis=1).max() < 0.25
    seams = [edge for edge in target.data.edges if edge.use_seam]
    middles = np.array([directions(target)[list(edge.vertices)].mean(axis=0) for edge in seams])
    assert len(seams) > 20
    assert np.abs(middles[:, 2]).max() < 0.25


def test_a_uv_map_of_the_target_s_own_stays(pair):
    source, target = pair
    unwrap(source)
    before = unwrap(target)
    for _ in range(2):
        bpy.ops.diffusionnet.transfer(uv=True)
        assert target.data.uv_layers.keys() == ["UVMap", "DN UVMap"]
    kept = np.empty(2 * len(target.data.loops), dtype=np.float32)
    target.data.uv_layers["UVMap"].data.foreach_get("uv", kept)
    np.testing.assert_allclose(kept.reshape(-1, 2), before, atol=1e-6)


def two_bones(obj, extra=True):
    """Weights that go over from one bone to the other with the height; and a mask."""
    height = (directions(obj)[:, 2] + 1) / 2
    for name, column in (("low", 1 - height), ("high", height)):
        group = obj.vertex_groups.new(name=name)
        for vertex, weight in enumerate(column.tolist()):
            group.add([vertex], weight, "REPLACE")
    return height


def test_skin_weights_arrive_where_the_match_is_sure_and_are_filled_in_elsewhere(pair):
    source, target = pair
    two_bones(source)
    match = find_match(source, target)
    height = (directions(target)[:, 2] + 1) / 2
    doubtful = np.abs(directions(target)[:, 0]) < 0.3
    # Where it is not sure the map is nonsense; a smooth filling does not care.
    points = match.correspondence.target_to_source
    points.face[doubtful] = 0
    keep_true_match(source, target, points, np.where(doubtful, 0.0, 1.0))
    bpy.ops.diffusionnet.transfer(weights=True)
    low, high = (group_weights(target, name) for name in ("low", "high"))
    np.testing.assert_allclose(low + high, 1, atol=1e-5)
    assert np.abs(high - height)[~doubtful].mean() < 0.01
    assert np.abs(high - height)[doubtful].mean() < 0.03


def test_weights_are_limited_chosen_and_locked(pair):
    source, target = pair
    two_bones(source)
    bpy.ops.diffusionnet.transfer(weights=True, limit=1)
    both = np.stack([group_weights(target, name) for name in ("low", "high")], axis=1)
    assert np.count_nonzero(both, axis=1).max() == 1
    np.testing.assert_allclose(both.sum(axis=1), 1)

    target.vertex_groups.clear()
    bpy.ops.diffusionnet.transfer(weights=True, group_names="high", limit=0)
    assert target.vertex_groups.keys() == ["high"]

    target.vertex_groups.clear()
    group = target.vertex_groups.new(name="low")
    group.add(list(range(len(target.data.vertices))), 0.25, "REPLACE")
    group.lock_weight = True
    bpy.ops.diffusionnet.transfer(weights=True)
    np.testing.assert_allclose(group_weights(target, "low"), 0.25)
    np.testing.assert_allclose(group_weights(target, "high"), 0.75, atol=1e-5)


@pytest.mark.parametrize("small", [False, True])
def test_shape_keys_keep_their_names_ranges_and_values(pair, small):
    source, target = pair
    source.shape_key_add(name="Rest")
    taller = source.shape_key_add(name="Taller")
    wider = source.shape_key_add(name="Wider")
    for key, axis in ((taller, 2), (wider, 0)):
        places = lumps(directions(source))
        places[:, axis] *= 1.2
        key.data.foreach_set("co", places.astype(np.float32).ravel())
    taller.slider_min, taller.slider_max, taller.value = -2.0, 3.0, 1.5
    wider.mute = True
    wider.relative_key = taller
    bpy.ops.diffusionnet.transfer(shape_keys=True, small_keys=small)
    keys = target.data.shape_keys.key_blocks
    assert keys.keys() == ["Rest", "Taller", "Wider"]
    assert (keys["Taller"].slider_min, keys["Taller"].slider_max) == (-2.0, 3.0)
    assert keys["Taller"].value == 1.5
    assert keys["Wider"].mute
    assert keys["Wider"].relative_key == keys["Taller"]
    wanted = lumps(directions(target)) * [1, 1, 1.2]
    found = np.array([point.co for point in keys["Taller"].data])
    # A key is free to shift as a whole where nothing holds it.
    away = (found - found.mean(axis=0)) - (wanted - wanted.mean(axis=0))
    assert np.linalg.norm(away, axis=1).mean() < 0.02


def test_colours_and_attributes_of_every_domain_and_kind(pair):
    source, target = pair
    mesh, at = source.data, directions(source)
    corners = corner_vertices(mesh)
    faces = at[corners].reshape(-1, 3, 3).mean(axis=1)

    def give(name, kind, domain, values, prop="value"):
        mesh.attributes.new(name, kind, domain)
        mesh.attributes[name].data.foreach_set(prop, np.ascontiguousarray(values).ravel())

    opaque = np.concatenate([colour_of(at), np.ones((len(at), 1))], axis=1).astype(np.float32)
    give("Point", "FLOAT_COLOR", "POINT", opaque, "color")
    give("Corner", "BYTE_COLOR", "CORNER", opaque[corners], "color")
    give("height", "FLOAT", "POINT", at[:, 2].astype(np.float32))
    give("place", "FLOAT_VECTOR", "POINT", at.astype(np.float32), "vector")
    give("half", "INT", "POINT", (at[:, 0] > 0).astype(np.int32))
    give("flag", "BOOLEAN", "FACE", faces[:, 1] > 0)
    give("weight", "FLOAT", "FACE", faces[:, 2].astype(np.float32))
    mesh.color_attributes.active_color_name = "Corner"
    bpy.ops.diffusionnet.transfer(colors=True, attributes=True)

    there, mine = target.data, directions(target)
    found = np.empty(4 * len(mine), dtype=np.float32)
    there.attributes["Point"].data.foreach_get("color", found)
    assert np.abs(found.reshape(-1, 4)[:, :3] - colour_of(mine)).max() < 0.02
    found = np.empty(4 * len(there.loops), dtype=np.float32)
    there.attributes["Corner"].data.foreach_get("color", found)
    at_corners = mine[corner_vertices(there)]
    assert np.abs(found.reshape(-1, 4)[:, :3] - colour_of(at_corners)).max() < 0.05
    assert there.color_attributes.active_color_name == "Corner"
    np.testing.assert_allclose(values_of(target, "height"), mine[:, 2], atol=0.02)
    found = np.empty(3 * len(mine), dtype=np.float32)
    there.attributes["place"].data.foreach_get("vector", found)
    np.testing.assert_allclose(found.reshape(-1, 3), mine, atol=0.03)
    clear = np.abs(mine[:, 0]) > 0.2
    np.testing.assert_array_equal(values_of(target, "half")[clear], (mine[:, 0] > 0)[clear])
    middles = mine[corner_vertices(there)].reshape(-1, 3, 3).mean(axis=1)
    clear = np.abs(middles[:, 1]) > 0.2
    np.testing.assert_array_equal(values_of(target, "flag")[clear], (middles[:, 1] > 0)[clear])
    assert np.abs(values_of(target, "weight") - middles[:, 2]).mean() < 0.05


def test_materials_and_their_slots(pair):
    source, target = pair
    for name in ("Front", "Back"):
        source.data.materials.append(bpy.data.materials.new(name))
    at = directions(source)[corner_vertices(source.data)].reshape(-1, 3, 3).mean(axis=1)
    source.data.polygons.foreach_set("material_index", (at[:, 1] > 0).astype(np.int32))
    target.data.materials.append(bpy.data.materials.new("Mine"))
    bpy.ops.diffusionnet.transfer(materials=True)
    assert [m.name for m in target.data.materials] == ["Mine", "Front", "Back"]
    mine = directions(target)[corner_vertices(target.data)].reshape(-1, 3, 3).mean(axis=1)
    slots = np.array([p.material_index for p in target.data.polygons])
    clear = np.abs(mine[:, 1]) > 0.2
    np.testing.assert_array_equal(slots[clear], np.where(mine[:, 1] > 0, 2, 1)[clear])


def test_part_labels_with_their_legend(pair):
    source, target = pair
    bpy.ops.diffusionnet.segment(object_name="Source")
    bpy.ops.diffusionnet.transfer(labels=True)
    given, got = source.data.diffusionnet, target.data.diffusionnet
    assert [(p.name, tuple(p.color)) for p in got.parts] == [
        (p.name, tuple(p.color)) for p in given.parts
    ]
    nearest = (directions(target) @ directions(source).T).argmax(axis=1)
    same = values_of(target, "part_vertex") == values_of(source, "part_vertex")[nearest]
    assert same.mean() > 0.9


def test_a_mirrored_and_turned_target_gets_its_keys_in_its_own_space(blender):
    from mathutils import Matrix

    turned = Matrix.Rotation(0.7, 4, "X") @ Matrix.Diagonal((-3.0, 3.0, 3.0, 1.0))
    source, target = make_pair(turned)
    source.shape_key_add(name="Basis")
    key = source.shape_key_add(name="Grown")
    key.data.foreach_set("co", (1.1 * lumps(directions(source))).astype(np.float32).ravel())
    bpy.ops.diffusionnet.transfer(shape_keys=True)
    found = np.array([p.co for p in target.data.shape_keys.key_blocks["Grown"].data])
    rest = lumps(directions(target))
    growth = np.linalg.norm(found - found.mean(axis=0)) / np.linalg.norm(rest - rest.mean(axis=0))
    assert growth == pytest.approx(1.1, abs=0.01)


def test_the_target_may_be_in_edit_mode(pair):
    source, target = pair
    two_bones(source)
    bpy.context.view_layer.objects.active = target
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.diffusionnet.transfer(weights=True)
    assert target.data.is_editmode
    bpy.ops.object.mode_set(mode="OBJECT")
    assert target.vertex_groups.keys() == ["low", "high"]


def transferred(run, meanwhile=None):
    """Let the worker do it; `meanwhile` happens while it does."""
    run.advance()
    if meanwhile:
        meanwhile()
    while not run.finished:
        run.advance()
        time.sleep(0.01)
    return run.jobs.prepared(run.result, at_once=False)


def start(source, target, *kinds):
    panel = bpy.context.scene.diffusionnet.transfer
    match = find_match(source, target)
    options = from_options.values_of(TransferRequest, panel)
    jobs = TransferJobs(source, target, match, Kinds.only(*kinds), **options)
    return JobRun(jobs, computing.the_worker())


def test_the_worker_computes_what_is_computed_here(pair):
    source, target = pair
    give_all_kinds(source, size=32)
    source.data.color_attributes.new("tint", "FLOAT_COLOR", "POINT")
    source.data.attributes.new("count", "INT", "FACE")
    unwrap(target)
    everything = [kind for kind in KINDS if kind != "labels"]
    bpy.context.scene.diffusionnet.transfer.texture_size = 32
    reading = read_transfer(source, target, Kinds.only(*everything))
    found = find_match(source, target).correspondence
    here = job.run(reading.request(found, texture_size=32))
    there = transferred(start(source, target, *everything))
    assert there.read.unwrapped == reading.unwrapped
    assert there.moved.bones is not None
    assert_alike(vars(here), vars(there.moved))


def assert_alike(one, other):
    """The same values of the same types, however deep."""
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one.astype(float), other.astype(float), atol=1e-9)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_alike(one[key], other[key])
    elif isinstance(one, tuple):
        assert len(one) == len(other)
        for pair in zip(one, other, strict=True):
            assert_alike(*pair)
    elif hasattr(one, "__dict__"):
        assert type(one) is type(other)
        assert_alike(vars(one), vars(other))
    else:
        assert one == other


def test_a_mesh_that_was_edited_meanwhile_is_not_written_to(pair):
    source, target = pair
    source.vertex_groups.new(name="all").add(range(len(source.data.vertices)), 1.0, "REPLACE")

    def edit():
        target.data.vertices[0].co.x += 0.1

    with pytest.raises(DiffusionNetError, match="'Target' was changed while"):
        transferred(start(source, target, "weights"), edit)


def test_a_source_that_gave_away_its_groups_meanwhile_is_told(pair):
    source, target = pair
    group = source.vertex_groups.new(name="all")
    group.add(range(len(source.data.vertices)), 1.0, "REPLACE")
    source.vertex_groups.new(name="other")
    with pytest.raises(DiffusionNetError, match="'Source' was changed during"):
        transferred(start(source, target, "weights"), lambda: source.vertex_groups.remove(group))


def test_a_deleted_target_is_told(pair):
    source, target = pair
    source.vertex_groups.new(name="all").add(range(len(source.data.vertices)), 1.0, "REPLACE")
    with pytest.raises(DiffusionNetError, match="'Target' was deleted during the run"):
        transferred(start(source, target, "weights"), lambda: bpy.data.objects.remove(target))


def test_what_is_on_by_default_is_left_out_where_the_source_has_none(pair):
    source, target = pair
    source.vertex_groups.new(name="all").add(range(len(source.data.vertices)), 1.0, "REPLACE")
    assert bpy.ops.diffusionnet.transfer() == {"FINISHED"}
    assert "all" in target.vertex_groups
    bpy.context.scene.diffusionnet.transfer.texture = True
    with pytest.raises(RuntimeError, match="has no UV map"):
        bpy.ops.diffusionnet.transfer()


def test_an_uncertain_match_is_told_first_or_refused(pair, capfd):
    source, target = pair
    two_bones(source)
    source.shape_key_add(name="Basis")
    source.shape_key_add(name="Smile").data[0].co.x += 0.1
    match = find_match(source, target)
    few = np.where(np.arange(len(target.data.vertices)) % 4, 0.0, 1.0)
    keep_true_match(source, target, match.correspondence.target_to_source, few)
    with pytest.raises(RuntimeError, match=r"confident on 25% of vertices only.*shape keys"):
        bpy.ops.diffusionnet.transfer(shape_keys=True, weights=True)
    assert target.data.shape_keys is None
    assert not target.vertex_groups
    assert bpy.ops.diffusionnet.transfer(weights=True) == {"FINISHED"}
    assert "Uncertain match, confident on 25% of vertices only: Source to" in capfd.readouterr().out
    assert bpy.ops.diffusionnet.transfer(shape_keys=True, accept_uncertain=True) == {"FINISHED"}
    assert "Smile" in target.data.shape_keys.key_blocks
