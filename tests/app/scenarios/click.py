"""The pictures of the animation on the first page: the pointer, a click, a bar, a coloured figure.

Pictures are numbered; film.json holds the seconds that each is shown and where the pointer is.
"""

import json
import time
from math import radians

import bpy
from mathutils import Quaternion
from window import (
    FOLDER,
    add_dressed,
    ask,
    clear,
    find_button,
    look_at,
    maximise,
    middle_of_view,
    note,
    open_tab,
    parts,
    settle,
    state,
    until,
    view,
)

# Pictures of one turn of the figure, and the seconds that each is shown.
TURN, TURNING, LAST = 24, 0.1, 2.0
# From the upper edge of a button, where it is found, to its middle.
INSIDE = 13
# The bar is shown faster than it moved on a processor that also draws the window.
FASTER = 3.0
film = []


def steps():
    """Move to the button, press it, watch, walk around the figure."""
    clear()
    names = [obj.name for obj in add_dressed("Jacket")]
    yield from maximise()
    yield from open_tab()
    space = view()[1].spaces.active
    space.show_region_toolbar = space.show_gizmo = False
    space.overlay.show_text = space.overlay.show_cursor = False
    space.overlay.show_floor = space.overlay.show_axis_x = space.overlay.show_axis_y = False
    space.overlay.show_ortho_grid = False
    # The sidebar lies over the right part of the view.
    look_at((0.3, 0.0, 0.86), 2.25)
    x, y = yield from find_button("segment", across=0.75)
    button = x, y + INSIDE
    start = middle_of_view()
    yield from ask(do="move", **start)
    yield from settle()
    yield from shoot(0.9, **start)
    yield from ask(do="move", x=button[0], y=button[1])
    yield 0.3
    yield from shoot(0.5, x=button[0], y=button[1], arrives=True)

    yield from ask(do="click", x=button[0], y=button[1])
    yield from until(lambda: state().running, 60, "the click")
    film[-1]["pressed"] = True
    while state().running:
        clock = time.perf_counter()
        yield from shoot(0.1, x=button[0], y=button[1], waits=True)
        yield 0.2
        film[-1]["seconds"] = (time.perf_counter() - clock) / FASTER
    yield from settle()
    assert len({part.name for n in names for part in parts(bpy.data.objects[n])}) == 14
    yield from shoot(1.2, x=button[0], y=button[1])

    space.overlay.show_outline_selected = False
    region = space.region_3d
    front, middle = region.view_rotation.copy(), region.view_location.copy()
    for number in range(1, TURN + 1):
        turn = Quaternion((0, 0, 1), radians(360 * number / TURN))
        region.view_rotation = turn @ front
        region.view_location = turn @ middle
        view()[1].tag_redraw()
        yield 0.25
        yield from shoot(TURNING, x=button[0], y=button[1])
    film[-1]["seconds"] = LAST
    (FOLDER / "film.json").write_text(json.dumps(film, indent=1))
    note("pictures", len(film))


def shoot(seconds, **pointer):
    """A picture, shown for some seconds, with the pointer at a place."""
    name = f"{len(film):03}.png"
    yield from ask(do="picture", name=name)
    film.append({"picture": name, "seconds": seconds, **pointer})
