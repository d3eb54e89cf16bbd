"""An animal by the buttons: its model is found, it is segmented, rigged and matched to another."""

import bpy
import numpy as np
from window import (
    SAMPLES,
    ask,
    clear,
    ended,
    in_view,
    note,
    open_instead,
    open_tab,
    part_of_extension,
    parts,
    press,
    seconds_of,
    settle,
    shown,
    state,
    until,
)

# The magnifying glass beside the list of models.
GLASS = 0.76
# Above it is the mask that is moved, in metres.
BACK = 0.75


def steps():
    """Find Model, Segment, Rig; Match and Transfer to an animal of other proportions."""
    clear()
    animal = add_animal("Dana")
    yield from open_tab()
    yield from press("find_model", GLASS)
    yield from ended()
    settings = bpy.context.scene.diffusionnet
    assert (settings.model, settings.transfer.model) == ("animal_parts", "animal_match")
    yield from settle()
    yield from ask(do="picture", name="found.png")

    yield from press("segment")
    yield from until(lambda: state().running or parts(animal), 60, "the start")
    yield from ended()
    note("parts", sorted(part.name for part in parts(animal)))
    note("seconds", seconds_of(animal))
    assert len(parts(animal)) == 16
    yield from settle()
    yield from ask(do="picture", name="segmented.png")

    settings.rig.kind = "plain"
    yield from open_instead("Rig")
    yield from press("rig")
    yield from until(lambda: state().running or animal.modifiers, 60, "the start")
    yield from ended()
    (rig,) = (obj for obj in bpy.data.objects if obj.type == "ARMATURE")
    rig.show_in_front = True
    note("bones", len(rig.data.bones))
    assert {"tail", "forearm.L", "shin.R"} <= set(rig.data.bones.keys())
    rest = shown(animal)
    shin = rig.pose.bones["shin.R"]
    shin.rotation_mode = "XYZ"
    shin.rotation_euler = (0.7, 0.0, 0.0)
    yield from settle()
    assert np.abs(shown(animal) - rest).max() > 0.1
    yield from ask(do="picture", name="rigged.png")
    shin.rotation_euler = (0.0, 0.0, 0.0)
    rig.hide_set(True)

    height = rest[:, 2]
    animal.vertex_groups.new(name="back").add(np.flatnonzero(height > BACK).tolist(), 1.0, "ADD")
    other = add_animal("Long", (0.8, 1.3, 1.0))
    settings.transfer.source, settings.transfer.target = animal, other
    settings.transfer.labels = True
    yield from open_instead("Transfer", "Rig")
    look_at_both(animal, other)
    yield from press("match")
    yield from ended()
    match = part_of_extension("scene.matches").find_match(animal, other)
    note("share of confident vertices", round(match.correspondence.confident_share, 3))
    assert match.correspondence.confident_share > 0.6
    yield from settle()
    yield from ask(do="picture", name="matched.png")

    yield from press("transfer")
    yield from until(lambda: "back" in other.vertex_groups, 120, "the transfer")
    yield from ended()
    group = other.vertex_groups["back"].index
    held = [
        any(g.group == group and g.weight > 0.5 for g in vertex.groups)
        for vertex in other.data.vertices
    ]
    right = np.mean(np.array(held) == (shown(other)[:, 2] > BACK))
    note("share of the mask that is right", round(float(right), 3))
    assert right > 0.9
    assert {part.name for part in parts(other)} == {part.name for part in parts(animal)}
    yield from settle()
    yield from ask(do="picture", name="transferred.png")


def add_animal(name, scale=(1.0, 1.0, 1.0)):
    """The sample animal, the only object that is selected, of other proportions if wished."""
    with in_view():
        bpy.ops.object.select_all(action="DESELECT")
        bpy.ops.import_scene.gltf(filepath=str(SAMPLES / "dana.glb"))
        (obj,) = bpy.context.selected_objects
        obj.name, obj.scale = name, scale
        bpy.context.view_layer.objects.active = obj
        if scale != (1.0, 1.0, 1.0):
            bpy.ops.object.transform_apply(location=False, rotation=True, scale=True)
            obj.modifiers.new("Decimate", "DECIMATE").ratio = 0.6
            bpy.ops.object.modifier_apply(modifier="Decimate")
        bpy.ops.view3d.view_axis(type="LEFT")
        bpy.ops.view3d.view_selected()
        bpy.ops.ed.undo_push(message="Add an animal")
    return obj


def look_at_both(animal, other):
    """One before the other."""
    other.location.y = 3.2
    with in_view():
        for obj in (animal, other):
            obj.select_set(True)
        bpy.ops.view3d.view_axis(type="LEFT")
        bpy.ops.view3d.view_selected()
        bpy.ops.object.select_all(action="DESELECT")
        bpy.ops.ed.undo_push(message="Place the two")
