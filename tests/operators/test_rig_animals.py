"""Animals on four legs rigged in Blender, by the model of their parts that is chosen."""

from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from diffusionnet_blender.scene.character import Character  # noqa: E402
from diffusionnet_blender.scene.files import open_file  # noqa: E402
from diffusionnet_blender.scene.fits import Fit, fit_with, forget_all_fits, keep_fit  # noqa: E402
from diffusionnet_blender.scene.rig_jobs import rig_request  # noqa: E402
from diffusionnet_blender.scene.vertex_groups import read_weights  # noqa: E402
from diffusionnet_blender.tasks.models import ANIMAL_PARTS_MODEL  # noqa: E402
from diffusionnet_blender.tasks.rig import job  # noqa: E402
from diffusionnet_blender.tasks.rig.kinds import KINDS  # noqa: E402
from tests.scenes import add_mesh, select  # noqa: E402
from training.quadrupeds import sample_quadruped  # noqa: E402

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture
def animal(blender):
    """The sample of an animal, selected, with its model chosen."""
    bpy.ops.import_scene.gltf(filepath=str(SAMPLES / "dana.glb"))
    (obj,) = [o for o in bpy.data.objects if o.type == "MESH"]
    select(obj)
    bpy.context.scene.diffusionnet.model = ANIMAL_PARTS_MODEL
    yield obj
    forget_all_fits()


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


def test_one_click_gives_an_animal_an_armature_that_moves_its_legs_and_its_tail(animal):
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


def turn_between(bones, left):
    """Sine of the turn from one bone to the next, to the front of a leg that hangs."""
    ways = [np.array(bone.tail - bone.head) for bone in bones]
    one, two = (way / np.linalg.norm(way) for way in ways)
    return np.cross(two, one) @ left


@pytest.mark.parametrize("choice", ["rigify", "rigify_horse"])
def test_rigify_generates_from_the_metarig_of_an_animal_and_its_feet_can_be_raised(animal, choice):
    assert bpy.ops.diffusionnet.rig(kind=choice) == {"FINISHED"}
    rig = animal.modifiers[0].object
    assert "rig_id" in rig.data
    assert_bound(animal, rig)
    rest = posed(animal)
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


def test_the_check_of_an_animal_bends_its_legs(animal):
    bpy.ops.diffusionnet.rig(kind="plain")
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


def test_skeleton_and_binding_are_a_step_of_undo_each(blender):
    figure = sample_quadruped(np.random.default_rng(1_000_009)).figure
    name = add_mesh("Animal", figure.vertices, figure.faces).name
    character = Character(name, "", (bpy.data.objects[name],))
    geometry, request = rig_request(character, model=ANIMAL_PARTS_MODEL)
    keep_fit(Fit.of(name, geometry, job.run(request)))
    bpy.ops.ed.undo_push(message="start")
    bpy.ops.diffusionnet.write_skeleton("EXEC_DEFAULT", True, kind="plain")
    bpy.ops.diffusionnet.bind_skeleton("EXEC_DEFAULT", True)
    assert bpy.data.objects[name].vertex_groups
    bpy.ops.ed.undo()
    assert armatures()
    assert not bpy.data.objects[name].vertex_groups
    bpy.ops.ed.undo()
    assert not armatures()
    forget_all_fits()


def test_a_kind_of_people_is_refused_and_nothing_is_written(animal):
    with pytest.raises(RuntimeError, match="no bones of an animal"):
        bpy.ops.diffusionnet.rig(kind="mixamo")
    assert not armatures()
    assert fit_with(animal) is None


def test_a_person_with_the_model_of_animals_is_refused_and_the_other_way_round(blender):
    objects = [o for o in open_file(SAMPLES / "ada.glb") if o.type == "MESH"]
    select(*objects)
    bpy.context.scene.diffusionnet.model = ANIMAL_PARTS_MODEL
    with pytest.raises(RuntimeError, match="animal"):
        bpy.ops.diffusionnet.rig(kind="plain")
    bpy.context.scene.diffusionnet.model = "body_parts"
    with pytest.raises(RuntimeError, match="skeleton of animals"):
        bpy.ops.diffusionnet.rig(kind="rigify_horse")
    assert not armatures()
    assert not any(obj.vertex_groups for obj in objects)
    forget_all_fits()
