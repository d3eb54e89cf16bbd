"""Operators that run in the worker: Blender's window stays alive, and everything stops on Esc."""

from __future__ import annotations

import atexit
from collections import Counter
from time import monotonic

import bpy
from bpy.app.handlers import persistent

from .. import extras
from ..preferences import settings
from ..translations import worded
from ..worker.client import Worker
from ..worker.launch import environment, own_python
from .base import ReportingOperator

# Seconds between two looks at the worker.
TICK = 0.1
# Of the progress bar there, as a multiple of what Blender would make it: it holds a line of text.
STATUS_BAR_WIDTH = 2.5

# Regions that draw the progress bar: the sidebar and the preferences.
SHOWN_IN = {("VIEW_3D", "UI"), ("PREFERENCES", "WINDOW")}

_workers: list[Worker] = []
_runs: list = []
_timers: list[bpy.types.Timer] = []
_show_escape: list[bool] = []


def the_worker() -> Worker:
    """The one worker of this Blender; its process starts with its first job.

    Raises
    ------
    WorkerError
        If the Python that the preferences name is not there.
    """
    chosen = settings()
    if chosen.environment is not None:
        launch = environment(chosen.environment)
    else:
        launch = own_python(extras.library_folder())
    if _workers and _workers[0].launch != launch:
        end_worker()
    if not _workers:
        _workers.append(Worker(launch))
    return _workers[0]


def the_run():
    """The run that is going on, or None."""
    return _runs[0] if _runs else None


def worker_alive() -> bool:
    """Whether the worker's process is there and holds memory."""
    return bool(_workers) and _workers[0].alive


@atexit.register
def end_worker() -> None:
    """End its process; the next run starts another."""
    while _workers:
        _workers.pop().stop()


@persistent
def drop_run(*_) -> None:
    """End the run without a word: another file is about to be opened, or the extension goes."""
    while _runs:
        _runs.pop().cancel()
    _stop_showing(bpy.context)


class BackgroundOperator(ReportingOperator):
    """Runs modally where there is a window, and synchronously everywhere else.

    A subclass gives `begin(context)`, which returns a run, and `finish(context, run)`, which
    writes what it gave. A run has `advance(context)`, which never waits; `finished`,
    `cancelled` and `touches_data`; `cancel()`; and a `progress` with `text` and `factor`. One that
    takes long sets `stops_on_escape` to False: Esc is for other things meanwhile.
    """

    stops_on_escape = True

    @classmethod
    def poll(cls, context) -> bool:
        """One run at a time."""
        if _runs:
            cls.poll_message_set(worded("DiffusionNet is at work; wait for it or cancel it"))
            return False
        return super().poll(context)

    def invoke(self, context, event):
        """Begin a run."""
        if bpy.app.background or context.window is None:
            return self.execute(context)
        return self.reporting(lambda: self._begin(context))

    def _begin(self, context):
        self._run = self.begin(context)
        self._started = monotonic()
        # What ran before this does not end by itself, such as an add-on that shows keys.
        self._others = _modal_operators(context)
        _runs.append(self._run)
        _show_escape[:] = [self.stops_on_escape]
        manager = context.window_manager
        # The run goes on when a window that was opened from another, as the preferences, is closed.
        window = context.window.parent or context.window
        with context.temp_override(window=window):
            _timers.append(manager.event_timer_add(TICK, window=window))
            manager.modal_handler_add(self)
        _show(context, self._run.progress)
        return {"RUNNING_MODAL"}

    def modal(self, context, event):
        """Look at the worker at every tick; everything else goes through to Blender."""
        run = self._run
        if run not in _runs:
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
                run.advance(context)
        if run.finished and run.cancelled:
            self.report({"INFO"}, run.farewell)
            return {"CANCELLED"}
        _show(context, run.progress)
        return {"PASS_THROUGH"}

    def cancel(self, context):
        """Blender closes the window that the operator was called from."""
        self._leave(context)

    def _leave(self, context):
        run = self._run
        run.cancel()
        if run in _runs:
            _runs.remove(run)
        _stop_showing(context)

    def _is_occupied(self, context) -> bool:
        """Whether data must be left alone: the artist drags or paints something, or it renders."""
        ours = Counter([_python_name(self.bl_idname)])
        return bool(_modal_operators(context) - self._others - ours) or bpy.app.is_job_running(
            "RENDER"
        )


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
        if not _runs:
            cls.poll_message_set(worded("DiffusionNet is not at work"))
        return bool(_runs)

    def run(self, context):
        """Ask; the run's own operator sees to the rest."""
        for run in _runs:
            run.cancel()
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
        if _runs:
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
