"""Matching, pins and looking at a match, by the operators."""

import time

import bpy
import numpy as np
import pytest
from mathutils import Matrix

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.operators.run import JobRun
from diffusionnet_blender.properties.model_lists import NO_MODEL
from diffusionnet_blender.scene.match_jobs import MatchJobs
from diffusionnet_blender.scene.matches import current_match, find_match
from diffusionnet_blender.session import computing
from diffusionnet_blender.settings import settings
from tests.conftest import MODEL
from tests.matching.pairs import lumpy_surface
from tests.operators.test_transfer import (
    colour_of,
    directions,
    give_image,
    keep_true_match,
    make_pair,
    two_bones,
    unwrap,
)
from tests.scenes import add_mesh, select, values_of

pytestmark = pytest.mark.usefixtures("blender")


@pytest.fixture(scope="module", autouse=True)
def _end_worker():
    yield
    computing.end_worker()


@pytest.fixture
def pair(blender):
    return make_pair()


def in_the_worker(source, target, pins, **options):
    """A run that matches two objects by distances alone."""
    compute = settings().compute | {"engine": "numpy"}
    jobs = MatchJobs(source, target, pins, model=None, **options, **compute)
    return JobRun(jobs, computing.the_worker())


def refused(call, **options):
    with pytest.raises(RuntimeError) as error:
        call(**options)
    return str(error.value)


def nearest(source, target, chosen):
    """Vertices of the target in the directions of some of the source."""
    return (directions(source)[chosen] @ directions(target).T).argmax(axis=1)


def pin(source, target, chosen):
    panel = bpy.context.scene.diffusionnet.transfer
    for here, there in zip(chosen, nearest(source, target, chosen).tolist(), strict=True):
        item = panel.pins.add()
        item.source_object, item.target_object = source, target
        item.source_vertex, item.target_vertex = here, there
    return panel


def test_a_match_is_found_kept_and_stale_after_an_edit(pair):
    source, target = pair
    target.rotation_euler = (0.4, 2.0, 1.0)
    assert bpy.ops.diffusionnet.match(model=NO_MODEL) == {"FINISHED"}
    match = find_match(source, target)
    assert match.correspondence.model_name == ""
    there = match.correspondence.target_to_source.interpolate(
        directions(source), np.array([p.vertices[:] for p in source.data.polygons])
    )
    assert np.linalg.norm(there - directions(target), axis=1).mean() < 0.1
    assert match.correspondence.confident_share > 0.8
    # Where it stands changes nothing, and what is painted on it neither.
    source.location.x += 3
    source.data.attributes.new("new", "FLOAT", "POINT")
    bpy.context.view_layer.update()
    assert current_match(source, target) is match
    target.data.vertices[0].co.x += 0.01
    told = refused(bpy.ops.diffusionnet.transfer, weights=True)
    assert "'Target' has changed since it was matched. Press Match again." in told


def test_the_worker_finds_what_blender_finds(pair):
    source, target = pair
    panel = pin(source, target, [11, 77, 300, 500])
    pins = np.array([(p.source_vertex, p.target_vertex) for p in panel.pins])
    # That no network can be fitted is told, and is no reason to stop.
    stages = set()
    run = in_the_worker(source, target, pins, fit=True)
    while not run.finished:
        run.advance()
        stages.add(run.progress.text)
        time.sleep(0.01)
    found = run.result
    assert find_match(source, target).correspondence is found
    assert len(stages) > 3
    bpy.ops.diffusionnet.match(model=NO_MODEL)
    kept = find_match(source, target)
    here = kept.correspondence
    assert (found.fit, here.fit) == ("no torch", "")
    np.testing.assert_array_equal(kept.pins, pins)
    faces = np.array([p.vertices[:] for p in source.data.polygons])
    for match in (found, here):
        pinned = match.target_to_source[pins[:, 1]]
        np.testing.assert_array_equal(pinned.nearest_vertex(faces), pins[:, 0])
    at = [m.target_to_source.interpolate(directions(source), faces) for m in (found, here)]
    np.testing.assert_allclose(*at, atol=1e-6)


def test_an_edit_meanwhile_is_told(pair):
    source, target = pair
    before = find_match(source, target)
    run = in_the_worker(source, target, np.zeros((0, 2), dtype=np.int64))
    run.advance()
    target.data.vertices[0].co.x += 0.1
    while not run.finished:
        run.advance()
        time.sleep(0.01)
    with pytest.raises(DiffusionNetError, match="was changed while it was being matched"):
        _ = run.result
    assert find_match(source, target) is before


