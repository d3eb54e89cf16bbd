"""Blender's window, as scenarios use it: what an artist does, and what can be seen of it.

What is a generator is run with `yield from`; what it yields is how many seconds to wait, while
Blender's window goes on.
"""

import json
import shutil
import sys
import time
from pathlib import Path

import bpy
import numpy as np

SCENARIO, FOLDER, SAMPLES, *SETTINGS = sys.argv[sys.argv.index("--") + 1 :]
FOLDER, SAMPLES = Path(FOLDER), Path(SAMPLES)
TAB = "DiffusionNet"
# What a check waits for may take so many times longer where much else runs; it is no measurement.
PATIENCE = 10
MODULE = "bl_ext.user_default.diffusionnet_blender"
# Places of the titles of closed panels, from the top of the sidebar, in units of a button.
FIRST_TITLE, NEXT_TITLE = 0.75, 1.4

found: dict = {"blender": bpy.app.version_string, "python": sys.version.split()[0]}


def note(what, value):
    found[what] = value
    print(f"[{time.perf_counter():8.2f}] {what}: {value}", flush=True)


def ask(**what):
    """Have something done from outside, and wait until it is."""
    part = FOLDER / "ask.part"
    part.write_text(json.dumps(what))
    part.replace(FOLDER / "ask.json")
    yield from until(lambda: not (FOLDER / "ask.json").exists(), 20, f"to do {what}")


def until(holds, seconds, what):
    end = time.monotonic() + PATIENCE * seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} took more than {PATIENCE * seconds} s")
        yield 0.02


def view():
    window = bpy.context.window_manager.windows[0]
    areas = [area for area in window.screen.areas if area.type == "VIEW_3D"]
    area = max(areas, key=lambda area: area.width * area.height)
    return window, area, {region.type: region for region in area.regions}


def settle():
    """Wait until panels have grown or shrunk, which Blender draws on the way, redraw by redraw."""
    for _ in range(4):
        view()[1].tag_redraw()
        yield 0.4


def in_view():
    window, area, regions = view()
    return bpy.context.temp_override(window=window, area=area, region=regions["WINDOW"])


def part_of_extension(name):
    """A module of the extension, by its name in the package."""
    return sys.modules[f"{MODULE}.{name}"]


def state():
    return bpy.context.window_manager.diffusionnet


def background():
    return part_of_extension("operators.background")


def parts(obj):
    return [part for part in obj.data.diffusionnet.parts if part.vertex_count]


def labels_of(obj):
    labels = [0] * len(obj.data.polygons)
    obj.data.attributes["part"].data.foreach_get("value", labels)
    return labels


def seconds_of(obj):
    result = part_of_extension("scene.results").find_result(obj.data)
    return {k: round(v, 2) for k, v in result.seconds.items()}


def forget_matrices():
    """Every run is to compute: a cache that an earlier session filled is emptied."""
    folder = part_of_extension("settings").settings().cache_folder
    shutil.rmtree(folder, ignore_errors=True)


def clear():
    for obj in list(bpy.data.objects):
        bpy.data.objects.remove(obj)


def add_character(subdivisions=0, name="Ada"):
    """A character, the only object that is selected; more vertices by subdivision."""
    with in_view():
        bpy.ops.import_scene.gltf(filepath=str(SAMPLES / "ada.glb"))
        obj = next(obj for obj in bpy.context.selected_objects if obj.type == "MESH")
        obj.name = name
        bpy.context.view_layer.objects.active = obj
        if subdivisions:
            # What glTF splits at seams would come apart.
            bpy.ops.object.mode_set(mode="EDIT")
            bpy.ops.mesh.select_all(action="SELECT")
            bpy.ops.mesh.remove_doubles(threshold=1e-6)
            bpy.ops.object.mode_set(mode="OBJECT")
            modifier = obj.modifiers.new("Subdivision", "SUBSURF")
            modifier.levels = subdivisions
            bpy.ops.object.modifier_apply(modifier=modifier.name)
        bpy.ops.view3d.view_axis(type="FRONT")
        bpy.ops.view3d.view_selected()
        # What a script calls makes no undo steps.
        bpy.ops.ed.undo_push(message="Add a character")
    return obj


