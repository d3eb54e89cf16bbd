"""Groups and keys are chosen by check boxes, a region is set, several targets get the data."""

import bpy
import numpy as np
from scenarios.transfer import add_bo, look_at_both
from window import (
    add_character,
    ask,
    clear,
    ended,
    in_view,
    note,
    open_instead,
    open_tab,
    part_of_extension,
    press,
    settle,
    shown,
    state,
    until,
    view,
)

OPENED = ("_names", "_extent", "_many", "_live")
GROUPS = ("head", "sleeve.L", "upper half")


def steps():
    """Look at the panels, transfer to two characters, and let one follow."""
    clear()
    source = add_character()
    for name in GROUPS:
        above = [v.index for v in source.data.vertices if v.co.z > 1.0 and v.co.x > -0.1]
        source.vertex_groups.new(name=name).add(above, 1.0, "REPLACE")
    source.shape_key_add(name="Basis", from_mix=False)
    key = source.shape_key_add(name="Stretch", from_mix=False)
    for point in key.data:
        point.co.z *= 1.2
    paint = source.data.color_attributes.new("paint", "FLOAT_COLOR", "POINT")
    heights = [(0.2 + 0.4 * v.co.z, 0.5 + v.co.x, 0.3, 1.0) for v in source.data.vertices]
    paint.data.foreach_set("color", np.array(heights, np.float32).ravel())
    target = add_bo()
    other = target.copy()
    other.data = target.data.copy()
    other.name = "Cy"
    bpy.context.collection.objects.link(other)
    other.location.x = 3.2
    face = target.vertex_groups.new(name="torso")
    face.add([v.index for v in target.data.vertices if 0.8 < v.co.z < 1.5], 1.0, "REPLACE")
    chosen = bpy.context.scene.diffusionnet.transfer
    chosen.source, chosen.target = source, target
    chosen.texture, chosen.shape_keys = False, True
    open_by_default(OPENED)
    yield from open_tab()
    yield from open_instead("Transfer")
    look_at_both()
    with in_view():
        for obj in (source, target, other):
            obj.select_set(True)
    yield from settle()
    yield from ask(do="picture", name="closed.png")

    yield from press("choose_names", across=0.1)
    note("names after a click", chosen.group_names)
    assert chosen.group_names
    chosen.group_names = "*.L, upper*"
    chosen.mirror = False
    chosen.region, chosen.region_name, chosen.mix = "GROUP", "torso", 0.8
    yield from settle()
    yield from ask(do="picture", name="chosen.png")

    chosen.region = "ALL"
    yield from press("transfer_to_selected")
    yield from until(lambda: state().running or target.vertex_groups, 60, "the click")
    note("progress", state().text)
    yield from ended(600)
    yield from settle()
    yield from ask(do="picture", name="many.png")
    last = part_of_extension("session.transferred").last_transfer()
    for outcome in last.outcomes:
        note(outcome.target.name, [sorted(outcome.moved), str(outcome.error or outcome.confident)])
    assert {o.target.name for o in last.outcomes} == {"Bo", "Cy"}
    assert all("upper half" in obj.vertex_groups for obj in (target, other))

    chosen.target = target
    yield from settle()
    yield from press("live_match")
    yield from until(lambda: target.modifiers, 60, "the modifier")
    before = shown(target)
    modifier = target.modifiers["Live Match"]
    view()[1].spaces.active.shading.color_type = "VERTEX"
    note("attributes", [n for n in target.data.attributes.keys() if n.startswith("live")])
    assert len(before) == len(target.data.vertices)
    assert modifier.node_group
    colours = evaluated_colours(target, "live paint")
    note("mean colour that is read", [round(float(c), 3) for c in colours.mean(axis=0)])
    assert colours[:, :3].mean() > 0.2
    yield from settle()
    yield from ask(do="picture", name="live.png")


def evaluated_colours(obj, name):
    """A colour attribute as the modifiers of an object leave it, (V, 4)."""
    mesh = obj.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    found = np.empty(4 * len(mesh.vertices), np.float32)
    mesh.attributes[name].data.foreach_get("color", found)
    return found.reshape(-1, 4)


def open_by_default(names):
    """Open sub-panels that are closed until an artist opens them, by the ends of their names."""
    above = ("DIFFUSIONNET_PT_transfer", "DIFFUSIONNET_PT_transfer_data")
    below = [
        cls
        for cls in part_of_extension("panels").CLASSES
        if getattr(cls, "bl_parent_id", "") in above and cls.__name__ not in above
    ]
    for cls in below:
        bpy.utils.unregister_class(cls)
        if cls.__name__.endswith(names):
            cls.bl_options = set()
    # Again in their order.
    for cls in below:
        bpy.utils.register_class(cls)
