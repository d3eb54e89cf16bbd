"""The preferences, with what Check has found."""

import addon_utils
import bpy
from window import MODULE, ask, clear, ended, in_view, part_of_extension, view

SCROLLED = 6


def steps():
    """Look for libraries and devices, and show all of it in place of the viewport."""
    clear()
    with in_view():
        bpy.ops.diffusionnet.check("INVOKE_DEFAULT")
    yield from ended()
    assert part_of_extension("session.status").last_status().engine == "numpy"
    bpy.context.preferences.active_section = "ADDONS"
    bpy.context.window_manager.addon_search = "DiffusionNet"
    addon_utils.modules(refresh=False)
    listed = addon_utils.addons_fake_modules[MODULE]
    addon_utils.module_bl_info(listed)["show_expanded"] = True
    _, area, _ = view()
    area.type = "PREFERENCES"
    yield 1.0
    # Past what Blender says of every add-on.
    yield from ask(do="move", x=700, y=600)
    yield from ask(do="scroll", lines=SCROLLED)
    area.tag_redraw()
    yield 1.0
    yield from ask(do="picture", name="preferences.png")
