"""The pictures of the tutorial, a step each: from an empty scene to parts, and to a texture.

pointers.json holds where the pointer is to be drawn in those that show what to press.
"""

import json

import bpy
from scenarios.editing import explode, select_knee
from scenarios.transfer import add_bo, look_at_both
from window import (
    FOLDER,
    add_character,
    ask,
    at,
    clear,
    ended,
    find_button,
    in_view,
    labels_of,
    look_at,
    maximise,
    middle_of_view,
    note,
    open_instead,
    open_tab,
    part_of_extension,
    parts,
    settle,
    state,
    until,
    view,
)

pointers = {}
# Of the last entry of the menu, which is as long as the importers that are enabled.
GLTF = (150, 207)
# From the place where a button is found, near its upper edge, to its middle; some are larger.
INSIDE, INSIDE_LARGE = 7, 13


def steps():
    """Import, segment, correct, separate; match and move a texture."""
    # They would lie over what is to be seen.
    bpy.context.preferences.view.show_tooltips = False
    yield from segment_and_correct()
    yield from transfer()
    # Blender saves its preferences when it quits.
    bpy.context.preferences.view.show_tooltips = True
    (FOLDER / "pointers.json").write_text(json.dumps(pointers, indent=1))


def segment_and_correct():
    """The first half: one character."""
    clear()
    yield from ask(do="move", x=90, y=60)
    with in_view():
        bpy.ops.wm.call_menu(name="TOPBAR_MT_file_import")
    yield 1.0
    yield from shown("import", GLTF, 0)
    yield from ask(do="key", key="Escape")
    yield 0.5

    obj = add_character(subdivisions=1)
    yield from maximise()
    yield from open_tab()
    place = yield from find_button("segment", across=0.8)
    yield from shown("button", place, INSIDE_LARGE)

    yield from ask(do="click", x=place[0], y=place[1])
    yield from until(lambda: state().running, 60, "the click")
    yield from at("eigenbasis")
    yield from until(lambda: state().factor > 0.35, 120, "a third of the run")
    yield from ask(do="picture", name="progress.png")
    yield from ended()
    yield from ask(do="move", **middle_of_view())
    yield from settle()
    yield from ask(do="picture", name="parts.png")
    names = [part.name for part in obj.data.diffusionnet.parts]
    assert len(parts(obj)) == 14

    # The knee is to be shin: its faces, as an artist selects them with a circle.
    select_knee(obj)
    look_at((0.1, -1.0, 0.5), 1.1)
    yield from settle()
    place = yield from find_button("assign_part", across=0.8)
    yield from shown("select", place)
    yield from ask(do="click", x=place[0], y=place[1])
    yield from settle()
    with in_view():
        bpy.ops.mesh.select_all(action="DESELECT")
        bpy.ops.object.mode_set(mode="OBJECT")
    place = yield from find_button("smooth_parts", across=0.75)
    before = labels_of(obj)
    yield from ask(do="click", x=place[0], y=place[1])
    yield from until(lambda: labels_of(obj) != before, 60, "the button Smooth Borders")
    yield from settle()
    yield from shown("smooth", place)

    with in_view():
        bpy.ops.view3d.view_axis(type="FRONT")
        bpy.ops.view3d.view_selected()
    place = yield from find_button("separate_parts")
    yield from ask(do="click", x=place[0], y=place[1])
    yield 1.0
    pieces = [piece for piece in bpy.context.selected_objects if piece.type == "MESH"]
    assert len(pieces) == len(names), [piece.name for piece in pieces]
    explode(pieces)
    yield from maximise()
    with in_view():
        bpy.ops.view3d.view_selected()
        bpy.ops.object.select_all(action="DESELECT")
    yield from ask(do="move", **middle_of_view())
    yield from settle()
    yield from ask(do="picture", name="separated.png")


def transfer():
    """The second half: two characters."""
    clear()
    source = add_character()
    target = add_bo()
    chosen = bpy.context.scene.diffusionnet.transfer
    chosen.source, chosen.target = source, target
    chosen.weights = False
    yield from maximise()
    yield from open_tab()
    yield from open_instead("Transfer")
    look_at_both()
    space = view()[1].spaces.active
    space.shading.color_type = "TEXTURE"
    # Clear of the sidebar and of the buttons beside it.
    space.region_3d.view_distance *= 0.92
    space.region_3d.view_location.x += 0.28
    yield from settle()
    place = yield from find_button("match", across=0.7)
    yield from shown("pair", place, INSIDE_LARGE)

    yield from ask(do="click", x=place[0], y=place[1])
    found = part_of_extension("scene.matches").find_match
    yield from until(lambda: found(source, target), 120, "the match")
    yield from ended()
    place = yield from find_button("preview_match", across=0.4)
    yield from ask(do="click", x=place[0], y=place[1])
    yield from settle()
    assert "match_position" in target.data.attributes
    yield from shown("matched", place)

    view()[1].spaces.active.shading.color_type = "TEXTURE"
    place = yield from find_button("transfer", across=0.7)
    yield from ask(do="click", x=place[0], y=place[1])
    yield from until(lambda: target.data.uv_layers, 120, "the transfer")
    yield from ended()
    yield from settle()
    yield from shown("textured", place, INSIDE_LARGE)
    note("images", len(bpy.data.images))


def shown(name, place, below=INSIDE):
    """A picture with the pointer at a place, or so many pixels below it."""
    x, y = place
    yield from ask(do="move", x=x, y=y)
    yield 0.3
    pointers[name] = x, y + below
    yield from ask(do="picture", name=f"{name}.png")
