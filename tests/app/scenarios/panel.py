"""As an artist meets it: one click, a bar, colours, one step back."""

import sys
import webbrowser
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

import bpy
from window import (
    add_character,
    ask,
    at,
    clear,
    ended,
    find_button,
    in_view,
    labels_of,
    middle_of_view,
    note,
    open_tab,
    part_of_extension,
    parts,
    seconds_of,
    segment,
    state,
    until,
    view,
)


def steps():
    """Segment, look, undo, an error, the menu."""
    clear()
    obj = add_character(subdivisions=1)
    count = len(obj.data.vertices)
    note("vertices", count)
    yield from open_tab()
    yield from ask(do="picture", name="panel.png")

    # The big button, by a real click.
    x, y = yield from find_button("segment")
    yield from ask(do="click", x=x, y=y)
    yield from until(lambda: state().running, 60, "the click")
    yield from at("eigenbasis")
    yield from until(
        lambda: state().factor > 0.35 and "eigenbasis" in state().text, 120, "a third of the run"
    )
    note("progress", state().text)
    yield from ask(do="picture", name="progress.png")
    yield from ended()
    yield 1.0
    yield from ask(do="picture", name="segmented.png")
    names = {part.name for part in parts(obj)}
    note("parts", len(names))
    note("seconds of each stage", seconds_of(obj))
    assert len(names) >= 10, names
    assert {"part", "part_vertex", "part_color"} <= set(obj.data.attributes.keys())
    assert names <= set(obj.vertex_groups.keys())
    assert view()[1].spaces.active.shading.color_type == "VERTEX"
    assert "scipy" not in sys.modules, "SciPy was loaded into Blender"

    # F1 over the big button opens its page of the guide, which came with the zip.
    opened = []
    webbrowser.open = lambda address, *_: opened.append(address) or True
    if bpy.app.version < (5, 0):
        yield from ask(do="move", x=x, y=y)
        yield 0.2
        yield from ask(do="key", key="F1")
    else:
        # On this screen F1 does nothing there, over Blender's own buttons neither.
        bpy.ops.wm.doc_view_manual(doc_id="diffusionnet.segment")
    yield from until(lambda: opened, 60, "F1")
    address, _, anchor = opened[0].partition("#")
    assert f'id="{anchor}"' in Path(url2pathname(urlparse(address).path)).read_text(), opened

    # The borders are smoothed by the button below the legend, and back.
    before = labels_of(obj)
    x, y = yield from find_button("smooth_parts")
    yield from ask(do="click", x=x, y=y)
    yield from until(lambda: labels_of(obj) != before, 60, "the button Smooth Borders")
    yield from ask(do="picture", name="smoothed.png")
    yield from ask(do="move", **middle_of_view())
    yield from ask(do="key", key="ctrl+z")
    yield from until(lambda: labels_of(bpy.data.objects["Ada"]) == before, 60, "undo of it")

    # Ctrl+Z over the view, by the keyboard, takes the labels away in one step.
    yield from ask(do="move", **middle_of_view())
    yield from ask(do="key", key="ctrl+z")
    yield from until(lambda: "part" not in bpy.data.objects["Ada"].data.attributes, 60, "undo")
    assert len(bpy.data.objects["Ada"].data.vertices) == count

    # A mesh that cannot be segmented: what is wrong stays in the panel.
    clear()
    bpy.ops.mesh.primitive_cube_add()
    for vertex in bpy.context.object.data.vertices:
        vertex.co = (0, 0, 0)
    # It is told at once, before the worker has anything to do.
    with suppress(RuntimeError):
        segment()
    yield from until(lambda: not state().running, 60, "the error")
    # The message of Blender's own goes when the mouse has been over it and leaves.
    for place in ({"x": 470, "y": 460}, {"x": 480, "y": 470}, {"x": 700, "y": 850}):
        yield from ask(do="move", **place)
        yield 0.5
    yield from ask(do="picture", name="error.png")
    assert part_of_extension("session.trouble").last_trouble().kind == "SurfaceError"

    # The entry in the context menu.
    clear()
    add_character()
    yield from ask(do="move", **middle_of_view())
    with in_view():
        bpy.ops.wm.call_menu(name="VIEW3D_MT_object_context_menu")
    yield 0.5
    yield from ask(do="picture", name="menu.png")
    yield from ask(do="key", key="Escape")
    yield 0.3
