"""Segment objects."""

from dataclasses import replace
from time import perf_counter

import bpy

from ..errors import DiffusionNetError
from ..properties.from_options import ONE_CALL, properties_of, values_of
from ..properties.model_lists import NO_MODEL
from ..scene.jobs import SegmentJobs
from ..scene.options import Outputs, ReadOptions
from ..scene.palette import safe_colours
from ..scene.results import keep_result
from ..scene.viewport import show_colours_in
from ..scene.write import left_out
from ..session.trouble import note_trouble
from ..settings import settings
from ..tasks.models import path_for
from ..tasks.segment.request import SegmentRequest
from .background import JobOperator
from .base import ObjectOperator, counted


class SegmentProperties:
    """Options of a segmentation, for one call."""

    __annotations__ = properties_of(SegmentRequest, **ONE_CALL)


class DIFFUSIONNET_OT_segment(SegmentProperties, JobOperator, ObjectOperator, bpy.types.Operator):
    """Label the parts of the mesh, and write them as chosen under Outputs"""

    bl_idname = "diffusionnet.segment"
    bl_label = "Segment"
    # No undo step and no redo panel of its own: `write_labels`, which it ends with, has both.
    # The redo panel runs an operator again at every change, and this one is slow.
    bl_options = set()

    def jobs(self, context) -> SegmentJobs:
        """One for each target."""
        self._clock = perf_counter()
        self._area = context.area.as_pointer() if context.area else None
        panel, preferences = context.scene.diffusionnet, settings()
        options = self.chosen(SegmentRequest, panel)
        if options["model"] == NO_MODEL:
            raise DiffusionNetError(
                "No model is installed", "Import one, or set the library in the preferences."
            )
        # Told now and not by the worker.
        path_for(options["model"], [preferences.model_folder], "segment")
        return SegmentJobs(
            self.targets(context),
            ReadOptions(**values_of(ReadOptions, panel)),
            cache=preferences.cache,
            **{**options, **preferences.compute},
        )

    def finish(self, context, run):
        """Write the labels of all objects that are still as they were read."""
        done, failed = [], list(run.failed)
        for item, result in run.done:
            try:
                done.append((item.find_unchanged(result.topology), result))
            except DiffusionNetError as error:
                failed.append(error)
        if not done:
            raise failed[0]
        panel = context.scene.diffusionnet
        outputs = values_of(Outputs, panel)
        # Before writing: locked groups are found by the names that are free now.
        notes = [left_out(obj, result, Outputs(**outputs)) for obj, result in done]
        if settings().palette == "SAFE":
            done = [(obj, _in_safe_colours(obj, result)) for obj, result in done]
        try:
            bpy.ops.diffusionnet.write_labels(
                "EXEC_DEFAULT", True, objects=[{"name": obj.name} for obj, _ in done], **outputs
            )
        except RuntimeError as error:
            raise DiffusionNetError(str(error).removeprefix("Error: ").strip(". \n")) from error
        for error in failed:
            note_trouble(error)
            self.report({"WARNING"}, str(error))
        self.report({"INFO"}, _summary(done, perf_counter() - self._clock, notes))
        if panel.show_in_viewport and panel.colors:
            show_colours_in(context, self._area)
        return {"FINISHED"}


def _in_safe_colours(obj, result):
    """The same result, kept for *Write Labels* in these colours, too."""
    result = replace(result, class_colours=safe_colours(result.class_names))
    keep_result(obj.data, result)
    return result


def _summary(done, seconds: float, notes: list[str]) -> str:
    names = done[0][0].name if len(done) == 1 else counted(len(done), "mesh")
    parts = len({(obj.name, label) for obj, r in done for label in set(r.vertex_labels.tolist())})
    faces = sum(len(result.polygon_labels) for _, result in done)
    vertices = sum(len(result.vertex_probabilities) for _, result in done)
    size = counted(faces, "face") if faces else counted(vertices, "vertex")
    text = f"{names}: {counted(parts, 'part')} on {size} in {seconds:.1f} s"
    left = "; ".join(note for note in notes if note)
    remarks = [result.remark for _, result in done if result.remark]
    remarks += [f"left out: {left}"] if left else []
    return f"{text} ({'; '.join(remarks)})" if remarks else text


CLASSES = (DIFFUSIONNET_OT_segment,)
