"""What happens to a run when the artist does other things: Esc, undo, a drag, a crash, quit."""

from pathlib import Path

import bpy
from clocks import Cancels, Ticks
from window import (
    MODULE,
    add_character,
    ask,
    at,
    background,
    clear,
    ended,
    in_view,
    labels_of,
    middle_of_view,
    note,
    open_tab,
    parts,
    segment,
    state,
    until,
    view,
)


def steps():
    """What happens to a run when the artist does other things: Esc, undo, a drag, a crash, quit."""
    clear()
    add_character(subdivisions=1)
    yield from open_tab()
    yield from ask(do="move", **middle_of_view())
    segment()
    yield from ended()
    obj = bpy.data.objects["Ada"]
    labels = labels_of(obj)
    yield from ask(do="key", key="ctrl+z")
    yield from until(lambda: "part" not in bpy.data.objects["Ada"].data.attributes, 60, "undo")

    # Esc in the eigensolver. Each run is on a mesh that the cache does not know.
    seconds = []
    cancels, ticks = Cancels(), Ticks()
    for turn in range(3):
        obj = bpy.data.objects["Ada"]
        obj.data.vertices[0].co.x += 1e-4 * (turn + 1)
        segment()
        yield from at("eigenbasis")
        yield 0.1 * turn
        yield from ask(do="key", key="Escape")
        yield from until(lambda: not state().running, 5, "Esc")
        seconds.append(cancels.seconds)
    ticks.stop()
    # Where the processor draws, a frame may take long, and one may be on its way.
    frame = ticks.gaps(cancels.asked[0], cancels.stopped[-1])[0][0] / 1000
    note("seconds from Esc to the end of the run", seconds)
    note("longest frame meanwhile in seconds", round(frame, 3))
    assert max(seconds) < 0.5 + frame
    yield 0.3
    assert "part" not in bpy.data.objects["Ada"].data.attributes

    # Ctrl+Z in the middle of a run: the object is a new one in memory, the result finds it.
    with in_view():
        bpy.data.objects["Ada"].location.x = 0.3
        bpy.ops.ed.undo_push(message="Move")
    segment()
    yield from at("eigenbasis")
    yield from ask(do="key", key="ctrl+z")
    yield from ended()
    obj = bpy.data.objects["Ada"]
    assert abs(obj.location.x) < 1e-6, "undo did not arrive"
    assert len(parts(obj)) >= 10
    pairs = zip(labels, labels_of(obj), strict=True)
    same = sum(before == after for before, after in pairs) / len(labels)
    note("labels as before", round(same, 4))
    assert same > 0.99

    # While the artist drags something nothing is written; when they let go it is.
    clear()
    obj = add_character()
    segment()
    middle = middle_of_view()
    yield from ask(do="move", **middle)
    yield from ask(do="key", key="g")
    yield from ask(do="move", x=middle["x"] + 60, y=middle["y"] + 10)
    yield 4.0
    moving = any(op.bl_idname == "TRANSFORM_OT_translate" for op in view()[0].modal_operators)
    note("dragged while it ran", moving)
    assert moving
    assert state().running
    assert "part" not in obj.data.attributes
    yield from ask(do="key", key="Return")
    yield from ended()
    assert len(parts(bpy.data.objects["Ada"])) >= 10

    # An object deleted, one edited, and one left alone.
    clear()
    names = ["Deleted", "Edited", "Kept"]
    for index, name in enumerate(names):
        add_character(name=name).location.x = index
    for name in names:
        bpy.data.objects[name].select_set(True)
    segment()
    yield from at("Kept", 120)
    bpy.data.objects.remove(bpy.data.objects["Deleted"])
    with in_view():
        edited = bpy.data.objects["Edited"]
        modifier = edited.modifiers.new("Decimate", "DECIMATE")
        modifier.ratio = 0.5
        with bpy.context.temp_override(object=edited):
            bpy.ops.object.modifier_apply(modifier=modifier.name)
    yield from ended()
    assert "part" not in bpy.data.objects["Edited"].data.attributes
    assert len(parts(bpy.data.objects["Kept"])) >= 10

    # Disabled in the middle of a run: nothing is left behind.
    clear()
    obj = add_character()
    segment()
    yield from ended()
    obj.data.vertices[0].co.x += 1e-4
    segment()
    yield from until(lambda: background().the_worker().pid, 5, "the worker")
    pid = background().the_worker().pid
    yield 0.3
    with in_view():
        bpy.ops.preferences.addon_disable(module=MODULE)
    yield 1.0
    assert not running(pid), "the worker outlived the extension"
    with in_view():
        bpy.ops.preferences.addon_enable(module=MODULE)
    yield from open_tab()

    # Left running when Blender quits; the other end of this looks for it.
    obj = bpy.data.objects["Ada"]
    segment()
    yield from ended()
    note("worker at quit", background().the_worker().pid)


def running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