def add_dressed(selected):
    """A character of many objects, all of its meshes; the one of a name alone is selected."""
    with in_view():
        bpy.ops.import_scene.gltf(filepath=str(SAMPLES / "cleo.glb"), disable_bone_shape=True)
        meshes = [obj for obj in bpy.context.selected_objects if obj.type == "MESH"]
        bpy.ops.view3d.view_axis(type="FRONT")
        bpy.ops.view3d.view_selected()
        bpy.ops.object.select_all(action="DESELECT")
        view()[1].spaces.active.overlay.show_bones = False
        obj = bpy.data.objects[selected]
        obj.select_set(True)
        bpy.context.view_layer.objects.active = obj
        bpy.ops.ed.undo_push(message="Add a character")
    return meshes


def maximise():
    """The viewport alone fills the window; and back."""
    window, area, _ = view()
    with bpy.context.temp_override(window=window, area=area):
        bpy.ops.screen.screen_full_area()
    yield from settle()


def open_tab():
    _, area, _ = view()
    area.spaces.active.show_region_ui = True
    for _ in range(100):
        _, area, regions = view()
        area.tag_redraw()
        try:
            # The tabs are known once the region has been drawn.
            regions["UI"].active_panel_category = TAB
            break
        except (TypeError, AttributeError):
            yield 0.1
    yield 0.5


def open_instead(label, opened=None):
    """Click the titles of a panel of the tab that is open, the first one by default, and of another
    below it."""
    panels = [
        cls.bl_label
        for cls in part_of_extension("panels").CLASSES
        if issubclass(cls, bpy.types.Panel)
        and getattr(cls, "bl_category", "") == TAB
        and not getattr(cls, "bl_parent_id", "")
    ]
    window, _, regions = view()
    region = regions["UI"]
    unit = 20 * bpy.context.preferences.system.ui_scale
    top = window.height - (region.y + region.height)
    for number in (panels.index(opened) if opened else 0, panels.index(label)):
        # Of closed panels nothing is seen but their titles.
        y = int(top + (FIRST_TITLE + NEXT_TITLE * number) * unit)
        yield from ask(do="click", x=int(region.x + 0.4 * region.width), y=y)
        # They open and close by and by, while events come.
        for step in range(8):
            x = int(region.x + (0.4 + 0.02 * (step % 2)) * region.width)
            yield from ask(do="move", x=x, y=y)
            view()[1].tag_redraw()
            yield 0.25


def find_button(operator, across=0.3):
    """Place of an operator's button in the sidebar: where Blender, asked, tells its command.

    Buttons may share a row: `across` is where to look, as a share of the sidebar's width.
    """
    window, area, regions = view()
    region = regions["UI"]
    unit = 20 * bpy.context.preferences.system.ui_scale
    x = int(region.x + across * region.width)
    for row in range(4, int(3 * region.height / unit)):
        y = int(window.height - (region.y + region.height) + row * unit / 3)
        yield from ask(do="move", x=x, y=y)
        yield 0.05
        bpy.context.window_manager.clipboard = ""
        with bpy.context.temp_override(window=window, area=area, region=region):
            if bpy.ops.ui.copy_python_command_button.poll():
                bpy.ops.ui.copy_python_command_button()
        if f"diffusionnet.{operator}(" in bpy.context.window_manager.clipboard:
            return x, y + 3
    raise LookupError(f"no button of {operator} in the sidebar")


def press(operator, across=0.3):
    """Click an operator's button in the sidebar."""
    x, y = yield from find_button(operator, across)
    yield from ask(do="click", x=x, y=y)
    yield 0.5


def segment():
    with in_view():
        outcome = bpy.ops.diffusionnet.segment("INVOKE_DEFAULT")
    assert outcome == {"RUNNING_MODAL"}, outcome


def at(stage, seconds=60):
    return until(lambda: stage in state().text, seconds, f"reaching {stage}")


def ended(seconds=300):
    yield from until(lambda: not state().running, seconds, "the run")
    yield 0.3


def look_at(place, distance):
    """From the front, at a place."""
    with in_view():
        bpy.ops.view3d.view_axis(type="FRONT")
    region = view()[1].spaces.active.region_3d
    region.view_location, region.view_distance = place, distance


def middle_of_view():
    window, _, regions = view()
    region = regions["WINDOW"]
    return {
        "x": region.x + region.width // 2,
        "y": window.height - region.y - region.height // 2,
    }


def shown(obj):
    """Vertices (V, 3) of a mesh as its modifiers leave it."""
    evaluated = obj.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    places = np.empty(3 * len(evaluated.vertices))
    evaluated.vertices.foreach_get("co", places)
    return places.reshape(-1, 3)