def test_pins_by_vertices_in_the_order_of_their_selection(pair):
    import bmesh

    source, target = pair
    select(source, target)
    bpy.ops.object.mode_set(mode="EDIT")
    wanted = {source: [40, 3, 100], target: [7, 90, 12]}
    for obj, chosen in wanted.items():
        bm = bmesh.from_edit_mesh(obj.data)
        bm.verts.ensure_lookup_table()
        bm.select_history.clear()
        for index in chosen:
            bm.verts[index].select = True
            bm.select_history.add(bm.verts[index])
    bpy.ops.diffusionnet.add_pin()
    panel = bpy.context.scene.diffusionnet.transfer
    pinned = [(p.source_vertex, p.target_vertex) for p in panel.pins]
    assert pinned == list(zip(*wanted.values(), strict=True))
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.ops.diffusionnet.swap_pair()
    assert (panel.source, panel.target) == (target, source)
    assert [(p.target_vertex, p.source_vertex) for p in panel.pins] == pinned
    panel.active_pin = 1
    bpy.ops.diffusionnet.remove_pin()
    assert [p.target_vertex for p in panel.pins] == [40, 100]


def test_pins_by_empties_and_an_empty_that_is_nowhere(pair):
    source, target = pair
    target.location.x = 10
    bpy.context.view_layer.update()
    empties = []
    for obj, vertex in ((target, 20), (source, 30)):
        empty = bpy.data.objects.new(f"On {obj.name}", None)
        empty.location = obj.matrix_world @ obj.data.vertices[vertex].co
        bpy.context.collection.objects.link(empty)
        empties.append(empty)
    select(*empties)
    bpy.ops.diffusionnet.add_pin()
    from diffusionnet_blender.scene.pins import pinned_vertices

    panel = bpy.context.scene.diffusionnet.transfer
    np.testing.assert_array_equal(pinned_vertices(panel), [[30, 20]])
    empties[0].location.z += 50
    bpy.context.view_layer.update()
    told = refused(bpy.ops.diffusionnet.match, model=NO_MODEL)
    assert "Pin 1: 'On Target' is 49.5 away from 'Target'" in told
    empties[0].location = source.location
    told = refused(bpy.ops.diffusionnet.add_pin)
    assert "Both empties are on 'Source'" in told


def test_pins_of_other_objects_and_of_vertices_that_are_gone(pair):
    source, target = pair
    panel = pin(source, target, [1])
    panel.pins[0].target_vertex = 10**6
    assert "does not exist on" in refused(bpy.ops.diffusionnet.match, model=NO_MODEL)
    other = add_mesh("Other", *lumpy_mesh())
    panel.target = other
    told = refused(bpy.ops.diffusionnet.match, model=NO_MODEL)
    assert "Pin 1 was set on 'Target', not on 'Other'" in told
    assert find_match(source, other) is None


def lumpy_mesh():
    surface, _ = lumpy_surface(2)
    return surface.vertices, surface.faces


def test_a_preview_colours_both_alike_and_shows_confidence(pair):
    source, target = pair
    match = find_match(source, target)
    sure = np.linspace(0, 1, len(match.correspondence.confidence))
    keep_true_match(source, target, match.correspondence.target_to_source, sure)
    bpy.ops.diffusionnet.preview_match(show="CONFIDENCE")
    np.testing.assert_allclose(values_of(target, "match_confidence"), sure, atol=1e-6)
    assert target.data.color_attributes.active_color_name == "match_confidence_color"
    colours = []
    for obj in (source, target):
        values = np.empty(4 * len(obj.data.vertices), dtype=np.float32)
        obj.data.attributes["match_position"].data.foreach_get("color_srgb", values)
        colours.append(values.reshape(-1, 4))
    there = nearest(source, target, np.arange(len(directions(source))))
    assert np.abs(colours[1][there] - colours[0]).mean() < 0.05


@pytest.mark.parametrize("mode", ["OBJECT", "EDIT"])
def test_uncertain_vertices_are_selected(pair, mode):
    source, target = pair
    match = find_match(source, target)
    sure = (np.arange(len(match.correspondence.confidence)) >= 30).astype(float)
    keep_true_match(source, target, match.correspondence.target_to_source, sure)
    select(target)
    bpy.ops.object.mode_set(mode=mode)
    bpy.ops.diffusionnet.select_uncertain()
    bpy.ops.object.mode_set(mode="OBJECT")
    chosen = [v.index for v in target.data.vertices if v.select]
    assert chosen == list(range(30))


