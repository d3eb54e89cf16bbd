"""The buttons that train a model and classify with it."""

from time import sleep

import bpy
import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")

from diffusionnet_blender.operators.run import JobRun  # noqa: E402
from diffusionnet_blender.properties.model_lists import model_card, reload_models  # noqa: E402
from diffusionnet_blender.scene.attributes import VERTEX_LABELS, write_attribute  # noqa: E402
from diffusionnet_blender.scene.options import Outputs  # noqa: E402
from diffusionnet_blender.scene.training_objects import read_training_set  # noqa: E402
from diffusionnet_blender.scene.write import write_labels  # noqa: E402
from diffusionnet_blender.session import computing, progress  # noqa: E402
from diffusionnet_blender.session.curve_icon import forget_curve, shown_curve  # noqa: E402
from diffusionnet_blender.session.training import TrainJob  # noqa: E402
from diffusionnet_blender.settings import settings  # noqa: E402
from diffusionnet_blender.tasks.family import FAMILIES  # noqa: E402
from diffusionnet_blender.tasks.models import remove_model  # noqa: E402
from diffusionnet_blender.tasks.train import job as train_job  # noqa: E402
from diffusionnet_blender.tasks.train.sizes import SIZES, Size  # noqa: E402
from diffusionnet_blender.tasks.train.training_set import UNLABELLED  # noqa: E402
from diffusionnet_blender.worker.client import Worker  # noqa: E402
from diffusionnet_blender.worker.launch import own_python  # noqa: E402
from tests.scenes import add_body, add_mesh, add_rig, chain, result_for, select  # noqa: E402
from tests.shapes import icosphere  # noqa: E402
from tests.tasks.test_train import rod, torus  # noqa: E402

pytestmark = pytest.mark.usefixtures("blender")


@pytest.fixture
def chosen(monkeypatch):
    """What the panel is set to: a size that is learned in a second, from nothing."""
    tiny = Size("Tiny", width=16, k=16, steps=20, copies=4, learning_rate=1e-2)
    monkeypatch.setitem(SIZES, "fast", tiny)
    chosen = bpy.context.scene.diffusionnet.training
    chosen.size, chosen.subject, chosen.model_name = "fast", "ANYTHING", "my own"
    yield chosen
    forget_curve()
    if (settings().model_folder / "my own.json").exists():
        remove_model("my own", settings().model_folder)
        reload_models()


def labelled(name, column=2):
    obj = add_body(name)
    heights = np.array([v.co[column] for v in obj.data.vertices])
    write_attribute(obj.data, "zone", VERTEX_LABELS, (heights > 0).astype(int))
    return obj


def test_a_model_is_trained_from_the_selected_meshes_and_segments_at_once(chosen):
    objects = [labelled("One"), labelled("Two")]
    select(*objects)
    chosen.source, chosen.attribute = "ATTRIBUTE", "zone"
    assert bpy.ops.diffusionnet.train() == {"FINISHED"}
    scene = bpy.context.scene
    assert scene.diffusionnet.model == "my own"
    card = model_card("my own")
    assert card.class_names == ("zone 0", "zone 1")
    assert shown_curve().rows[-1, 0] == 20
    select(objects[0])
    assert bpy.ops.diffusionnet.segment() == {"FINISHED"}
    assert [part.name for part in objects[0].data.diffusionnet.parts] == ["zone 0", "zone 1"]
    # The name is taken, and nothing replaces a model unasked.
    with pytest.raises(RuntimeError, match="already has a model"):
        bpy.ops.diffusionnet.train()


def test_the_set_is_the_collection_each_mesh_once(chosen):
    bodies = bpy.data.collections.new("Bodies")
    bpy.context.scene.collection.children.link(bodies)
    for obj in (labelled("One"), labelled("Two")):
        bodies.objects.link(obj)
    bodies.objects.link(bpy.data.objects.new("Twin", bpy.data.objects["One"].data))
    select(labelled("Elsewhere"))
    chosen.collection, chosen.source, chosen.attribute = bodies, "ATTRIBUTE", "zone"
    found = read_training_set(bpy.context)
    assert sorted(member.name for member in found.members) == ["One", "Two"]


