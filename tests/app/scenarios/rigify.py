"""One click makes a rig of Rigify with controls, and the controls move the character."""

import addon_utils
import bpy
import numpy as np
from window import (
    add_character,
    ask,
    clear,
    ended,
    note,
    open_instead,
    open_tab,
    press,
    settle,
    shown,
    state,
    until,
)

BENT = 1.0


def steps():
    """Rig, bend both elbows and a knee by their controls, and step back."""
    addon_utils.enable("rigify", default_set=True)
    clear()
    body = add_character()
    bpy.context.scene.diffusionnet.rig.kind = "rigify"
    yield from open_tab()
    yield from open_instead("Rig")
    yield from settle()

    yield from press("rig")
    yield from until(lambda: state().running, 60, "the click")
    yield from ended()
    yield from until(lambda: body.vertex_groups, 60, "the binding")
    rig = next(m.object for m in body.modifiers if m.type == "ARMATURE")
    note("bones of the generated rig", len(rig.data.bones))
    controls = {bone.name for bone in rig.pose.bones}
    assert {"torso", "hand_ik.L", "upper_arm_fk.R"} <= controls, sorted(controls)[:40]
    yield from settle()
    yield from ask(do="picture", name="rigged.png")

    rest = shown(body)
    for side in "LR":
        rig.pose.bones[f"upper_arm_parent.{side}"]["IK_FK"] = 1.0
        bone = rig.pose.bones[f"forearm_fk.{side}"]
        bone.rotation_mode = "XYZ"
        bone.rotation_euler = (BENT, 0.0, 0.0)
    rig.pose.bones["torso"].location = (0.0, 0.0, -0.2)
    rig.update_tag()
    bpy.context.view_layer.update()
    yield from settle()
    moved = np.linalg.norm(shown(body) - rest, axis=1)
    assert moved.max() > 0.2
    yield from ask(do="picture", name="posed.png")

    # Binding, and the skeleton before it, are a step each.
    yield from ask(do="key", key="ctrl+z")
    yield from ask(do="key", key="ctrl+z")
    yield from until(lambda: not bpy.data.objects["Ada"].vertex_groups, 60, "undo")