def test_a_model_that_names_parts_matches_nothing_and_the_other_way(pair, tiny_model):
    import json

    assert "labels parts and does not match" in refused(bpy.ops.diffusionnet.match, model=MODEL)
    card = tiny_model.with_suffix(".json")
    content = json.loads(card.read_text())
    twin = tiny_model.with_name("twin.safetensors")
    try:
        twin.write_bytes(tiny_model.read_bytes())
        content |= {"name": "twin", "class_names": [], "class_colours": []}
        twin.with_suffix(".json").write_text(json.dumps(content))
        bpy.ops.diffusionnet.reload_models()
        panel = bpy.context.scene.diffusionnet
        with pytest.raises(TypeError, match="twin"):
            panel.model = "twin"
        panel.transfer.model = "twin"
        told = refused(bpy.ops.diffusionnet.segment, model="twin")
        assert "matches shapes and does not label parts" in told
    finally:
        for path in (twin, twin.with_suffix(".json")):
            path.unlink()
        bpy.ops.diffusionnet.reload_models()


BAD_INPUT = [
    ("same", "is both source and target"),
    ("shared", "share the same mesh"),
    ("cloud", "has no faces"),
    ("no uv", "has no UV map"),
    ("no image", "have no image"),
    ("missing image", "is missing"),
    ("damaged image", "in the file, but damaged"),
    ("tiles", "Tile 1002 of the image 'Skin' is missing"),
    ("flat", "a scale of zero along an axis"),
    ("no room", "has the maximum number of UV maps"),
    ("nothing", "No data to transfer is chosen"),
    ("no groups", "has no vertex groups"),
    ("no keys", "has no shape keys"),
    ("no colours", "has no color attribute"),
    ("no parts", "has no parts"),
    ("not matched", "have not been matched"),
]


@pytest.mark.parametrize(("what", "words"), BAD_INPUT, ids=[what for what, _ in BAD_INPUT])
def test_bad_input_is_told_and_nothing_is_written(pair, what, words):
    source, target = pair
    panel = bpy.context.scene.diffusionnet.transfer
    options = {"texture": True, "weights": True}
    source.vertex_groups.new(name="bone").add([0], 1.0, "REPLACE")
    if what not in ("no uv",):
        unwrap(source)
    if what == "same":
        panel.target = source
    elif what == "shared":
        target.data = source.data
    elif what == "cloud":
        panel.target = add_mesh("Cloud", directions(source), [])
    elif what in ("missing image", "damaged image", "tiles", "no room"):
        image = give_image(source, colour_of, packed=False)
        image.source = "TILED" if what == "tiles" else "GENERATED"
        if what == "tiles":
            image.tiles.new(tile_number=1002)
        if what == "missing image":
            image.source, image.filepath = "FILE", "//nowhere.png"
        elif what == "damaged image":
            image.pack(data=b"no image", data_len=8)
            image.source = "FILE"
        elif what == "no room":
            options |= {"uv": True}
            for number in range(8):
                target.data.uv_layers.new(name=f"Layout {number}")
    elif what == "flat":
        target.scale.z = 0.0
        bpy.context.view_layer.update()
    elif what == "nothing":
        options = {"texture": False}
    elif what == "no groups":
        source.vertex_groups.clear()
        options = {"weights": True}
    elif what in ("no keys", "no colours", "no parts"):
        name = {"no keys": "shape_keys", "no colours": "colors", "no parts": "labels"}[what]
        options = {"weights": True, name: True}
    elif what == "not matched":
        panel.target = add_mesh("Other", *lumpy_mesh())
    names = set(target.data.attributes.keys())
    assert words in refused(bpy.ops.diffusionnet.transfer, **options)
    assert set(target.data.attributes.keys()) == names
    if what != "shared":
        assert not target.vertex_groups
        assert not target.data.materials
    assert not [image for image in bpy.data.images if image.name.startswith("Target")]


