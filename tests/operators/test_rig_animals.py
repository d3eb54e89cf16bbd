"""Animals on four legs rigged in Blender, by the model of their parts that is chosen."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from diffusionnet_blender.scene.character import Character  # noqa: E402
from diffusionnet_blender.scene.fits import Fit, fit_with, forget_all_fits, keep_fit  # noqa: E402
from diffusionnet_blender.scene.rig_jobs import rig_request  # noqa: E402
from diffusionnet_blender.scene.vertex_groups import read_weights  # noqa: E402
from diffusionnet_blender.surface.surface import Surface  # noqa: E402
from diffusionnet_blender.tasks.models import ANIMAL_PARTS_MODEL  # noqa: E402
from diffusionnet_blender.tasks.rig import job  # noqa: E402
from diffusionnet_blender.tasks.rig.kinds import KINDS  # noqa: E402
from diffusionnet_blender.tasks.rig.request import RigRequest  # noqa: E402
from diffusionnet_blender.tasks.sides import other_side  # noqa: E402
from tests.animals import usual_animal  # noqa: E402
from tests.scenes import add_mesh, select  # noqa: E402
from training.animal_files import read_animal  # noqa: E402
from training.quadrupeds import sample_quadruped  # noqa: E402

SAMPLES = Path(__file__).parents[2] / "samples"
ANIMALS = Path(__file__).parents[3] / "shared" / "animals"


@pytest.fixture(scope="module")
def shape():
    """An animal of no species, and what Rig finds on it."""
    figure = usual_animal().figure
    surface = Surface(figure.vertices, figure.faces)
    return surface, job.run(RigRequest(surface, ANIMAL_PARTS_MODEL))


@pytest.fixture
def animal(blender, shape):
    """The animal as a mesh whose joints have been found."""
    surface, found = shape
    obj = add_mesh("Animal", surface.vertices, surface.faces)
    geometry, _ = rig_request(Character("Animal", "", (obj,)), model=ANIMAL_PARTS_MODEL)
    keep_fit(Fit.of("Animal", geometry, found))
    bpy.context.scene.diffusionnet.model = ANIMAL_PARTS_MODEL
    yield obj
    forget_all_fits()


def make(kind):
    bpy.ops.diffusionnet.write_skeleton("EXEC_DEFAULT", True, kind=kind)
    bpy.ops.diffusionnet.bind_skeleton("EXEC_DEFAULT", True)


def armatures():
    return [obj for obj in bpy.data.objects if obj.type == "ARMATURE"]


def posed(obj):
    evaluated = obj.evaluated_get(bpy.context.evaluated_depsgraph_get())
    found = np.array([vertex.co for vertex in evaluated.to_mesh().vertices])
    evaluated.to_mesh_clear()
    return found


def assert_bound(obj, rig):
    deforming = [bone.name for bone in rig.data.bones if bone.use_deform]
    np.testing.assert_allclose(read_weights(obj, deforming).sum(axis=1), 1, atol=1e-5)


def test_one_click_gives_an_animal_an_armature_that_moves_its_legs_and_its_tail(blender):
    bpy.ops.import_scene.gltf(filepath=str(SAMPLES / "dana.glb"))
    (animal,) = [o for o in bpy.data.objects if o.type == "MESH"]
    select(animal)
    bpy.context.scene.diffusionnet.model = ANIMAL_PARTS_MODEL
    assert bpy.ops.diffusionnet.rig(kind="plain") == {"FINISHED"}
    (rig,) = armatures()
    assert set(rig.data.bones.keys()) == set(KINDS["animal"].names.values())
    assert animal.modifiers[0].object == rig
    assert_bound(animal, rig)
    rest = posed(animal)
    part = np.array(fit_with(animal).fitted.part_names)[
        fit_with(animal).fitted.parts.argmax(axis=1)
    ]
    for bone, moved in (("forearm.L", "front_foot.L"), ("shin.R", "hind_foot.R"), ("tail", "tail")):
        rig.pose.bones[bone].rotation_mode = "XYZ"
        rig.pose.bones[bone].rotation_euler = (0.8, 0, 0)
        bpy.context.view_layer.update()
        away = np.linalg.norm(posed(animal) - rest, axis=1)
        assert np.median(away[part == moved]) > 10 * np.median(away[part == "head"]) + 0.01
        rig.pose.bones[bone].rotation_euler = (0, 0, 0)
    forget_all_fits()


def turn_between(bones, left):
    """Sine of the turn from one bone to the next, to the front of a leg that hangs."""
    ways = [np.array(bone.tail - bone.head) for bone in bones]
    one, two = (way / np.linalg.norm(way) for way in ways)
    return np.cross(two, one) @ left


@pytest.mark.parametrize(
    "choice",
    [
        "rigify",
        "rigify_horse",
        *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("rigify_wolf", "rigify_cat")),
    ],
)
def test_rigify_generates_from_the_metarig_of_an_animal_and_its_feet_can_be_raised(animal, choice):
    make(choice)
    rig = animal.modifiers[0].object
    assert "rig_id" in rig.data
    assert_bound(animal, rig)
    rest = posed(animal)
    as_it_was = np.array([vertex.co for vertex in animal.data.vertices])
    assert np.abs(rest - as_it_was).max() < 1e-3 * np.ptp(as_it_was[:, 2])
    names = KINDS["quadruped" if choice == "rigify" else choice].names
    fitted = fit_with(animal).fitted
    left = fitted.frame[0]
    for foot, shin, sign in (("front_cannon", "front_shin", 1), ("hind_cannon", "hind_shin", -1)):
        control = rig.pose.bones[f"{names[f'{foot}.L'].removesuffix('.L')}_ik.L"]
        above = names[f"{shin.replace('shin', 'thigh')}.L"]
        bones = [rig.pose.bones[f"ORG-{name}"] for name in (above, names[f"{shin}.L"])]
        bpy.context.view_layer.update()
        before = turn_between(bones, left)
        raised = control.matrix.copy()
        raised.translation.z += 0.2 * np.ptp(rest[:, 2])
        control.matrix = raised
        bpy.context.view_layer.update()
        # The leg goes on to the front after an elbow, to the back after a stifle, and the more so
        # the higher its foot is.
        assert sign * before > 0
        assert sign * turn_between(bones, left) > sign * before
    assert np.linalg.norm(posed(animal) - rest, axis=1).max() > 0.05


@pytest.mark.parametrize("choice", ["rigify_wolf", "rigify_cat"])
def test_wolf_and_cat_have_every_bone_with_faces_and_toes_in_their_boxes(animal, choice):
    bpy.ops.diffusionnet.write_skeleton("EXEC_DEFAULT", True, kind=choice)
    (metarig,) = armatures()
    kind = KINDS[choice]
    getattr(bpy.ops.object, f"armature_{kind.metarig}_metarig_add")()
    own = bpy.context.view_layer.objects.active
    assert set(metarig.data.bones.keys()) == set(own.data.bones.keys())
    fitted, points = fit_with(animal).fitted, posed(animal)
    part = np.array(fitted.part_names)[fitted.parts.argmax(axis=1)]
    named = set(kind.names.values())
    for role, of in (
        ("head", "head"),
        ("front_toe.L", "front_foot.L"),
        ("hind_toe.R", "hind_foot.R"),
    ):
        bone = metarig.data.bones[kind.names[role]]
        ends = [metarig.matrix_world @ end for end in (bone.head_local, bone.tail_local)]
        # Joints of feet lie behind their skin.
        held = np.concatenate([points[part == of], ends])
        low, high = held.min(axis=0), held.max(axis=0)
        room = 0.25 * np.linalg.norm(high - low)
        above = metarig.data.bones[kind.names[role]]
        hung = [bone for bone in above.children_recursive if bone.name not in named]
        assert len(hung) > 7
        for bone in hung:
            for end in (bone.head_local, bone.tail_local):
                place = np.array(metarig.matrix_world @ end)
                assert (low - room < place).all(), bone.name
                assert (place < high + room).all(), bone.name
    for bone in own.data.bones:
        if bone.use_connect and bone.name not in named:
            made = metarig.data.bones[bone.name]
            assert (made.head_local - made.parent.tail_local).length < 1e-5


@cache
def found_on(name):
    """An animal of no species, by its number, or a bare one of a file; and what Rig finds on it."""
    if isinstance(name, int):
        made = sample_quadruped(np.random.default_rng(name)).figure
        surface = Surface(made.vertices, made.faces)
    else:
        found = read_animal(ANIMALS / f"{name}.glb")
        surface = Surface(found["vertices"], found["faces"])
    return surface, job.run(RigRequest(surface, ANIMAL_PARTS_MODEL))


def of_file(name):
    missing = not ANIMALS.is_dir()
    return pytest.param(name, marks=pytest.mark.skipif(missing, reason="no ../shared/animals"))


@pytest.mark.parametrize("choice", ["rigify_wolf", "rigify_cat"])
@pytest.mark.parametrize(
    "name", [1_000_010, 1_000_012, 1_000_014, *map(of_file, ("cat", "dog", "pig"))]
)
def test_toes_lie_in_their_feet(blender, name, choice):
    surface, fitted = found_on(name)
    for other in list(bpy.data.objects):
        bpy.data.objects.remove(other)
    obj = add_mesh("Animal", surface.vertices, surface.faces)
    geometry, _ = rig_request(Character("Animal", "", (obj,)), model=ANIMAL_PARTS_MODEL)
    keep_fit(Fit.of("Animal", geometry, fitted))
    bpy.context.scene.diffusionnet.model = ANIMAL_PARTS_MODEL
    bpy.ops.diffusionnet.write_skeleton("EXEC_DEFAULT", True, kind=choice)
    forget_all_fits()
    (metarig,) = armatures()
    points = surface.vertices @ fitted.frame.T
    body = points.min(axis=0), points.max(axis=0)
    little = 0.01 * (body[1] - body[0]).max()
    for foot in ("front_toe.L", "front_toe.R", "hind_toe.L", "hind_toe.R"):
        above = metarig.data.bones[KINDS[choice].names[foot]]
        assert len(above.children_recursive) > 7
        ends = [end for b in above.children_recursive for end in (b.head_local, b.tail_local)]
        places = np.array([metarig.matrix_world @ end for end in ends]) @ fitted.frame.T
        part = foot.replace("toe", "foot")
        held, others = (
            fitted.parts[:, fitted.part_names.index(name)] for name in (part, other_side(part))
        )
        skin = points[(held > held.max() / 3) & (held > others)]
        low, high = skin.min(axis=0), skin.max(axis=0)
        room = 0.15 * (high - low).max()
        assert (low - room < places).all(), foot
        assert (places < high + room).all(), foot
        assert (body[0] - little < places).all(), foot
        assert (places < body[1] + little).all(), foot
        # They are spread over the foot, to the front of it.
        assert np.ptp(places[:, 0]) > 0.4 * (high - low)[0], foot
        assert places[:, 1].min() < (low + high)[1] / 2, foot


@pytest.mark.slow
@pytest.mark.parametrize("choice", ["rigify_wolf", "rigify_cat"])
def test_a_head_with_bones_of_a_face_moves_as_a_whole(animal, choice):
    make(choice)
    rig = animal.modifiers[0].object
    rest, fitted = posed(animal), fit_with(animal).fitted
    head = fitted.parts.argmax(axis=1) == fitted.part_names.index("head")
    for bone in ("jaw_master", "head", "neck"):
        rig.pose.bones[bone].rotation_mode = "XYZ"
        rig.pose.bones[bone].rotation_euler = (0.4, 0, 0)
    bpy.context.view_layer.update()
    moved = posed(animal)
    assert np.linalg.norm(moved - rest, axis=1)[head].max() > 0.02
    edges = np.array([tuple(edge.vertices) for edge in animal.data.edges])
    edges = edges[head[edges].all(axis=1)]
    assert len(edges) > 50
    before, after = (
        np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
        for points in (rest, moved)
    )
    np.testing.assert_allclose(after, before, rtol=0.3)


def test_the_check_of_an_animal_bends_its_legs(animal):
    make("plain")
    rest = posed(animal)
    bpy.ops.diffusionnet.check_rig(object_name=animal.name)
    action = armatures()[0].animation_data.action
    moved = {}
    for marker in action.pose_markers:
        bpy.context.scene.frame_set(marker.frame)
        moved[marker.name] = float(np.abs(posed(animal) - rest).max())
    assert moved.pop("Rest") < 1e-4
    assert {"Front Legs Bent", "Hind Legs Bent", "Tail Raised"} <= moved.keys()
    assert min(moved.values()) > 0.05


def test_skeleton_and_binding_are_a_step_of_undo_each(animal):
    bpy.ops.ed.undo_push(message="start")
    make("plain")
    assert animal.vertex_groups
    bpy.ops.ed.undo()
    assert armatures()
    assert not bpy.data.objects["Animal"].vertex_groups
    bpy.ops.ed.undo()
    assert not armatures()


def test_a_kind_of_people_is_refused_and_nothing_is_written(animal):
    for press in (bpy.ops.diffusionnet.rig, bpy.ops.diffusionnet.write_skeleton):
        with pytest.raises(RuntimeError, match="no bones of an animal"):
            press(kind="mixamo")
    assert not armatures()


def test_a_skeleton_of_animals_is_refused_for_people(animal):
    bpy.context.scene.diffusionnet.model = "body_parts"
    with pytest.raises(RuntimeError, match="skeleton of animals"):
        bpy.ops.diffusionnet.rig(kind="rigify_horse")
    assert not armatures()
