"""What happens in Blender's window: runs in Blender, as steps of a timer.

blender --python session.py -- SCENARIO FOLDER SAMPLES [SETTING ...]

Each module of scenarios/ has its `steps`, a generator; what it yields is how many seconds to wait,
while Blender's window goes on. What it found goes to FOLDER/found.json; a check that does not hold
ends Blender with 1.
"""

import importlib
import json
import os
import sys
import time
import traceback
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parent))
from window import FOLDER, MODULE, SCENARIO, ask, forget_matrices, found  # noqa: E402

# The splash would take the first click, and a timer is too late to say so.
bpy.context.preferences.view.show_splash = False


def session():
    yield 0.5
    for module in (MODULE, "io_scene_gltf2"):
        if module not in bpy.context.preferences.addons:
            bpy.ops.preferences.addon_enable(module=module)
    # Every run is to compute, with what the extension brings along.
    forget_matrices()
    bpy.context.preferences.addons[MODULE].preferences.environment = ""
    yield from importlib.import_module(f"scenarios.{SCENARIO}").steps()


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