def test_corrected_parts_of_earlier_runs_are_learned_with_their_colours(chosen):
    obj = add_body()
    result = result_for(obj)
    write_labels(obj, result, Outputs())
    found = read_training_set(bpy.context)
    assert found.class_names == result.class_names
    np.testing.assert_allclose(found.class_colours, result.class_colours, atol=1e-3)
    np.testing.assert_array_equal(found.members[0].labels, result.vertex_labels)


@pytest.mark.parametrize(
    ("source", "message"), [("PARTS", "no parts"), ("MATERIALS", "no materials")]
)
def test_meshes_without_labels_are_refused_before_any_work(chosen, source, message):
    add_body()
    chosen.source = source
    with pytest.raises(RuntimeError, match=message):
        bpy.ops.diffusionnet.train()
    assert shown_curve() is None


def test_without_a_mesh_it_says_what_to_do(chosen):
    select()
    with pytest.raises(RuntimeError, match="Select the training meshes"):
        bpy.ops.diffusionnet.train()
    chosen.collection = bpy.data.collections.new("Empty")
    with pytest.raises(RuntimeError, match="no mesh in the collection 'Empty'"):
        bpy.ops.diffusionnet.train()


def test_in_the_worker_it_tells_how_it_gets_on_and_ends_with_the_best_when_asked(chosen):
    labelled("One")
    chosen.source, chosen.attribute = "ATTRIBUTE", "zone"
    size = Size("Long", width=8, k=8, steps=400, copies=2)
    request = train_job.TrainRequest(
        read_training_set(bpy.context),
        "my own",
        size=size,
        start="none",
        model_folder=settings().model_folder,
        checkpoint_folder=settings().checkpoint_folder,
    )
    worker = Worker(own_python())
    try:
        run = JobRun(TrainJob(train_job, request.model_name, request), worker)
        factors = []
        computing.begin_run(run)
        # There is no best so far as long as nothing has been learned.
        assert not bpy.ops.diffusionnet.stop_training.poll()
        while not (shown_curve() and len(shown_curve().rows)):
            run.advance()
            factors.append(run.progress.factor)
            sleep(0.02)
        assert factors == sorted(factors)
        assert "my own: learning" in run.progress.text
        assert bpy.ops.diffusionnet.stop_training() == {"FINISHED"}
        assert not bpy.ops.diffusionnet.stop_training.poll()
        while not run.finished:
            run.advance()
            sleep(0.02)
    finally:
        computing.end_run(run)
        worker.stop()
    assert run.result.card.name == "my own"
    assert (settings().model_folder / "my own.json").exists()


def test_the_time_left_is_that_of_what_is_not_yet_done(monkeypatch):
    """Of a training that goes on at its half, 20 s after which it is at three quarters."""
    clock = iter([100.0, 101.0, 110.4, 120.0, 130.0, 140.0])
    monkeypatch.setattr(progress, "monotonic", lambda: next(clock))
    left = progress.TimeLeft()
    found = [left.at(done) for done in (0.5, 0.51, 0.63, 0.75, 0.87, 1.0)]
    assert found[:2] == [None, None]
    assert (found[3], found[5]) == (20.0, 0.0)


def test_a_leap_to_a_checkpoint_says_nothing_of_the_pace(monkeypatch):
    """From a tenth to six tenths in no time, then a tenth in 10 s."""
    clock = iter([100.0, 101.0, 111.0])
    monkeypatch.setattr(progress, "monotonic", lambda: next(clock))
    left = progress.TimeLeft()
    found = [left.at(done) for done in (0.1, 0.6, 0.7)]
    assert found[:2] == [None, None]
    assert found[2] == pytest.approx(30.0)


def test_nothing_can_be_stopped_where_nothing_learns(chosen):
    assert not bpy.ops.diffusionnet.stop_training.poll()


