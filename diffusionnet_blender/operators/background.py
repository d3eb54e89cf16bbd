"""Modal operators that run a job in the worker, and the buttons that stop it."""

from __future__ import annotations

from collections import Counter
from time import monotonic

import bpy
from bpy.app.handlers import persistent

from ..scene.jobs import Jobs
from ..session.computing import begin_run, end_run, end_worker, the_run, the_worker, worker_alive
from ..session.progress_bar import hide_progress, show_progress
from ..session.trouble import forget_trouble, note_trouble
from ..translations import worded
from .base import ReportingOperator
from .run import JobRun

# Seconds between two steps of a run.
TICK = 0.1

_timers: list[bpy.types.Timer] = []


@persistent
def drop_run(*_) -> None:
    """End the run without a report, before another file is opened or the extension is disabled."""
    while (run := the_run()) is not None:
        end_run(run)
        run.abandon()
    _stop_timer(bpy.context)


class BackgroundOperator(ReportingOperator):
    """Runs modally where there is a window, and synchronously everywhere else.

    A subclass has `begin(context, at_once)`, which returns a run, and `finish(context, run)`,
    which writes its results. A run has `advance()`, which never waits; `finished`, `cancelled` and
    `touches_data`; `cancel()` and `abandon()`; `farewell`, the report of a cancelled run; and a
    `progress` with `text` and `factor`. Long jobs set `stops_on_escape` to False, since Esc is
    used for other things meanwhile.
    """

    stops_on_escape = True
    # Whether a new run clears the last error.
    forgets_trouble = True

    @classmethod
    def poll(cls, context) -> bool:
        """One run at a time."""
        if the_run() is not None:
            cls.poll_message_set(worded("A DiffusionNet job is running; wait or cancel it"))
            return False
        return super().poll(context)

    def invoke(self, context, event):
        """Begin a run."""
        if bpy.app.background or context.window is None:
            return self.execute(context)
        return self.reporting(lambda: self._begin(context))

    def run(self, context):
        """Run to the end; without a window."""
        self._forget()
        manager = context.window_manager
        run = self.begin(context, at_once=True)
        manager.progress_begin(0.0, 1.0)
        try:
            while not run.finished:
                run.advance()
                manager.progress_update(run.progress.factor)
        finally:
            manager.progress_end()
            if not run.finished:
                run.abandon()
        return self.finish(context, run)

    def _begin(self, context):
        self._forget()
        self._run = self.begin(context, at_once=False)
        # The first item is read now, so that its errors are reported at the click.
        self._run.advance()
        if self._run.finished:
            return self.finish(context, self._run)
        self._started = monotonic()
        # Modal operators of other add-ons, such as one that displays keys, may never end.
        self._others = _modal_operators(context)
        begin_run(self._run)
        manager = context.window_manager
        # The timer is on the main window: a child window, as the preferences, may be closed.
        window = context.window.parent or context.window
        with context.temp_override(window=window):
            _timers.append(manager.event_timer_add(TICK, window=window))
            manager.modal_handler_add(self)
        show_progress(context, self._run.progress, self.stops_on_escape)
        return {"RUNNING_MODAL"}

    def _forget(self) -> None:
        if self.forgets_trouble:
            forget_trouble()

    def modal(self, context, event):
        """Advance the run at every tick; pass all other events on to Blender."""
        run = self._run
        if run is not the_run():
            self._leave(context)
            return {"CANCELLED"}
        if event.type == "ESC" and event.value == "PRESS" and self.stops_on_escape:
            run.cancel()
        elif event.type != "TIMER":
            return {"PASS_THROUGH"}
        outcome = self.reporting(lambda: self._advance(context))
        if outcome != {"PASS_THROUGH"}:
            self._leave(context)
        elif event.type == "ESC":
            return {"RUNNING_MODAL"}
        return outcome

    def _advance(self, context):
        run = self._run
        if not run.touches_data or not self._is_occupied(context):
            if run.finished and not run.cancelled:
                return self.finish(context, run)
            if not run.finished:
                run.advance()
        if run.finished and run.cancelled:
            self.report({"INFO"}, run.farewell)
            return {"CANCELLED"}
        show_progress(context, run.progress, self.stops_on_escape)
        return {"PASS_THROUGH"}

    def cancel(self, context):
        """Blender closes the window that the operator was called from."""
        self._leave(context)

    def _leave(self, context):
        end_run(self._run)
        self._run.abandon()
        _stop_timer(context)

    def _is_occupied(self, context) -> bool:
        """Whether data is in use: by another modal operator, as a brush stroke, or by a render."""
        ours = Counter([_python_name(self.bl_idname)])
        return bool(_modal_operators(context) - self._others - ours) or bpy.app.is_job_running(
            "RENDER"
        )


class JobOperator(BackgroundOperator):
    """Runs jobs of a task; a subclass has `jobs(context)`, and writes the results in `finish`."""

    def begin(self, context, at_once: bool) -> JobRun:
        """A run in the worker, or at once in this process."""
        jobs: Jobs = self.jobs(context)
        if not at_once:
            return JobRun(jobs, the_worker())
        manager = context.window_manager
        return JobRun(jobs, listen=lambda progress: manager.progress_update(progress.factor))

    def report_errors(self, errors, failed: bool) -> None:
        """Report as any operator does; the panel shows the last of them."""
        errors = list(errors)
        super().report_errors(errors, failed)
        for error in errors:
            note_trouble(error)


def _modal_operators(context) -> Counter:
    windows = context.window_manager.windows
    return Counter(
        _python_name(operator.bl_idname)
        for window in windows
        for operator in window.modal_operators
    )


def _python_name(idname: str) -> str:
    """Name of an operator as Python calls it: mesh.bevel, and not MESH_OT_bevel."""
    room, found, name = idname.partition("_OT_")
    return f"{room.lower()}.{name}" if found else idname


def _stop_timer(context) -> None:
    while _timers:
        context.window_manager.event_timer_remove(_timers.pop())
    hide_progress(context)


class DIFFUSIONNET_OT_cancel(ReportingOperator, bpy.types.Operator):
    """Stop the running DiffusionNet job; nothing is written"""

    bl_idname = "diffusionnet.cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context) -> bool:
        """A job must be running."""
        if the_run() is None:
            cls.poll_message_set(worded("No DiffusionNet job is running"))
        return the_run() is not None

    def run(self, context):
        """Cancel the run; its modal operator ends at the next tick."""
        the_run().cancel()
        return {"FINISHED"}


class DIFFUSIONNET_OT_release_memory(ReportingOperator, bpy.types.Operator):
    """End the background process."""

    bl_description = (
        "End the background process and free its memory. The next run starts a new one, which "
        "takes a moment"
    )

    bl_idname = "diffusionnet.release_memory"
    bl_label = "Release Memory"

    @classmethod
    def poll(cls, context) -> bool:
        """A process must exist, and no job be running."""
        if the_run() is not None:
            cls.poll_message_set(worded("A DiffusionNet job is running; cancel it first"))
            return False
        if not worker_alive():
            cls.poll_message_set(worded("No background process is running"))
            return False
        return True

    def run(self, context):
        """End the worker's process."""
        end_worker()
        return {"FINISHED"}


CLASSES = (DIFFUSIONNET_OT_cancel, DIFFUSIONNET_OT_release_memory)
