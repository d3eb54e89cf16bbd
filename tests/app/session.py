"""What happens in Blender's window: runs in Blender, as steps of a timer.

blender --python session.py -- SCENARIO FOLDER CHARACTER

Each scenario is a generator; what it yields is how many seconds to wait, while Blender's window
goes on. What it found goes to FOLDER/found.json; a check that does not hold ends Blender with 1.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path

import bpy

SCENARIO, FOLDER, CHARACTER = sys.argv[sys.argv.index("--") + 1 :]
FOLDER = Path(FOLDER)
TAB = "DiffusionNet"
MODULE = "bl_ext.user_default.diffusionnet_blender"
# The splash would take the first click, and a timer is too late to say so.
bpy.context.preferences.view.show_splash = False

found: dict = {"blender": bpy.app.version_string, "python": sys.version.split()[0]}


def note(what, value):
    found[what] = value
    print(f"[{time.perf_counter():8.2f}] {what}: {value}", flush=True)


def ask(**what):
    """Have something done from outside, and wait until it is."""
    part = FOLDER / "ask.part"
    part.write_text(json.dumps(what))
    part.replace(FOLDER / "ask.json")
    for _ in range(2000):
        if not (FOLDER / "ask.json").exists():
            return
        yield 0.01
    raise TimeoutError(f"nobody did {what}")


def until(holds, seconds, what):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} took more than {seconds} s")
        yield 0.02


# Blender


def view():
    window = bpy.context.window_manager.windows[0]
    areas = [area for area in window.screen.areas if area.type == "VIEW_3D"]
    area = max(areas, key=lambda area: area.width * area.height)
    return window, area, {region.type: region for region in area.regions}


def in_view():
    window, area, regions = view()
    return bpy.context.temp_override(window=window, area=area, region=regions["WINDOW"])


def state():
    return bpy.context.window_manager.diffusionnet


def background():
    return sys.modules[MODULE + ".operators.background"]


def parts(obj):
    return [part for part in obj.data.diffusionnet.parts if part.vertex_count]


def labels_of(obj):
    labels = [0] * len(obj.data.polygons)
    obj.data.attributes["part"].data.foreach_get("value", labels)
    return labels


def seconds_of(obj):
    results = sys.modules[MODULE + ".scene.results"]
    return {k: round(v, 2) for k, v in results.find_result(obj.data).seconds.items()}


def forget_matrices():
    """Every run is to compute: a cache that an earlier session filled is emptied."""
    folder = sys.modules[MODULE + ".preferences"].settings().cache_folder
    shutil.rmtree(folder, ignore_errors=True)


def clear():
    for obj in list(bpy.data.objects):
        bpy.data.objects.remove(obj)


def add_character(subdivisions=0, name="Ada"):
    """A character, the only object that is selected; more vertices by subdivision."""
    with in_view():
        bpy.ops.import_scene.gltf(filepath=CHARACTER)
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


def find_button(operator):
    """Place of an operator's button in the sidebar: where Blender, asked, tells its command."""
    window, area, regions = view()
    region = regions["UI"]
    unit = 20 * bpy.context.preferences.system.ui_scale
    # Left of the middle: two buttons may share a row.
    x = int(region.x + 0.3 * region.width)
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


def segment():
    with in_view():
        outcome = bpy.ops.diffusionnet.segment("INVOKE_DEFAULT")
    assert outcome == {"RUNNING_MODAL"}, outcome


def at(stage, seconds=60):
    return until(lambda: stage in state().text, seconds, f"reaching {stage}")


def ended(seconds=300):
    yield from until(lambda: not state().running, seconds, "the run")
    yield 0.3


class Cancels:
    """When runs were asked to stop and when they had; a key takes its time to get to Blender."""

    def __init__(self):
        self.asked, self.stopped = [], []
        operator, run = background().BackgroundOperator, background_run()
        cancel, leave = run.cancel, operator._leave

        def asked(a_run):
            if not a_run.cancelled:
                self.asked.append(time.perf_counter())
            cancel(a_run)

        def left(an_operator, context):
            leave(an_operator, context)
            self.stopped.append(time.perf_counter())

        run.cancel, operator._leave = asked, left

    @property
    def seconds(self):
        """From the key's arrival to the end of the run, of the last one."""
        return round(self.stopped[-1] - self.asked[-1], 3)


