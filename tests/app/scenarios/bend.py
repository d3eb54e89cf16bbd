"""One character's mesh on another's shape, and what one wears on the other, by their buttons."""

import bpy
from scenarios.control import open_by_default
from scenarios.transfer import add_bo
from window import (
    add_character,
    add_dressed,
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
    state,
    until,
)

OPENED = ("_conform", "_refit")


def steps():
    """Conform Ada to Bo, undo it, and fit the clothes of the dressed sample to Bo."""
    clear()
    ada = add_character()
    bo = add_bo()
    bo.location.x = 1.6
    open_by_default(OPENED)
    yield from open_tab()
    yield from open_instead("Transfer")
    choose(ada, bo)
    look_at_all()
    yield from settle()
    yield from made_by("conform", ["Ada on Bo"])
    hide(ada, bo)
    yield from settle()
    yield from ask(do="picture", name="conformed.png")

    clear()
    dressed = add_dressed("Jacket")[0]
    bo = add_bo()
    bo.location.x = 1.6
    choose(dressed, bo)
    look_at_all()
    yield from settle()
    count = len(bpy.data.objects)
    yield from made_by("refit", None)
    note("objects fitted", len(bpy.data.objects) - count)
    yield from settle()
    yield from ask(do="picture", name="refitted.png")


def wires():
    """The mesh that is seen as it bends."""
    return part_of_extension("session.wires").shown_wires()


def choose(source, target):
    """As source and target of the panel."""
    chosen = bpy.context.scene.diffusionnet.transfer
    chosen.source, chosen.target = source, target


def look_at_all():
    """From the front."""
    with in_view():
        bpy.ops.object.select_all(action="SELECT")
        bpy.ops.view3d.view_axis(type="FRONT")
        bpy.ops.view3d.view_selected()
        bpy.ops.object.select_all(action="DESELECT")
        bpy.ops.ed.undo_push(message="Place them")


def hide(*objects):
    """Leave what was made alone in view."""
    for obj in objects:
        obj.hide_set(True)


def made_by(operator, names):
    """Press a button and wait for the new objects."""
    before = set(bpy.data.objects.keys())
    yield from press(operator)
    yield from until(
        lambda: state().running or set(bpy.data.objects.keys()) - before, 60, "the click"
    )
    yield from until(lambda: not state().running or wires(), 300, "wires, or the end")
    if wires():
        yield from settle()
        yield from ask(do="picture", name=f"{operator}-bending.png")
    yield from ended(600)
    assert not wires()
    made = sorted(set(bpy.data.objects.keys()) - before)
    note(f"made by {operator}", made)
    assert made
    assert names is None or made == names
