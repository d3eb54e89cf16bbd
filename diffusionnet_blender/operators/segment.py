"""Segmentation of objects."""

from time import perf_counter

import bpy

from ..errors import DiffusionNetError
from ..properties.from_options import ONE_CALL, properties_of, values_of
from ..properties.model_lists import NO_MODEL
from ..scene.options import Outputs, ReadOptions
from ..scene.palette import in_safe_colours
from ..scene.report_text import counted, listed, segmentation_summary
from ..scene.results import remarks_of
from ..scene.segment_jobs import SegmentJobs
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
        characters = self.characters(context)
        self._left_out = [out for character in characters for out in character.told]
        return SegmentJobs(
            characters,
            ReadOptions(**values_of(ReadOptions, panel)),
            cache=preferences.cache,
            **{**options, **preferences.compute},
        )

    def finish(self, context, run):
        """Write the labels of all objects that are unchanged."""
        segmented = run.jobs.segmented
        results, errors = [], list(run.failed)
        for character in segmented.values():
            found, missed = character.unchanged()
            results += found
            errors += missed
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
        if self._left_out:
            remarks.append(f"left out: {listed(self._left_out)}")
        wholes = [character.whole for character in segmented.values()]
        summary = segmentation_summary(_subject(segmented), wholes, seconds, remarks)
        self.report({"INFO"}, summary)
        if panel.show_in_viewport and panel.colors:
            show_colours_in(context, self._area)
        return {"FINISHED"}

    def _write(self, results, outputs) -> None:
        objects = [{"name": obj.name_full} for obj, _ in results]
        try:
            bpy.ops.diffusionnet.write_labels(
                "EXEC_DEFAULT", True, objects=objects, each=True, **outputs
            )
        except RuntimeError as error:
            raise DiffusionNetError(str(error).removeprefix("Error: ").strip(". \n")) from error


def _subject(segmented) -> str:
    """Name of the character, and of how many objects it is; of several, their number."""
    objects = sum(len(character.labels) for character in segmented.values())
    if len(segmented) == 1:
        (only,) = segmented
        return only.name if objects == 1 else f"{only.name}, {counted(objects, 'object')}"
    return counted(len(segmented), "mesh" if objects == len(segmented) else "character")


CLASSES = (DIFFUSIONNET_OT_segment,)