def background_run():
    return sys.modules[MODULE + ".operators.segment_run"].SegmentRun


class Ticks:
    """Gaps between the ticks of a timer: how long Blender's main thread was busy at a time."""

    def __init__(self):
        self.times = []
        bpy.app.timers.register(self._tick)

    def _tick(self):
        self.times.append(time.perf_counter())
        return 0.002 if self.times else None

    def stop(self):
        if bpy.app.timers.is_registered(self._tick):
            bpy.app.timers.unregister(self._tick)

    def gaps(self, start, end):
        """Milliseconds of every gap within a time, the longest first."""
        times = [t for t in self.times if start <= t <= end]
        return sorted(
            (1000 * (b - a) for a, b in zip(times[:-1], times[1:], strict=True)), reverse=True
        )


def summary(gaps):
    if not gaps:
        return {}
    return {
        "longest ms": round(gaps[0], 1),
        "99th percentile ms": round(gaps[len(gaps) // 100], 1),
        "median ms": round(gaps[len(gaps) // 2], 1),
        "ticks": len(gaps),
    }


def quiet_window(seconds):
    """Ticks while nothing runs and the sidebar is redrawn as often as a run redraws it."""
    ticks = Ticks()
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        view()[2]["UI"].tag_redraw()
        bpy.context.workspace.status_text_set(f"{time.perf_counter():.1f}")
        yield 0.1
    bpy.context.workspace.status_text_set(None)
    ticks.stop()
    return summary(ticks.gaps(start + 0.2, time.perf_counter()))


# Scenarios


def panel():
    """As an artist meets it: one click, a bar, colours, one step back."""
    clear()
    obj = add_character(subdivisions=1)
    count = len(obj.data.vertices)
    note("vertices", count)
    yield from open_tab()
    yield from ask(do="picture", name="panel.png")

    # The big button, by a real click.
    x, y = yield from find_button("segment")
    yield from ask(do="click", x=x, y=y)
    yield from until(lambda: state().running, 10, "the click")
    yield from at("eigenbasis")
    yield from until(lambda: state().factor > 0.35, 120, "a third of the run")
    yield from ask(do="picture", name="progress.png")
    note("progress", state().text)
    assert "eigenbasis" in state().text
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

    # The borders are smoothed by the button below the legend, and back.
    before = labels_of(obj)
    x, y = yield from find_button("smooth_parts")
    yield from ask(do="click", x=x, y=y)
    yield from until(lambda: labels_of(obj) != before, 10, "the button Smooth Borders")
    yield from ask(do="picture", name="smoothed.png")
    yield from ask(do="move", **middle_of_view())
    yield from ask(do="key", key="ctrl+z")
    yield from until(lambda: labels_of(bpy.data.objects["Ada"]) == before, 10, "undo of it")

    # Ctrl+Z over the view, by the keyboard, takes the labels away in one step.
    yield from ask(do="move", **middle_of_view())
    yield from ask(do="key", key="ctrl+z")
    yield from until(lambda: "part" not in bpy.data.objects["Ada"].data.attributes, 10, "undo")
    assert len(bpy.data.objects["Ada"].data.vertices) == count

    # A mesh that cannot be segmented: what is wrong stays in the panel.
    clear()
    bpy.ops.mesh.primitive_cube_add()
    for vertex in bpy.context.object.data.vertices:
        vertex.co = (0, 0, 0)
    segment()
    yield from until(lambda: not state().running, 10, "the error")
    # The message of Blender's own goes when the mouse leaves it.
    yield from ask(do="move", x=200, y=500)
    yield 0.5
    yield from ask(do="picture", name="error.png")
    assert sys.modules[MODULE + ".operators.trouble"].last_trouble().kind == "SurfaceError"

    # The entry in the context menu, by the keyboard; and the preferences with what was found.
    clear()
    add_character()
    yield from ask(do="move", **middle_of_view())
    with in_view():
        bpy.ops.wm.call_menu(name="VIEW3D_MT_object_context_menu")
    yield 0.5
    yield from ask(do="picture", name="menu.png")
    yield from ask(do="key", key="Escape")
    yield 0.3
    with in_view():
        bpy.ops.diffusionnet.check("INVOKE_DEFAULT")
    yield from ended()
    with in_view():
        bpy.ops.preferences.addon_show(module=MODULE)
    yield 1.0
    yield from ask(do="picture", name="preferences.png")


def middle_of_view():
    window, _, regions = view()
    region = regions["WINDOW"]
    return {
        "x": region.x + region.width // 2,
        "y": window.height - region.y - region.height // 2,
    }


def life():
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
    yield from until(lambda: "part" not in bpy.data.objects["Ada"].data.attributes, 10, "undo")

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
    frame = ticks.gaps(cancels.asked[0], cancels.stopped[-1])[0] / 1000
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

    # The worker is killed at random moments: the window lives, the next run is right.
    clear()
    obj = add_character()
    killed = 0
    dice = random.Random(5)
    for _ in range(10):
        segment()
        yield 0.1 + dice.uniform(0, 1.0)
        if state().running and background().the_worker().pid:
            os.kill(background().the_worker().pid, signal.SIGKILL)
            killed += 1
        yield from ended(30)
    segment()
    yield from ended()
    note("workers killed", killed)
    assert killed
    assert len(parts(bpy.data.objects["Ada"])) >= 10

    # Disabled in the middle of a run: nothing is left behind.
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


def large():
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
    segment()
    begun = time.perf_counter()
    yield from at("eigenbasis", 120)
    yield 10.0
    waited = time.perf_counter()
    note("first run, reading", summary(ticks.gaps(begun - 3, begun + 1.5)))
    note("first run, waiting", summary(ticks.gaps(begun + 1.5, waited)))
    yield from ask(do="picture", name="large.png")
    cancels = Cancels()
    yield from ask(do="key", key="Escape")
    yield from until(lambda: not state().running, 5, "Esc")
    note("seconds from Esc to the end of the run", cancels.seconds)

    steps.clear()
    segment()
    yield from ended(600)
    ended_at = time.perf_counter()
    yield 2.0
    ticks.stop()
    note("whole run, writing", summary(ticks.gaps(ended_at - 1.5, ended_at + 1)))
    note("seconds of each stage", seconds_of(obj))
    note("longest steps of ours, wall and processor ms", steps.longest())
    note("parts", len(parts(obj)))
    assert len(parts(obj)) >= 10


class Steps(list):
    def longest(self):
        """Wall and processor time in ms: on a busy machine they differ."""
        return {
            name: [round(max(step[i] for step in self if step[0] == name), 1) for i in (1, 2)]
            for name in sorted({step[0] for step in self})
        }


def instrument():
    """Time each step of the run that Blender's main thread takes."""
    steps = Steps()

    def timed(owner, name, label):
        inner = getattr(owner, name)

        def outer(*arguments, **options):
            wall, cpu = time.perf_counter(), time.thread_time()
            try:
                return inner(*arguments, **options)
            finally:
                wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
                steps.append((label, 1000 * wall, 1000 * cpu))

        setattr(owner, name, outer)

    run = sys.modules[background_run().__module__]
    timed(run, "read_object", "read the mesh")
    timed(run.SegmentRun, "_begin", "read and hand out")
    timed(run.Worker, "poll", "look at the worker")
    timed(run.SegmentRun, "_keep", "keep the result")
    timed(run.SegmentRun, "outcome", "find what changed")
    timed(sys.modules[MODULE + ".operators.write_labels"], "write_labels", "write the labels")
    timed(bpy.types.DIFFUSIONNET_OT_segment, "finish", "finish with undo")
    return steps


SCENARIOS = {"panel": panel, "life": life, "large": large}


def session():
    yield 0.5
    if MODULE not in bpy.context.preferences.addons:
        bpy.ops.preferences.addon_enable(module=MODULE)
    if "io_scene_gltf2" not in bpy.context.preferences.addons:
        bpy.ops.preferences.addon_enable(module="io_scene_gltf2")
    forget_matrices()
    yield from SCENARIOS[SCENARIO]()


steps_of_session = session()


def tick():
    status = 1
    try:
        return next(steps_of_session)
    except StopIteration:
        status = 0
    except BaseException:
        traceback.print_exc()
    (FOLDER / "found.json").write_text(json.dumps(found, indent=2))
    sys.stdout.flush()
    if status:
        failing = ask(do="picture", name="failed.png")
        for _ in failing:
            time.sleep(0.01)
        os._exit(status)
    bpy.ops.wm.quit_blender()
    return None


bpy.app.timers.register(tick, first_interval=0.3, persistent=True)
