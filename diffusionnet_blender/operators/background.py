"""Operators that run in the worker: Blender's window stays alive, and everything stops on Esc."""

from __future__ import annotations

from collections import Counter
from time import monotonic

import bpy
from bpy.app.handlers import persistent

from ..scene.jobs import Jobs
from ..session.computing import begin_run, end_run, end_worker, the_run, the_worker, worker_alive
from ..session.trouble import forget_trouble
from ..translations import worded
from .base import ReportingOperator
from .run import JobRun

# Seconds between two looks at the worker.
TICK = 0.1
# Of the progress bar there, as a multiple of what Blender would make it: it holds a line of text.
STATUS_BAR_WIDTH = 2.5

# Regions that draw the progress bar: the sidebar and the preferences.
SHOWN_IN = {("VIEW_3D", "UI"), ("PREFERENCES", "WINDOW")}

_timers: list[bpy.types.Timer] = []
_show_escape: list[bool] = []


@persistent
def drop_run(*_) -> None:
    """End the run without a word: another file is about to be opened, or the extension goes."""
    while (run := the_run()) is not None:
        end_run(run)
        run.abandon()
    _stop_showing(bpy.context)


class BackgroundOperator(ReportingOperator):
    """Runs modally where there is a window, and synchronously everywhere else.

    A subclass gives `begin(context, at_once)`, which returns a run, and `finish(context, run)`,
    which writes its results. A run has `advance()`, which never waits; `finished`, `cancelled` and
    `touches_data`; `cancel()` and `abandon()`; and a `progress` with `text` and `factor`. One that
    takes long sets `stops_on_escape` to False: Esc is for other things meanwhile.
    """

    stops_on_escape = True
    # Whether the last error is gone once this begins.
    forgets_trouble = True

    @classmethod
    def poll(cls, context) -> bool:
        """One run at a time."""
        if the_run() is not None:
            cls.poll_message_set(worded("DiffusionNet is at work; wait for it or cancel it"))
            return False
        return super().poll(context)

    def invoke(self, context, event):
        """Begin a run."""
        if bpy.app.background or context.window is None:
            return self.execute(context)
        return self.reporting(lambda: self._begin(context))

    def run(self, context):
        """Run to the end, where there is no window."""
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
        # The first item is read now: an error is told at the click.
        self._run.advance()
        if self._run.finished:
            return self.finish(context, self._run)
        self._started = monotonic()
        # What ran before this does not end by itself, such as an add-on that shows keys.
        self._others = _modal_operators(context)
        begin_run(self._run)
        _show_escape[:] = [self.stops_on_escape]
        manager = context.window_manager
        # The run goes on when a window that was opened from another, as the preferences, is closed.
        window = context.window.parent or context.window
        with context.temp_override(window=window):
            _timers.append(manager.event_timer_add(TICK, window=window))
            manager.modal_handler_add(self)
        _show(context, self._run.progress)
        return {"RUNNING_MODAL"}

    def _forget(self) -> None:
        if self.forgets_trouble:
            forget_trouble()

    def modal(self, context, event):
        """Look at the worker at every tick; everything else goes through to Blender."""
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
        _show(context, run.progress)
        return {"PASS_THROUGH"}

    def cancel(self, context):
        """Blender closes the window that the operator was called from."""
        self._leave(context)

    def _leave(self, context):
        end_run(self._run)
        self._run.abandon()
        _stop_showing(context)

    def _is_occupied(self, context) -> bool:
        """Whether data must be left alone: the artist drags or paints something, or it renders."""
        ours = Counter([_python_name(self.bl_idname)])
        return bool(_modal_operators(context) - self._others - ours) or bpy.app.is_job_running(
            "RENDER"
        )


class JobOperator(BackgroundOperator):
    """Runs a task; a subclass gives `jobs(context)`, and writes what is done in `finish`."""

    def begin(self, context, at_once: bool) -> JobRun:
        """A run in the worker, or here and now."""
        jobs: Jobs = self.jobs(context)
        if not at_once:
            return JobRun(jobs, the_worker())
        manager = context.window_manager
        return JobRun(jobs, listen=lambda progress: manager.progress_update(progress.factor))


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


def _show(context, progress) -> None:
    """Put the state of the run where panels read it, and redraw what shows it."""
    manager = context.window_manager
    state = manager.diffusionnet
    before = (state.running, state.text)
    state.running = progress is not None
    state.text = progress.text if progress else ""
    state.factor = progress.factor if progress else 0.0
    if before == (state.running, state.text):
        return
    if context.workspace:
        context.workspace.status_text_set(_draw_status_bar if progress else None)
    for window in manager.windows:
        for area in window.screen.areas:
            for region in area.regions:
                if (area.type, region.type) in SHOWN_IN:
                    region.tag_redraw()


def _stop_showing(context) -> None:
    """Nothing is drawn, and no timer ticks, for a run that is over."""
    while _timers:
        context.window_manager.event_timer_remove(_timers.pop())
    _show(context, None)


def _draw_status_bar(header, context) -> None:
    layout = header.layout
    row = layout.row()
    row.scale_x = STATUS_BAR_WIDTH
    draw_progress(row, context)
    if _show_escape == [True]:
        layout.label(text="Esc: cancel")
    layout.separator_spacer()
    layout.template_reports_banner()
    layout.separator_spacer()
    layout.template_status_info()


def draw_progress(layout, context) -> None:
    """Progress bar and Cancel, for the panel and the status bar."""
    state = context.window_manager.diffusionnet
    row = layout.row(align=True)
    row.progress(factor=state.factor, text=state.text)
    row.operator("diffusionnet.cancel", text="", icon="CANCEL")


class DIFFUSIONNET_OT_cancel(ReportingOperator, bpy.types.Operator):
    """Stop what DiffusionNet is doing; nothing is written"""

    bl_idname = "diffusionnet.cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context) -> bool:
        """There must be something to stop."""
        if the_run() is None:
            cls.poll_message_set(worded("DiffusionNet is not at work"))
        return the_run() is not None

    def run(self, context):
        """Ask; the run's own operator sees to the rest."""
        the_run().cancel()
        return {"FINISHED"}


class DIFFUSIONNET_OT_release_memory(ReportingOperator, bpy.types.Operator):
    """End the process that computes."""

    bl_description = (
        "End the process that computes, and free the memory that it holds. The next run starts it "
        "again, which takes a moment"
    )

    bl_idname = "diffusionnet.release_memory"
    bl_label = "Release Memory"

    @classmethod
    def poll(cls, context) -> bool:
        """There must be a process, and it must not be at work."""
        if the_run() is not None:
            cls.poll_message_set(worded("DiffusionNet is at work; cancel it first"))
            return False
        if not worker_alive():
            cls.poll_message_set(worded("No memory is held"))
            return False
        return True

    def run(self, context):
        """End the process."""
        end_worker()
        return {"FINISHED"}


CLASSES = (DIFFUSIONNET_OT_cancel, DIFFUSIONNET_OT_release_memory)
