"""Parts of real characters from their armatures."""

from pathlib import Path

import bpy
import numpy as np
import pytest

from diffusionnet_blender.errors import DiffusionNetError
from diffusionnet_blender.scene.bone_weights import read_bone_weights
from diffusionnet_blender.scene.label_sources import read_label_source
from diffusionnet_blender.scene.options import LabelSource
from diffusionnet_blender.scene.read import read_object
from diffusionnet_blender.scene.rig import known_parts, known_sides, read_skeleton
from diffusionnet_blender.tasks.models import FROM_RIG, card_of
from diffusionnet_blender.tasks.skeleton import UNKNOWN, parts_of_bones
from tests.scenes import add_body, add_rig, select

pytestmark = pytest.mark.usefixtures("blender")
CLASSES = card_of(FROM_RIG, (), "segment").class_names
CHARACTERS = Path(__file__).resolve().parents[3] / "shared" / "characters"
ENDS = {"chest": ((0, 0, 0), (0, 0, 1)), "head": ((0, 0, 1), (0, 0, 2))}


def parts(*objects):
    known = known_parts("It", list(map(read_bone_weights, objects)), CLASSES)
    return [CLASSES[row.argmax()] if row.any() else "" for row in known]


def rigged(**weights):
    """A body whose vertices all have these weights, and its armature."""
    obj = add_body()
    for name, weight in weights.items():
        group = obj.vertex_groups.new(name=name)
        group.add(range(len(obj.data.vertices)), weight, "REPLACE")
    return obj, add_rig(obj, ENDS)


@pytest.mark.skipif(not CHARACTERS.exists(), reason="without ../shared/characters")
@pytest.mark.parametrize("path", sorted(CHARACTERS.glob("*.glb")), ids=lambda path: path.stem)
def test_every_bone_with_weights_of_a_real_character_is_known(path):
    bpy.ops.import_scene.gltf(filepath=str(path))
    # Legs by their names, at the place of arms: a bone for the whole of a hat and of a face.
    untold = {"q_skeleton": 0.12, "q_cowboy": 0.12, "q_goblin": 0.25}.get(path.stem, 0.0)
    known = total = 0.0
    for obj in [o for o in bpy.data.objects if o.type == "MESH" and o.find_armature()]:
        skeleton = read_skeleton(obj.find_armature())
        held = dict.fromkeys(skeleton.names, 0.0)
        for vertex in obj.data.vertices:
            for element in vertex.groups:
                held[obj.vertex_groups[element.group].name] += element.weight
        told = parts_of_bones(skeleton, CLASSES) != UNKNOWN
        weights = np.array(list(held.values()))
        known, total = known + weights[told].sum(), total + weights.sum()
    assert known >= (1 - untold) * total


def test_the_parts_of_a_vertex_have_their_shares_of_its_weights():
    obj, _ = rigged(chest=0.25, head=0.5)
    known = known_parts("It", [read_bone_weights(obj)], CLASSES)
    np.testing.assert_allclose(known[:, :2], [[2 / 3, 1 / 3]] * len(known), atol=1e-6)
    assert not known[:, 2:].any()


def test_bones_that_do_not_deform_do_not_count():
    obj, rig = rigged(chest=0.3, head=0.7)
    rig.data.bones["head"].use_deform = False
    assert set(parts(obj)) == {"torso"}


def test_the_pose_of_the_armature_changes_nothing_and_is_left_alone():
    obj, rig = rigged(chest=0.3, head=0.7)
    before = parts(obj)
    rig.pose.bones["head"].location = (0, 3, -4)
    rig.rotation_euler = (0.3, 0, 0)
    bpy.context.view_layer.update()
    assert parts(obj) == before
    assert tuple(rig.pose.bones["head"].location) == (0, 3, -4)
    assert rig.data.pose_position == "POSE"


def on_bone(hat, rig, body):
    hat.parent, hat.parent_type, hat.parent_bone = rig, "BONE", "head"


def on_thing_on_bone(hat, rig, body):
    other = add_body("Pin")
    on_bone(other, rig, body)
    hat.parent = other


def by_constraint(hat, rig, body):
    made = hat.constraints.new("CHILD_OF")
    made.target, made.subtarget = rig, "head"


@pytest.mark.parametrize("hang", [on_bone, on_thing_on_bone, by_constraint])
def test_what_hangs_on_a_bone_has_its_part(hang):
    body, rig = rigged(chest=1.0)
    hat = add_body("Hat")
    hang(hat, rig, body)
    bpy.context.view_layer.update()
    assert set(parts(hat)) == {"head"}
    assert parts(body, hat) == ["torso"] * len(body.data.vertices) + ["head"] * len(
        hat.data.vertices
    )


