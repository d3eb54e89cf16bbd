"""A model of one's own, from labels on two characters, with the curve in the panel.

PyTorch comes from an environment, as an artist's own would: the one that runs these checks.
"""

import bpy
from scenarios.transfer import add_bo, look_at_both
from window import (
    MODULE,
    SETTINGS,
    add_character,
    ask,
    background,
    clear,
    ended,
    in_view,
    middle_of_view,
    note,
    open_instead,
    open_tab,
    part_of_extension,
    parts,
    press,
    segment,
    state,
    until,
)


def steps():
    """Label, train, stop at a good moment, use."""
    clear()
    add_character()
    add_bo()
    look_at_both()
    with in_view():
        bpy.ops.object.select_all(action="SELECT")
    yield from open_tab()
    segment()
    yield from ended()

    # Parts that the bundled model does not know: whole arms and legs, less hands and feet.
    with in_view():
        for obj in meshes():
            bpy.context.view_layer.objects.active = obj
            for part, into in (("thigh", "shin"), ("upper_arm", "forearm")):
                for side in "LR":
                    bpy.ops.diffusionnet.merge_parts(
                        object_name=obj.name, part=f"{part}.{side}", into=f"{into}.{side}"
                    )
    chosen = bpy.context.scene.diffusionnet.training
    chosen.model_name, chosen.replace, chosen.size = "limbs", True, "fast"
    yield from open_instead("Train")
    yield 0.5
    yield from ask(do="picture", name="before.png")

    # Blender's own Python has no PyTorch: the panel says what to do, and leads to the preferences.
    trouble = part_of_extension("session.trouble").last_trouble
    yield from press("train")
    yield from until(trouble, 120, "the message that PyTorch is missing")
    assert "PyTorch" in trouble().message
    yield from ended()
    yield from ask(do="move", **middle_of_view())
    yield 0.5
    yield from ask(do="picture", name="without.png")
    preferences = bpy.context.preferences.addons[MODULE].preferences
    preferences.environment = SETTINGS[0]

    yield from press("train")
    yield from until(lambda: state().running, 60, "the click")
    yield from until(lambda: rows() >= 6, 600, "the curve")
    yield from ask(do="picture", name="learning.png")
    note("progress", state().text)
    yield from press("stop_training")
    yield from ended(120)
    assert trouble() is None, trouble()
    note("rows of the curve", rows())
    yield 0.5
    yield from ask(do="picture", name="trained.png")
    assert bpy.context.scene.diffusionnet.model == "limbs"

    # The new model is chosen, and finds what it was taught.
    segment()
    yield from ended()
    for obj in meshes():
        note(f"parts of {obj.name}", sorted(part.name for part in parts(obj)))
        assert len(parts(obj)) == 10
    background().end_worker()


def meshes():
    """Both characters."""
    return [bpy.data.objects[name] for name in ("Ada", "Bo")]


def rows():
    """Of the curve that the panel shows."""
    curve = part_of_extension("session.curve_icon").shown_curve()
    return len(curve.rows) if curve else 0
