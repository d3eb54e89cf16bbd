"""A bare character gets a skeleton; a joint is moved, the meshes are bound, the rig is posed."""

import bpy
import numpy as np
from window import (
    add_character,
    ask,
    clear,
    ended,
    find_button,
    in_view,
    note,
    open_instead,
    open_tab,
    press,
    settle,
    shown,
    state,
    until,
    view,
)

RIGHT = 0.7
MOVED = 0.02


def steps():
    """Fit, move an elbow, bind, check, and step back."""
    clear()
    body = add_character()
    chosen = bpy.context.scene.diffusionnet.rig
    chosen.kind = "mixamo"
    yield from open_tab()
    yield from open_instead("Rig")
    yield from settle()

    # Fit Skeleton is left of Bind.
    x, y = yield from find_button("bind_skeleton", RIGHT)
    left = view()[2]["UI"]
    yield from ask(do="click", x=int(left.x + 0.3 * left.width), y=y)
    yield from until(lambda: state().running, 60, "the click")
    yield from ended()
    (rig,) = (obj for obj in bpy.data.objects if obj.type == "ARMATURE")
    assert not body.vertex_groups
    rig.show_in_front = True
    yield from settle()
    yield from ask(do="picture", name="fitted.png")

    elbow = next(bone.name for bone in rig.data.bones if bone.name.endswith("LeftForeArm"))
    before = rig.data.bones[elbow].head_local.copy()
    with in_view():
        bpy.context.view_layer.objects.active = rig
        bpy.ops.object.mode_set(mode="EDIT")
        bone = rig.data.edit_bones[elbow]
        bone.head.z += MOVED
        bpy.ops.object.mode_set(mode="OBJECT")
        bpy.ops.ed.undo_push(message="Move a joint")
    yield from settle()
    yield from press("bind_skeleton", RIGHT)
    yield from until(lambda: body.vertex_groups, 60, "the binding")
    (rig,) = (obj for obj in bpy.data.objects if obj.type == "ARMATURE")
    assert abs(rig.data.bones[elbow].head_local.z - before.z - MOVED) < 1e-5
    assert [m.type for m in body.modifiers] == ["ARMATURE"]
    note("bones", len(rig.data.bones))

    yield from press("check_rig")
    yield from until(lambda: rig.animation_data is not None, 60, "the animation")
    start, end = rig.animation_data.action.frame_range
    rest = shown(body)
    bpy.context.scene.frame_set(int(start + 0.4 * (end - start)))
    yield from settle()
    assert np.abs(shown(body) - rest).max() > 0.1
    yield from ask(do="picture", name="posed.png")

    # Each was one step: the animation, the binding.
    yield from ask(do="key", key="ctrl+z")
    yield from ask(do="key", key="ctrl+z")
    yield from until(lambda: not bpy.data.objects["Ada"].vertex_groups, 60, "undo")