def test_of_two_modifiers_the_first_that_is_on_counts():
    obj, _ = rigged(chest=1.0, hand=1.0)
    add_rig(obj, {"chest": ((0, 0, 0), (0, 0, 1))})
    obj.modifiers[0].show_viewport = False
    assert set(parts(obj)) == {"torso"}


@pytest.mark.parametrize("case", ["no armature", "no bones", "other groups", "other bones"])
def test_what_no_bone_tells_is_an_error_that_says_what_to_do(case):
    obj = add_body()
    if case == "no bones":
        add_rig(obj, {})
    elif case == "other groups":
        obj, _ = rigged(Group=1.0)
    elif case == "other bones":
        group = obj.vertex_groups.new(name="Bone")
        group.add(range(len(obj.data.vertices)), 1.0, "REPLACE")
        add_rig(obj, {"Bone": ((0, 0, 0), (0, 0, 1))})
    with pytest.raises(DiffusionNetError, match="It") as caught:
        parts(obj)
    assert "model" in caught.value.fix


def test_the_rig_labels_meshes_to_train_on():
    obj, _ = rigged(chest=0.3, head=0.7)
    group = obj.vertex_groups["head"]
    group.remove([0, 1])
    obj.vertex_groups["chest"].remove([0])
    found = read_label_source(obj, read_object(obj), LabelSource("RIG"))
    names = np.array([*found.class_names, ""])[found.labels]
    assert list(names[:3]) == ["", "torso", "head"]
    assert len(found.class_colours) == len(CLASSES)


def test_the_button_segments_a_character_by_its_rig_at_once():
    """A body and a hat on a bone; no network is run."""
    body, rig = rigged(chest=1.0)
    hat = add_body("Hat")
    on_bone(hat, rig, body)
    select(body)
    bpy.context.scene.diffusionnet.model = FROM_RIG
    assert bpy.ops.diffusionnet.segment() == {"FINISHED"}
    for obj, part in ((body, "torso"), (hat, "head")):
        assert {p.name for p in obj.data.diffusionnet.parts if p.vertex_count} == {part}
        assert obj.data.diffusionnet.model == FROM_RIG


def test_the_button_says_what_to_do_without_an_armature():
    select(add_body())
    bpy.context.scene.diffusionnet.model = FROM_RIG
    with pytest.raises(RuntimeError, match="no armature with bones.*Choose a model"):
        bpy.ops.diffusionnet.segment()


@pytest.mark.skipif(not CHARACTERS.exists(), reason="without ../shared/characters")
def test_the_command_line_labels_a_file_by_its_rig(tmp_path):
    from diffusionnet_blender.cli import main

    out = tmp_path / "knight.npz"
    file = str(CHARACTERS / "k_knight.glb")
    arguments = ["segment", file, "--model", "rig", "--labels", str(out), "--quiet"]
    assert main(arguments, "diffusionnet") == 0
    found = np.load(out)
    names = np.array(CLASSES)[found["vertex_labels"]]
    member = dict(zip(found["objects"], range(len(found["objects"])), strict=True))
    for obj, part in (
        ("1H_Sword", "hand.R"),
        ("Knight_Helmet", "head"),
        ("Knight_Cape", "torso"),
    ):
        assert set(names[found["member"] == member[obj]]) <= {part}
    assert set(CLASSES) == set(names)


def test_sides_are_those_of_the_bones():
    ends = {name: ((x, 0, 0), (2 * x, 0, 0)) for name, x in (("hand.L", 1.0), ("hand.R", -1.0))}
    obj = add_body()
    add_rig(obj, ends | {"spine": ((0, 0, 0), (0, 0, 1))})
    count = len(obj.data.vertices)
    for name, vertices in (
        ("hand.L", range(0, 10)),
        ("hand.R", range(10, 20)),
        ("spine", range(20, count)),
    ):
        obj.vertex_groups.new(name=name).add(vertices, 1.0, "REPLACE")
    bare = add_body("Bare")
    sides = known_sides([read_bone_weights(obj), read_bone_weights(bare)], CLASSES)
    assert sides.tolist() == [1] * 10 + [-1] * 10 + [0] * (2 * count - 20)
    assert known_sides([read_bone_weights(bare)], CLASSES) is None