def test_objects_are_classified_from_their_collections_and_sorted(chosen, monkeypatch):
    size = Size("Tiny", width=32, k=24, steps=120, copies=12, learning_rate=3e-3)
    monkeypatch.setitem(SIZES, "fast", size)
    scene = bpy.context.scene
    kinds = bpy.data.collections.new("Kinds")
    scene.collection.children.link(kinds)
    made = {"ball": icosphere(2), "ring": torus(), "rod": rod()}
    objects = []
    for name, (vertices, faces) in made.items():
        collection = bpy.data.collections.new(name)
        kinds.children.link(collection)
        for number in range(2):
            objects.append(add_mesh(f"{name}{number}", vertices * [1, 1, 1 + 0.1 * number], faces))
            collection.objects.link(objects[-1])
    chosen.learn, chosen.collection = "SHAPES", kinds
    assert bpy.ops.diffusionnet.train() == {"FINISHED"}
    assert scene.diffusionnet.classifier == "my own"
    # A model that classifies is no model that segments.
    assert scene.diffusionnet.model != "my own"

    before = {obj.name: {c.name for c in obj.users_collection} for obj in objects}
    scene.diffusionnet.sort_into_collections = True
    select(*objects)
    assert bpy.ops.diffusionnet.classify() == {"FINISHED"}
    right = [obj["diffusionnet_class"] == obj.name[:-1] for obj in objects]
    assert np.mean(right) > 0.6
    for obj in objects:
        assert 1 / 3 < obj["diffusionnet_probability"] <= 1
        now = {c.name for c in obj.users_collection}
        assert before[obj.name] < now
        assert obj.name in scene.collection.children["Classes"].children[
            f"{obj['diffusionnet_class']}.001"
        ].objects  # fmt: skip
    # Again: nothing is doubled; and what was sorted wrongly moves.
    assert bpy.ops.diffusionnet.classify() == {"FINISHED"}
    assert len(scene.collection.children["Classes"].children) == len(
        {obj["diffusionnet_class"] for obj in objects}
    )


def test_classes_are_read_from_a_property_too(chosen):
    for number in range(4):
        add_body(f"Body {number}")["kind"] = "thin" if number % 2 else 7
    select(*bpy.data.objects)
    chosen.learn, chosen.class_source, chosen.property_name = "SHAPES", "PROPERTY", "kind"
    found = read_training_set(bpy.context)
    assert found.class_names == ("7", "thin")
    del bpy.data.objects["Body 2"]["kind"]
    with pytest.raises(RuntimeError, match="'Body 2' is of no class"):
        bpy.ops.diffusionnet.train()


def test_before_any_training_figures_are_classified_by_their_family(chosen):
    body = add_body()
    assert bpy.ops.diffusionnet.classify() == {"FINISHED"}
    assert body["diffusionnet_class"] in FAMILIES


def dressed(x=0.0, name="Knight"):
    """A character of three objects on one armature: a body, a shirt, and a sword in its hand."""
    body, shirt = add_body(f"{name}_Body"), add_body(f"{name}_Shirt", scale=(1.05, 0.65, 0.8))
    rig = add_rig(body, chain("root", "hand"))
    shirt.modifiers.new("Armature", "ARMATURE").object = rig
    for obj, bones in ((body, ("root", "hand")), (shirt, ("root", "hand"))):
        order = np.argsort([v.co.z for v in obj.data.vertices]).tolist()
        for bone, vertices in zip(bones, np.array_split(order, 2), strict=True):
            obj.vertex_groups.new(name=bone).add(vertices.tolist(), 1.0, "REPLACE")
    sword = add_body(f"{name}_Sword", subdivisions=1, scale=(0.05, 0.05, 0.3))
    sword.location = (1.2, 0, 1.2)
    sword.parent, sword.parent_type, sword.parent_bone = rig, "BONE", "hand"
    rig.name, rig.location.x = name, x
    for obj in (body, shirt):
        obj.location.x = x
    return rig, body, shirt, sword


def in_zones(*objects, zones=("low", "high")):
    """Materials by height."""
    for obj in objects:
        for zone in zones:
            obj.data.materials.append(bpy.data.materials.get(zone) or bpy.data.materials.new(zone))
        for face in obj.data.polygons:
            face.material_index = int(face.center.z > 0) % len(zones)


