"""How long things take in Blender's window."""

import sys
import time

import bpy
from window import background, part_of_extension, view


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
    return part_of_extension("operators.run").JobRun


class Ticks:
    """Gaps between the ticks of a timer: how long Blender's main thread was busy at a time."""

    def __init__(self):
        self.times = []
        bpy.app.timers.register(self._tick)

    def _tick(self):
        self.times.append((time.perf_counter(), time.thread_time()))
        return 0.002 if self.times else None

    def stop(self):
        if bpy.app.timers.is_registered(self._tick):
            bpy.app.timers.unregister(self._tick)

    def gaps(self, start, end):
        """Wall and processor ms of every gap within a time, the longest first."""
        times = [t for t in self.times if start <= t[0] <= end]
        return sorted(
            (
                (1000 * (b[0] - a[0]), 1000 * (b[1] - a[1]))
                for a, b in zip(times[:-1], times[1:], strict=True)
            ),
            reverse=True,
        )


def summary(gaps):
    if not gaps:
        return {}
    return {
        "longest ms": round(gaps[0][0], 1),
        "99th percentile ms": round(gaps[len(gaps) // 100][0], 1),
        "median ms": round(gaps[len(gaps) // 2][0], 1),
        # Of a busy machine this tells more: what the main thread itself did.
        "longest processor ms": round(max(processor for _, processor in gaps), 1),
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
    timed(part_of_extension("scene.segment_jobs"), "read_character", "read the mesh")
    timed(run.JobRun, "_begin", "read and hand out")
    timed(run.Worker, "poll", "look at the worker")
    timed(part_of_extension("scene.segment_jobs").SegmentJobs, "keep", "keep the result")
    timed(
        part_of_extension("operators.write_labels"), "write_labels_of_objects", "write the labels"
    )
    timed(bpy.types.DIFFUSIONNET_OT_segment, "finish", "finish with undo")
    return steps
