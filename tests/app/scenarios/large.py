"""How long the window stalls with about 200,000 vertices, waiting, reading and writing."""

import time

import bpy
from clocks import Cancels, Ticks, instrument, quiet_window, summary
from window import (
    add_character,
    ask,
    at,
    clear,
    ended,
    in_view,
    note,
    open_tab,
    parts,
    seconds_of,
    segment,
    state,
    until,
)


def steps():
    """How long the window stalls with about 200,000 vertices, waiting, reading and writing."""
    clear()
    obj = add_character(subdivisions=2)
    yield from open_tab()
    yield 2.0
    note("vertices", len(obj.data.vertices))
    note("faces", len(obj.data.polygons))
    note("quiet window, redrawn alike", (yield from quiet_window(5)))

    steps = instrument()
    ticks = Ticks()
    yield 0.5
    # Every vertex is computed on, which takes long enough to look at; the second run is as usual.
    bpy.context.scene.diffusionnet.exact = True
    segment()
    begun = time.perf_counter()
    yield from at("eigenbasis", 120)
    yield 5.0
    assert state().running
    waited = time.perf_counter()
    note("first run, reading", summary(ticks.gaps(begun - 3, begun + 1.5)))
    note("first run, waiting", summary(ticks.gaps(begun + 1.5, waited)))
    yield from ask(do="picture", name="large.png")
    cancels = Cancels()
    yield from ask(do="key", key="Escape")
    yield from until(lambda: not state().running, 5, "Esc")
    note("seconds from Esc to the end of the run", cancels.seconds)

    steps.clear()
    bpy.context.scene.diffusionnet.exact = False
    segment()
    yield from ended(600)
    ended_at = time.perf_counter()
    yield 3.0
    note("whole run, writing", summary(ticks.gaps(ended_at - 1.5, ended_at + 2)))
    # What of that is Blender's own: its step of undo, and showing a mesh of this size anew.
    begun = time.perf_counter()
    with in_view():
        obj.data.update()
        bpy.ops.ed.undo_push(message="Nothing of ours")
    yield 3.0
    ticks.stop()
    note("Blender alone, another step", summary(ticks.gaps(begun - 0.1, begun + 2)))
    note("seconds of each stage", seconds_of(obj))
    note("longest steps of ours, wall and processor ms", steps.longest())
    note("parts", len(parts(obj)))
    assert len(parts(obj)) >= 10
