"""The process that computes is killed at random moments; the window lives, every next run is right.

A kill may meet the process as it starts, in any stage of a run, as it saves its matrices or its
answer, or idle. Matrices are computed each time, so that there is something to meet.
"""

import os
import random
import signal
import time
from collections import Counter

import bpy
from window import (
    SETTINGS,
    add_character,
    ask,
    background,
    clear,
    ended,
    forget_matrices,
    in_view,
    labels_of,
    middle_of_view,
    note,
    open_tab,
    part_of_extension,
    segment,
    state,
)

SEED = 5
# Of the character's faces, those that are kept.
SHARE = 0.1
# Of the moments, as a share of what a run took: some come when this one is over already.
REACH = 0.9


def steps():
    """Kill as often as the command says, and segment after each."""
    kills = int(SETTINGS[0])
    clear()
    coarsen(add_character())
    yield from open_tab()
    yield from ask(do="move", **middle_of_view())
    # The first run starts the process, which takes longer than all that follows.
    for _ in range(2):
        forget_matrices()
        begun = time.monotonic()
        segment()
        yield from ended()
        duration = time.monotonic() - begun
    right = labels_of(bpy.data.objects["Ada"])
    note("seconds of a run that nothing disturbs", round(duration, 2))

    dice = random.Random(SEED)
    met, troubles, worst = Counter(), Counter(), 1.0
    for kill in range(kills):
        wipe_labels()
        forget_matrices()
        if kill % 3 == 0:
            # The next run starts a process, which may be killed before it knows its job.
            background().end_worker()
        segment()
        yield dice.uniform(0.0, REACH * duration)
        at = stage()
        met[at] += 1
        pid = background().the_worker().pid
        assert pid, "there is no process to kill"
        os.kill(pid, signal.SIGKILL)
        yield from ended(60)
        obj = bpy.data.objects["Ada"]
        trouble = part_of_extension("session.trouble").last_trouble()
        if trouble:
            # The message is the one that tells of it, and nothing was written.
            assert trouble.kind == "WorkerError", trouble
            assert "part" not in obj.data.attributes
            troubles[trouble.message] += 1
        else:
            assert share(labels_of(obj), right) == 1.0

        wipe_labels()
        segment()
        yield from ended(120)
        trouble = part_of_extension("session.trouble").last_trouble()
        assert trouble is None, trouble
        worst = min(worst, share(labels_of(bpy.data.objects["Ada"]), right))
        assert worst > 0.999, f"kill {kill}: {worst:.2%} of the faces as before"
        print(f"kill {kill + 1}, {at}: right", flush=True)
    note("kills", kills)
    note("stages that they met", dict(met.most_common()))
    note("messages", dict(troubles.most_common()))
    note("runs after a kill that were right", kills)
    note("faces as before in the worst of them", worst)


def coarsen(obj):
    """So that there is time for many kills. In one piece: of many, a run looks at the skin, too."""
    with in_view():
        bpy.ops.object.mode_set(mode="EDIT")
        bpy.ops.mesh.select_all(action="SELECT")
        bpy.ops.mesh.remove_doubles(threshold=1e-6)
        bpy.ops.object.mode_set(mode="OBJECT")
    obj.modifiers.new("Decimate", "DECIMATE").ratio = SHARE
    with in_view():
        bpy.ops.object.modifier_apply(modifier="Decimate")


def wipe_labels():
    """So that labels which are there afterwards are of the run."""
    attributes = bpy.data.objects["Ada"].data.attributes
    if "part" in attributes:
        attributes.remove(attributes["part"])


def stage():
    """What the run is at."""
    if not state().running:
        return "idle"
    return state().text.partition(": ")[2].partition(",")[0] or "starting"


def share(labels, right):
    """How many are the same."""
    return sum(a == b for a, b in zip(labels, right, strict=True)) / len(right)
