"""A texture and skin weights go from one character to another, by the buttons of the panel."""

import bpy
from window import (
    SAMPLES,
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
    state,
    until,
    view,
)


def steps():
    """Match, look at the match, transfer."""
    clear()
    source = add_character()
    # A mask to move beside the texture.
    above = [vertex.index for vertex in source.data.vertices if vertex.co.z > 1.0]
    source.vertex_groups.new(name="upper half").add(above, 1.0, "REPLACE")
    target = add_bo()
    with in_view():
        bpy.ops.object.select_all(action="DESELECT")
        target.select_set(True)
        bpy.context.view_layer.objects.active = target
    chosen = bpy.context.scene.diffusionnet.transfer
    chosen.source, chosen.target = source, target
    yield from open_tab()
    yield from open_instead("Transfer")
    look_at_both()
    view()[1].spaces.active.shading.color_type = "TEXTURE"
    yield 1.0
    yield from ask(do="picture", name="before.png")

    yield from press("match")
    found = part_of_extension("scene.matches").find_match
    yield from until(
        lambda: state().factor > 0.3 or found(source, target), 120, "a third of the match"
    )
    yield from ask(do="picture", name="matching.png")
    note("progress", state().text)
    yield from ended()
    match = found(source, target)
    note("share of confident vertices", round(match.correspondence.confident_share, 3))
    assert match.correspondence.confident_share > 0.6
    yield from press("preview_match", across=0.3)
    yield 1.0
    assert "match_position" in target.data.attributes
    yield from ask(do="picture", name="position.png")

    view()[1].spaces.active.shading.color_type = "TEXTURE"
    yield 0.5
    yield from press("transfer")
    # It may be over between two looks.
    yield from until(
        lambda: state().factor > 0.2 or target.data.uv_layers, 120, "a fifth of the transfer"
    )
    yield from ask(do="picture", name="moving.png")
    note("progress of the transfer", state().text)
    yield from ended()
    yield 1.0
    yield from ask(do="picture", name="transferred.png")
    assert "upper half" in target.vertex_groups
    images = [
        node.image
        for material in target.data.materials
        for node in material.node_tree.nodes
        if node.type == "TEX_IMAGE"
    ]
    assert images
    assert all(image.packed_file for image in images)

    # One step back, and Bo is as he came.
    yield from ask(do="move", x=400, y=500)
    yield from ask(do="key", key="ctrl+z")
    yield from until(lambda: not bpy.data.objects["Bo"].data.uv_layers, 60, "undo")


def add_bo():
    """The other sample character, beside the first."""
    with bpy.data.libraries.load(str(SAMPLES / "bo.blend")) as (inside, wanted):
        wanted.objects = [name for name in inside.objects if name == "Bo"]
    (obj,) = wanted.objects
    bpy.context.collection.objects.link(obj)
    return obj


def look_at_both():
    """Ada left, Bo right of her."""
    bpy.data.objects["Bo"].location.x = 1.6
    with in_view():
        bpy.ops.object.select_all(action="SELECT")
        bpy.ops.view3d.view_axis(type="FRONT")
        bpy.ops.view3d.view_selected()
        bpy.ops.object.select_all(action="DESELECT")
        bpy.ops.ed.undo_push(message="Place the two")