@pytest.mark.parametrize("selected", [lambda rig, shirt: rig, lambda rig, shirt: shirt])
def test_the_labels_of_a_character_are_those_of_its_members(chosen, selected):
    rig, body, shirt, sword = dressed()
    in_zones(body)
    in_zones(shirt, zones=("high", "low"))
    select(selected(rig, shirt))
    chosen.source = "MATERIALS"
    told = []
    (member,) = read_training_set(bpy.context, told).members
    assert member.name == "Knight"
    # The sword is carried: a segmentation does not see it.
    sizes = [len(obj.data.vertices) for obj in (body, shirt)]
    assert len(member.labels) == sum(sizes)
    assert not told
    of_body, of_shirt = np.split(member.labels, sizes[:1])
    for obj, labels, upper in ((body, of_body, 1), (shirt, of_shirt, 0)):
        heights = np.array([v.co.z for v in obj.data.vertices])
        assert (labels[heights > 0.3] == upper).all()
        assert (labels[heights < -0.3] == 1 - upper).all()


def test_members_without_labels_are_not_labelled_unless_none_has_any(chosen):
    rig, body, shirt, sword = dressed()
    in_zones(body)
    select(body)
    chosen.source = "MATERIALS"
    (member,) = read_training_set(bpy.context).members
    assert (member.labels[len(body.data.vertices) :] == UNLABELLED).all()
    assert (member.labels[: len(body.data.vertices)] != UNLABELLED).all()
    body.data.materials.clear()
    with pytest.raises(RuntimeError, match="'Knight_Body' has no materials"):
        bpy.ops.diffusionnet.train()


def test_labels_that_cannot_be_used_and_those_of_carried_things_are_told(chosen):
    rig, body, shirt, sword = dressed()
    in_zones(body)
    in_zones(sword, zones=("steel",))
    select(body)
    chosen.source = "MATERIALS"
    told = []
    found = read_training_set(bpy.context, told)
    assert found.class_names == ("low", "high")
    assert ["steel" in str(error) for error in told] == [True]
    shirt.data.vertices[0].co.x = np.nan
    told = []
    (member,) = read_training_set(bpy.context, told).members
    assert len(member.labels) == len(body.data.vertices)
    assert any("'Knight_Shirt'" in str(error) for error in told)


def test_each_object_alone_is_a_shape_by_itself(chosen):
    rig, body, shirt, sword = dressed()
    in_zones(body, shirt)
    in_zones(sword)
    select(body, shirt, sword)
    chosen.source = "MATERIALS"
    bpy.context.scene.diffusionnet.each = True
    names = [member.name for member in read_training_set(bpy.context).members]
    assert sorted(names) == ["Knight_Body", "Knight_Shirt", "Knight_Sword"]


def test_a_collection_has_characters_those_with_the_same_meshes_once(chosen):
    first = dressed()
    in_zones(first[1])
    bodies = bpy.data.collections.new("Bodies")
    bpy.context.scene.collection.children.link(bodies)
    copies = {obj: obj.copy() for obj in first}
    for obj, copy in copies.items():
        for each in (obj, copy):
            for collection in each.users_collection:
                collection.objects.unlink(each)
            bodies.objects.link(each)
        copy.location.x += 5
        if copy.parent:
            copy.parent = copies[first[0]]
        for modifier in copy.modifiers:
            modifier.object = copies[first[0]]
    chosen.collection, chosen.source = bodies, "MATERIALS"
    assert [member.name for member in read_training_set(bpy.context).members] == ["Knight"]
    # A body of its own is another shape.
    copies[first[1]].data = copies[first[1]].data.copy()
    assert len(read_training_set(bpy.context).members) == 2


