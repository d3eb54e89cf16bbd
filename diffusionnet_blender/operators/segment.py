"""Segmentation of objects."""

from time import perf_counter

import bpy

from ..errors import DiffusionNetError
from ..properties.from_options import ONE_CALL, properties_of, values_of
from ..properties.model_lists import NO_MODEL
from ..scene.jobs import SegmentJobs
from ..scene.options import Outputs, ReadOptions
from ..scene.palette import in_safe_colours
from ..scene.report_text import segmentation_summary
from ..scene.results import remarks_of
from ..scene.viewport import show_colours_in
from ..settings import settings
from ..tasks.models import path_for
from ..tasks.segment.request import SegmentRequest
from .background import JobOperator
from .base import ObjectOperator


class SegmentProperties:
    """Options of a segmentation, each for one call."""

    __annotations__ = properties_of(SegmentRequest, **ONE_CALL)


class DIFFUSIONNET_OT_segment(SegmentProperties, JobOperator, ObjectOperator, bpy.types.Operator):
    """Segment the mesh into parts, and write them as chosen under Outputs"""

    bl_idname = "diffusionnet.segment"
    bl_label = "Segment"
    # No undo step and no redo panel of its own: `write_labels`, which it ends with, has both.
    # The redo panel runs an operator again at every change, and this one is slow.
    bl_options = set()

    def jobs(self, context) -> SegmentJobs:
        """One job for each target."""
        self._start = perf_counter()
        self._area = context.area.as_pointer() if context.area else None
        panel, preferences = context.scene.diffusionnet, settings()
        options = self.chosen_options(SegmentRequest, panel)
        if options["model"] == NO_MODEL:
            raise DiffusionNetError(
                "No model is installed", "Import one, or set the library in the preferences."
            )
        # A missing model is an error now, not in the worker.
        path_for(options["model"], [preferences.model_folder], "segment")
        return SegmentJobs(
            self.targets(context),
            ReadOptions(**values_of(ReadOptions, panel)),
            cache=preferences.cache,
            **{**options, **preferences.compute},
        )

    def finish(self, context, run):
        """Write the labels of all objects that are unchanged."""
        results, errors = run.jobs.unchanged(run.done)
        errors = [*run.failed, *errors]
        if not results:
            raise errors[0]
        panel = context.scene.diffusionnet
        outputs = values_of(Outputs, panel)
        if settings().palette == "SAFE":
            results = [(obj, in_safe_colours(obj, result)) for obj, result in results]
        self._write(results, outputs)
        self.report_errors(errors, failed=False)
        seconds = perf_counter() - self._start
        remarks = [remark for obj, _ in results for remark in remarks_of(obj.data)]
        self.report({"INFO"}, segmentation_summary(results, seconds, remarks))
        if panel.show_in_viewport and panel.colors:
            show_colours_in(context, self._area)
        return {"FINISHED"}

    def _write(self, results, outputs) -> None:
        objects = [{"name": obj.name_full} for obj, _ in results]
        try:
            bpy.ops.diffusionnet.write_labels("EXEC_DEFAULT", True, objects=objects, **outputs)
        except RuntimeError as error:
            raise DiffusionNetError(str(error).removeprefix("Error: ").strip(". \n")) from error


CLASSES = (DIFFUSIONNET_OT_segment,)
