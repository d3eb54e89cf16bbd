"""Parts are straightened, corrected by hand, taken apart."""

import bpy
from mathutils import Vector
from window import (
    add_character,
    ask,
    clear,
    ended,
    in_view,
    labels_of,
    look_at,
    note,
    open_tab,
    press,
    segment,
    settle,
)


def steps():
    """Smooth, assign, separate."""
    clear()
    obj = add_character(subdivisions=1)
    yield from open_tab()
    # Frays are left in, to be seen before and after.
    bpy.context.scene.diffusionnet.clean = False
    segment()
    yield from ended()
    names = [part.name for part in obj.data.diffusionnet.parts]

    # Borders, looked at closely.
    look_at((0.0, -1.0, 0.85), 1.1)
    yield 0.5
    yield from ask(do="picture", name="borders.png")
    yield from press("smooth_parts")
    yield 0.5
    yield from ask(do="picture", name="straight.png")

    # A band around the left knee becomes shin, by faces selected in Edit Mode.
    select_knee(obj)
    chosen = sum(face.select for face in obj.data.polygons)
    before = labels_of_edited(obj).count(names.index("shin.L"))
    look_at((0.1, -1.0, 0.5), 1.1)
    yield 0.5
    yield from press("assign_part", across=0.7)
    after = labels_of_edited(obj).count(names.index("shin.L"))
    note("faces assigned", after - before)
    assert 0 < after - before <= chosen
    yield 0.5
    yield from ask(do="picture", name="assigned.png")
    with in_view():
        bpy.ops.object.mode_set(mode="OBJECT")
        bpy.ops.view3d.view_axis(type="FRONT")
        bpy.ops.view3d.view_selected()

    # One object a part; moved apart to be seen.
    yield 0.5
    yield from press("separate_parts")
    pieces = [piece for piece in bpy.context.selected_objects if piece.type == "MESH"]
    assert len(pieces) == len(names), [piece.name for piece in pieces]
    assert sum(len(piece.data.polygons) for piece in pieces) == len(obj.data.polygons)
    explode(pieces)
    with in_view():
        bpy.ops.view3d.view_selected()
        bpy.ops.object.select_all(action="DESELECT")
    yield from settle()
    yield from ask(do="picture", name="separated.png")


def select_knee(obj):
    """Select the faces around the left knee in Edit Mode, with the shin as the active part."""
    part_names = [part.name for part in obj.data.diffusionnet.parts]
    with in_view():
        bpy.ops.object.mode_set(mode="EDIT")
        bpy.ops.mesh.select_mode(type="FACE")
        bpy.ops.mesh.select_all(action="DESELECT")
        bpy.ops.object.mode_set(mode="OBJECT")
        for face in obj.data.polygons:
            face.select = 0.03 < face.center.x < 0.3 and 0.45 < face.center.z < 0.58
        obj.data.diffusionnet.active = part_names.index("shin.L")
        bpy.ops.object.mode_set(mode="EDIT")


def explode(pieces):
    """Move the pieces of a character away from its middle, for an exploded view."""
    corners = {p: [p.matrix_world @ Vector(c) for c in p.bound_box] for p in pieces}
    for piece in pieces:
        centre = sum(corners[piece], Vector()) / 8
        piece.location += 0.3 * (centre - Vector((0, 0, 1)))


def labels_of_edited(obj):
    with in_view():
        bpy.ops.object.mode_set(mode="OBJECT")
        labels = labels_of(obj)
        bpy.ops.object.mode_set(mode="EDIT")
    return labels