@pytest.mark.parametrize("where", ["rig", "member"])
def test_a_character_has_the_class_of_any_of_its_objects(chosen, where):
    kinds = ("knight", "mage")
    for number, kind in enumerate(kinds):
        objects = dressed(x=4.0 * number, name=kind.title())
        (objects[0] if where == "rig" else objects[2])["kind"] = kind
    select(*(obj for obj in bpy.data.objects if obj.name.endswith("_Body")))
    chosen.learn, chosen.class_source, chosen.property_name = "SHAPES", "PROPERTY", "kind"
    found = read_training_set(bpy.context)
    assert found.class_names == kinds
    assert [member.name for member in found.members] == ["Knight", "Mage"]
    # As a whole: the sword tells a knight.
    meshes = [obj for obj in bpy.data.objects if obj.name.startswith("Mage_")]
    size = sum(len(obj.data.vertices) for obj in meshes)
    assert [len(member.surface.vertices) for member in found.members] == [size, size]
    bpy.data.objects["Mage_Sword"]["kind"] = "rogue"
    if where == "member":
        with pytest.raises(RuntimeError, match="'Mage' has the class 'rogue' .* and 'mage'"):
            bpy.ops.diffusionnet.train()
    # What the objects have comes before what their armature has.
    else:
        assert read_training_set(bpy.context).class_names == ("knight", "rogue")


@pytest.fixture
def classifier(chosen):
    """A model that tells two kinds of bodies, untrained but for a few steps."""
    for number, kind in enumerate(("thin", "wide")):
        add_body(kind, scale=(1 + number, 1, 1))["kind"] = kind
    select(*bpy.data.objects)
    chosen.learn, chosen.class_source, chosen.property_name = "SHAPES", "PROPERTY", "kind"
    assert bpy.ops.diffusionnet.train() == {"FINISHED"}
    bpy.data.batch_remove([bpy.data.objects["thin"], bpy.data.objects["wide"]])


def class_of(obj):
    return obj.get("diffusionnet_class")


def test_a_character_is_classified_and_sorted_as_a_whole(classifier, told):
    rig, body, shirt, sword = dressed()
    alone = add_body("Stone")
    alone.location.x = 9
    bpy.context.scene.diffusionnet.sort_into_collections = True
    select(shirt, alone)
    assert bpy.ops.diffusionnet.classify() == {"FINISHED"}
    line = told()
    assert "Knight: " in line
    assert "Stone: " in line
    kind = class_of(shirt)
    assert {class_of(obj) for obj in (body, shirt, sword)} == {kind}
    assert class_of(rig) is None
    assert class_of(alone) in ("thin", "wide")
    classes = bpy.context.scene.collection.children["Classes"].children
    (into,) = [c for c in classes if body in c.objects[:]]
    assert {obj.name for obj in into.objects} >= {"Knight", body.name, shirt.name, sword.name}
    assert len(rig.users_collection) == 2


def test_the_armatures_of_several_characters_may_be_selected(classifier):
    one, other = dressed(), dressed(x=5, name="Mage")
    # They share their meshes, and each is to have its class.
    for mine, theirs in zip(one[1:], other[1:], strict=True):
        theirs.data = mine.data
    select(one[0], other[0])
    assert bpy.ops.diffusionnet.classify() == {"FINISHED"}
    for obj in (*one[1:], *other[1:]):
        assert class_of(obj) in ("thin", "wide")


def test_each_object_alone_is_classified_by_itself(classifier):
    rig, body, shirt, sword = dressed()
    select(shirt)
    assert bpy.ops.diffusionnet.classify(each=True) == {"FINISHED"}
    assert class_of(shirt) in ("thin", "wide")
    assert class_of(body) is class_of(sword) is None


def test_members_that_cannot_be_classified_are_told_and_the_others_are_done(classifier, told):
    rig, body, shirt, sword = dressed()
    body["diffusionnet_class"] = "mine"
    shirt.data.vertices[0].co.x = np.nan
    shirt.hide_set(False)
    sword.diffusionnet.membership = "OUT"
    select(body)
    assert bpy.ops.diffusionnet.classify() == {"FINISHED"}
    assert class_of(body) == "mine"
    assert class_of(shirt) in ("thin", "wide")
    assert class_of(sword) is None
    assert "left out: Knight_Sword (left out in the panel)" in told()
    # Where nothing can be written to, nothing is sorted either.
    shirt.diffusionnet.membership = "OUT"
    bpy.context.scene.diffusionnet.sort_into_collections = True
    with pytest.raises(RuntimeError, match="set by hand"):
        bpy.ops.diffusionnet.classify()
    assert "Classes" not in bpy.context.scene.collection.children