def test_linked_data_gives_but_is_not_given_to(pair, tmp_path):
    source, target = pair
    unwrap(source)
    give_image(source, colour_of)
    two_bones(source)
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.collection.objects.link(rig)
    select(rig)
    bpy.ops.object.mode_set(mode="EDIT")
    rig.data.edit_bones.new("low").tail = (0, 0, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    source.modifiers.new("Armature", "ARMATURE").object = rig
    path = str(tmp_path / "library.blend")
    bpy.data.libraries.write(path, {source, target})
    with bpy.data.libraries.load(path, link=True) as (there, here):
        here.objects = ["Source"]
    linked = here.objects[0]
    bpy.context.collection.objects.link(linked)
    panel = bpy.context.scene.diffusionnet.transfer
    panel.source, panel.target = source, linked
    assert "is linked from library.blend" in refused(bpy.ops.diffusionnet.match, model=NO_MODEL)
    panel.source, panel.target = linked, target
    assert bpy.ops.diffusionnet.match(model=NO_MODEL) == {"FINISHED"}
    what = dict.fromkeys(("texture", "uv", "weights", "armature"), True)
    assert bpy.ops.diffusionnet.transfer(**what) == {"FINISHED"}
    assert target.vertex_groups.keys() == ["low", "high"]
    given = [target.data.materials[0], target.modifiers["Armature"].object]
    assert not [data for data in (*given, given[1].data) if data.library]


def test_faces_without_an_area_and_a_mirrored_object_are_no_trouble(blender):
    surface, at = lumpy_surface(3)
    faces = [*surface.faces.tolist(), [0, 1, 1 + len(at)], [2, 3, 2 + len(at)]]
    places = np.concatenate([surface.vertices, surface.vertices[:4]])
    source = add_mesh("Source", places, faces)
    other, there = lumpy_surface(3, seed=6)
    target = add_mesh("Target", other.vertices * [-1, 1, 1], other.faces[:, ::-1])
    target.scale.x = -1
    bpy.context.view_layer.update()
    for obj, known in ((source, np.concatenate([at, at[:4]])), (target, there)):
        obj["directions"] = known.ravel()
    panel = bpy.context.scene.diffusionnet.transfer
    panel.source, panel.target = source, target
    bpy.ops.diffusionnet.match(model=NO_MODEL)
    unwrap(source)
    source.data.attributes.new("height", "FLOAT", "POINT")
    source.data.attributes["height"].data.foreach_set("value", directions(source)[:, 2])
    bpy.ops.diffusionnet.transfer(uv=True, attributes=True)
    assert np.abs(values_of(target, "height") - there[:, 2]).mean() < 0.05
    uv = np.empty(2 * len(target.data.loops), dtype=np.float32)
    target.data.uv_layers["UVMap"].data.foreach_get("uv", uv)
    assert np.isfinite(uv).all()


def worn(grow=1.01):
    """A body, and a copy of it that lies on it, with an origin of its own."""
    surface, _ = lumpy_surface(3)
    source = add_mesh("Skin", surface.vertices, surface.faces)
    target = add_mesh("Worn", grow * surface.vertices - [2.0, 0.0, 0.0], surface.faces)
    target.location.x = 2.0
    bpy.context.view_layer.update()
    panel = bpy.context.scene.diffusionnet.transfer
    panel.source, panel.target = source, target
    return source, target


MOVES = {
    "location": lambda obj: obj.location.__setitem__(0, obj.location.x + 0.05),
    "rotation": lambda obj: obj.rotation_euler.__setitem__(2, 0.05),
    "scale": lambda obj: setattr(obj, "scale", (1.05, 1.05, 1.05)),
}


@pytest.mark.parametrize("moved", [0, 1])
@pytest.mark.parametrize("move", MOVES)
def test_a_match_in_place_is_stale_where_one_of_the_two_has_moved(blender, move, moved):
    source, target = worn()
    assert bpy.ops.diffusionnet.match(model=NO_MODEL) == {"FINISHED"}
    match = find_match(source, target)
    assert match.correspondence.in_place
    assert current_match(source, target) is match
    for obj in (source, target):
        obj.matrix_world = Matrix.Translation((5, 1, 0)) @ obj.matrix_world
    bpy.context.view_layer.update()
    assert current_match(source, target) is match, "moved together"
    MOVES[move]((source, target)[moved])
    bpy.context.view_layer.update()
    with pytest.raises(DiffusionNetError, match="has moved since they were matched in place"):
        current_match(source, target)
    assert "has moved" in refused(bpy.ops.diffusionnet.transfer, weights=True)


@pytest.mark.parametrize("scale", [1e-4, 1e-2, 1e2, 1e4])
def test_in_place_at_any_scale(blender, scale):
    source, target = worn()
    for obj in (source, target):
        obj.matrix_world = Matrix.Scale(scale, 4) @ obj.matrix_world
    assert bpy.ops.diffusionnet.match(model=NO_MODEL) == {"FINISHED"}
    found = find_match(source, target).correspondence
    assert found.in_place
    assert found.confident_share > 0.99


def test_the_method_is_chosen(blender):
    source, target = worn()
    assert bpy.ops.diffusionnet.match(model=NO_MODEL, method="MATCH") == {"FINISHED"}
    assert not find_match(source, target).correspondence.in_place
    target.location.x += 100
    assert "nowhere on the source" in refused(
        bpy.ops.diffusionnet.match, model=NO_MODEL, method="IN_PLACE"
    )


def test_the_worker_finds_it_in_place_too(blender):
    source, target = worn()
    run = in_the_worker(source, target, np.zeros((0, 2), dtype=np.int64))
    while not run.finished:
        run.advance()
        time.sleep(0.01)
    assert run.result.in_place
    assert np.allclose(run.result.offset, [2, 0, 0])
