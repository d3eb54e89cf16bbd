"""Status of the background process, the report for support, and the cache."""

from __future__ import annotations

import bpy

from ..scene.jobs import OneJob
from ..session.status import keep_status, report_text
from ..session.trouble import forget_trouble
from ..settings import settings
from ..tasks.status import job as status_job
from ..translations import worded
from .background import JobOperator
from .base import ReportingOperator


class DIFFUSIONNET_OT_check(JobOperator, bpy.types.Operator):
    """Start the background process, and list its libraries and devices"""

    bl_idname = "diffusionnet.check"
    bl_label = "Check"
    # The report that is copied next has the last error.
    forgets_trouble = False

    def jobs(self, context) -> OneJob:
        """One job that reads the status."""
        text = worded("Looking for libraries and devices")
        return OneJob(status_job, text, status_job.StatusRequest())

    def finish(self, context, run):
        """Report engine and devices; the preferences list the rest."""
        status = run.result
        keep_status(status)
        self.report({"INFO"}, f"Engine: {status.engine}. {', '.join(status.devices)}")
        return {"FINISHED"}


class DIFFUSIONNET_OT_copy_report(ReportingOperator, bpy.types.Operator):
    """Copy versions, settings and the last error to the clipboard, for a bug report"""

    bl_idname = "diffusionnet.copy_report"
    bl_label = "Copy Report"

    def run(self, context):
        """Copy the report."""
        context.window_manager.clipboard = report_text()
        self.report({"INFO"}, "Report copied to the clipboard")
        return {"FINISHED"}


class DIFFUSIONNET_OT_dismiss_error(ReportingOperator, bpy.types.Operator):
    """Hide this message"""

    bl_idname = "diffusionnet.dismiss_error"
    bl_label = "Dismiss"

    def run(self, context):
        """Clear the last error."""
        forget_trouble()
        return {"FINISHED"}


class DIFFUSIONNET_OT_clear_cache(ReportingOperator, bpy.types.Operator):
    """Delete the cached matrices of all meshes; the next run computes them again"""

    bl_idname = "diffusionnet.clear_cache"
    bl_label = "Clear Cache"

    def run(self, context):
        """Delete the files of the cache."""
        cache = settings().cache
        size = cache.size()
        cache.clear()
        self.report({"INFO"}, f"{size / 2**20:,.0f} MB freed")
        return {"FINISHED"}


CLASSES = (
    DIFFUSIONNET_OT_check,
    DIFFUSIONNET_OT_copy_report,
    DIFFUSIONNET_OT_dismiss_error,
    DIFFUSIONNET_OT_clear_cache,
)
