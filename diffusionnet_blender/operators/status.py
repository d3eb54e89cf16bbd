"""What DiffusionNet runs on, and a report of it to paste where one asks for help."""

from __future__ import annotations

import platform
from pathlib import Path

import bpy

from .. import extras
from ..preferences import settings
from ..translations import worded
from ..worker.protocol import VERSION
from .background import BackgroundOperator, the_worker
from .base import ReportingOperator
from .trouble import forget_trouble, last_trouble
from .worker_run import WorkerRun

_status: list[dict] = []


def known_status() -> dict | None:
    """What the worker told last, see `worker.status.run`."""
    return _status[0] if _status else None


def status_lines(status: dict | None) -> list[str]:
    """Versions, and what the worker runs on if it has told, a line each, for the preferences."""
    lines = [f"DiffusionNet {VERSION}, Blender {bpy.app.version_string}"]
    if not status:
        return lines
    free = status["free_bytes"]
    return [
        *lines,
        worded(
            "Python {version}, engine {engine}", version=status["python"], engine=status["engine"]
        ),
        worded("Devices: {devices}", devices=", ".join(status["devices"])),
        *([worded("Free memory: {size:.1f} GB", size=free / 2**30)] if free else []),
        *(f"{name} {version}" for name, version in status["libraries"].items()),
    ]


def status_run() -> WorkerRun:
    """Asks the worker."""
    return WorkerRun(the_worker(), "status", {}, worded("Looking for libraries and devices"))


class DIFFUSIONNET_OT_check(BackgroundOperator, bpy.types.Operator):
    """Start the process that computes, and see which libraries and devices it finds"""

    bl_idname = "diffusionnet.check"
    bl_label = "Check"

    def run(self, context):
        """Look in this process."""
        from ..worker.status import run

        return self._tell(run({}, lambda stage, fraction: None))

    def begin(self, context) -> WorkerRun:
        """Ask the worker."""
        forget_trouble()
        return status_run()

    def finish(self, context, run: WorkerRun):
        """Show what it answered."""
        return self._tell(run.answer)

    def _tell(self, status: dict):
        _status[:] = [status]
        self.report({"INFO"}, f"Engine: {status['engine']}. {', '.join(status['devices'])}")
        return {"FINISHED"}


class DIFFUSIONNET_OT_copy_report(ReportingOperator, bpy.types.Operator):
    """Copy versions, settings and the last error, to paste where you ask for help"""

    bl_idname = "diffusionnet.copy_report"
    bl_label = "Copy Report"

    def run(self, context):
        """To the clipboard."""
        context.window_manager.clipboard = report_text()
        self.report({"INFO"}, "The report is on the clipboard")
        return {"FINISHED"}


class DIFFUSIONNET_OT_dismiss_error(ReportingOperator, bpy.types.Operator):
    """Hide this message"""

    bl_idname = "diffusionnet.dismiss_error"
    bl_label = "Dismiss"

    def run(self, context):
        """Forget it."""
        forget_trouble()
        return {"FINISHED"}


class DIFFUSIONNET_OT_clear_cache(ReportingOperator, bpy.types.Operator):
    """Delete the matrices of all meshes; the next run on each computes them again"""

    bl_idname = "diffusionnet.clear_cache"
    bl_label = "Clear Cache"

    def run(self, context):
        """Delete them."""
        cache = settings().cache()
        size = cache.size()
        cache.clear()
        self.report({"INFO"}, f"{size / 2**20:,.0f} MB freed")
        return {"FINISHED"}


def report_text() -> str:
    """Versions, settings, what the worker runs on, and the last error; no path of the user's."""
    chosen, status, trouble = settings(), known_status(), last_trouble()
    own = extras.library_folder()
    lines = [
        f"DiffusionNet {VERSION}",
        f"Blender {bpy.app.version_string} ({bpy.app.build_hash.decode()})",
        f"Python {platform.python_version()}, {platform.platform()}",
        f"Engine {chosen.engine}, device {chosen.device}, environment {chosen.environment or '-'}",
        f"PyTorch of its own: {own.name if own else '-'}",
    ]
    if status:
        free = status["free_bytes"]
        lines += [
            f"Worker: Python {status['python']}, engine {status['engine']}",
            f"Devices: {', '.join(status['devices'])}",
            "Libraries: " + ", ".join(f"{n} {v}" for n, v in status["libraries"].items()),
            f"Free memory: {'unknown' if free is None else f'{free / 2**30:.1f} GB'}",
        ]
    if trouble:
        lines += ["", f"{trouble.kind}: {trouble.message}", trouble.fix, "", trouble.details]
    return "\n".join(lines).replace(str(Path.home()), "~")


CLASSES = (
    DIFFUSIONNET_OT_check,
    DIFFUSIONNET_OT_copy_report,
    DIFFUSIONNET_OT_dismiss_error,
    DIFFUSIONNET_OT_clear_cache,
)
