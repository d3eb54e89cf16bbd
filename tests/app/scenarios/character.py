"""A character of many objects: imported, one of them clicked, all of them done."""

import bpy
from window import (
    add_dressed,
    ask,
    clear,
    ended,
    find_button,
    middle_of_view,
    note,
    open_tab,
    parts,
    settle,
    state,
    until,
)

# Pixels from the top of the big button to the title of the list of objects.
BELOW = 38


def steps():
    """Import, one sleeve, the button, the parts of all objects, one step back."""
    clear()
    names = [obj.name for obj in add_dressed("Shirt")]
    note("objects", len(names))
    yield from open_tab()
    yield from ask(do="move", **middle_of_view())
    yield from ask(do="picture", name="before.png")

    # The list of objects opens below the button; a weapon or a spare outfit is taken out there.
    x, y = yield from find_button("segment")
    yield from ask(do="click", x=x, y=y + BELOW)
    yield from settle()
    yield from ask(do="move", **middle_of_view())
    yield from ask(do="picture", name="objects.png")
    yield from ask(do="click", x=x, y=y + BELOW)
    yield from settle()

    # One garment is selected, and its whole character is done.
    yield from ask(do="click", x=x, y=y)
    yield from until(lambda: state().running, 60, "the click")
    yield from ended()
    yield from ask(do="move", **middle_of_view())
    yield 1.0
    yield from ask(do="picture", name="parts.png")
    assert all("part" in bpy.data.objects[name].data.attributes for name in names)
    seen = {part.name for name in names for part in parts(bpy.data.objects[name])}
    note("parts", len(seen))
    assert len(seen) >= 12, seen
    shares = {
        tuple(round(part.share, 4) for part in bpy.data.objects[name].data.diffusionnet.parts)
        for name in names
    }
    assert len(shares) == 1, "the objects of a character have one legend"

    # One step back takes the labels off all objects.
    yield from ask(do="key", key="ctrl+z")
    yield from until(
        lambda: not any("part" in bpy.data.objects[n].data.attributes for n in names), 60, "undo"
    )
    yield 0.5
