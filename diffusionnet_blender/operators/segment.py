"""Run a model on objects."""

from dataclasses import replace
from time import perf_counter

import bpy
from bpy.props import BoolProperty, StringProperty

from ..errors import DiffusionNetError
from ..preferences import settings
from ..properties.model_lists import NO_MODEL
from ..properties.outputs import OUTPUT_NAMES
from ..scene.palette import safe_colours
from ..scene.results import forget_result, keep_result
from ..scene.write import left_out
from ..tasks.models import labelling_model_path
from .background import BackgroundOperator, the_worker
from .base import ObjectOperator, counted
from .segment_object import segment_object
from .segment_run import SegmentRun, run_options
from .trouble import forget_trouble, note_trouble
from .write_labels import chosen_outputs


class DIFFUSIONNET_OT_segment(BackgroundOperator, ObjectOperator, bpy.types.Operator):
    """Name the parts of the mesh, and write them as chosen under Outputs"""

    bl_idname = "diffusionnet.segment"
    bl_label = "Segment"
    # No undo step and no redo panel of its own: `write_labels`, which it ends with, has both.
    # The redo panel runs an operator again at every change, and this one is slow.
    bl_options = set()

    model: StringProperty(
        name="Model",
        description="Name of a model, or path of a .safetensors file. Empty: the panel's",
        options={"SKIP_SAVE"},
    )

    clean: BoolProperty(
        name="Clean Labels",
        description="Take frays and islands out of the parts. Not set: as in the panel",
        options={"SKIP_SAVE"},
    )

    def run(self, context):
        """Segment every object, then write what succeeded."""
        from ..tasks.models import find_model

        forget_trouble()
        chosen = context.scene.diffusionnet
        preferences = settings()
        targets = self.targets(context)
        path = labelling_model_path(self._model(context), [preferences.model_folder])
        model = find_model(str(path))
        context.view_layer.update()
        depsgraph = context.evaluated_depsgraph_get() if chosen.use_modifiers else None

        clock = perf_counter()
        done, failed, remarks = [], [], []
        window_manager = context.window_manager
        window_manager.progress_begin(0.0, 1.0)
        try:
            for index, obj in enumerate(targets):

                def progress(stage, fraction, index=index):
                    window_manager.progress_update((index + fraction) / len(targets))

                try:
                    _, segmentation, result = segment_object(
                        obj,
                        model,
                        depsgraph=depsgraph,
                        use_rest_shape=chosen.use_rest_shape,
                        exact=chosen.exact,
                        clean=self._clean(context),
                        engine=preferences.engine,
                        device=preferences.device,
                        cache=preferences.cache(),
                        progress=progress,
                    )
                except DiffusionNetError as error:
                    failed.append(error)
                    # Labels of an earlier run must not pass for those of this one.
                    if obj.type == "MESH":
                        forget_result(obj.data)
                    continue
                keep_result(obj.data, result)
                done.append((obj, result))
                remarks.append(segmentation.remark)
        finally:
            window_manager.progress_end()
        self._write(context, done, failed, remarks, perf_counter() - clock)
        if chosen.show_in_viewport and chosen.colours:
            show_colours_in(context.space_data)
        return {"FINISHED"}

    def begin(self, context) -> SegmentRun:
        """Start to do the same in the worker."""
        forget_trouble()
        chosen = context.scene.diffusionnet
        preferences = settings()
        targets = self.targets(context)
        name = self._model(context)
        # That there is no such model is told now and not by the worker.
        labelling_model_path(name, [preferences.model_folder])
        self._clock = perf_counter()
        self._area = context.area.as_pointer() if context.area else None
        return SegmentRun(
            the_worker(),
            targets,
            options=run_options(name, preferences),
            use_modifiers=chosen.use_modifiers,
            use_rest_shape=chosen.use_rest_shape,
            exact=chosen.exact,
            clean=self._clean(context),
        )

    def finish(self, context, run: SegmentRun):
        """Write what the worker found."""
        chosen = context.scene.diffusionnet
        done, failed = run.outcome()
        self._write(context, done, failed, run.remarks, perf_counter() - self._clock)
        if chosen.show_in_viewport and chosen.colours:
            for window in context.window_manager.windows:
                for area in window.screen.areas:
                    if area.as_pointer() == self._area:
                        show_colours_in(area.spaces.active)
        return {"FINISHED"}

    def _clean(self, context) -> bool:
        given = self.properties.is_property_set("clean")
        return self.clean if given else context.scene.diffusionnet.clean

    def _model(self, context) -> str:
        name = self.model or context.scene.diffusionnet.model
        if name == NO_MODEL:
            raise DiffusionNetError(
                "No model is installed", "Import one, or set the library in the preferences."
            )
        return name

    def _write(self, context, done, failed, remarks, seconds: float) -> None:
        """One undo step, with a redo panel, where this operator was not called by another."""
        if not done:
            raise failed[0]
        chosen = context.scene.diffusionnet
        if settings().palette == "SAFE":
            done = [(obj, _in_safe_colours(obj, result)) for obj, result in done]
        # Before writing: locked groups are found by the names that are free now.
        notes = [left_out(obj, result, chosen_outputs(chosen)) for obj, result in done]
        try:
            bpy.ops.diffusionnet.write_labels(
                "EXEC_DEFAULT",
                True,
                objects=[{"name": obj.name} for obj, _ in done],
                **{name: getattr(chosen, name) for name in OUTPUT_NAMES},
            )
        except RuntimeError as error:
            raise DiffusionNetError(str(error).removeprefix("Error: ").strip(". \n")) from error
        for error in failed:
            note_trouble(error)
            self.report({"WARNING"}, str(error))
        self.report({"INFO"}, _summary(done, seconds, remarks, notes))


def _in_safe_colours(obj, result):
    """The same result, kept for *Write Labels* in these colours, too."""
    result = replace(result, class_colours=safe_colours(result.class_names))
    keep_result(obj.data, result)
    return result


def _summary(done, seconds: float, remarks: list[str], notes: list[str]) -> str:
    names = done[0][0].name if len(done) == 1 else counted(len(done), "mesh")
    parts = len({(obj.name, label) for obj, r in done for label in set(r.vertex_labels.tolist())})
    faces = sum(len(result.polygon_labels) for _, result in done)
    vertices = sum(len(result.vertex_probabilities) for _, result in done)
    size = counted(faces, "face") if faces else counted(vertices, "vertex")
    text = f"{names}: {counted(parts, 'part')} on {size} in {seconds:.1f} s"
    left = "; ".join(note for note in notes if note)
    told = [remark for remark in remarks if remark] + ([f"left out: {left}"] if left else [])
    return f"{text} ({'; '.join(told)})" if told else text


def show_colours_in(space) -> None:
    """Let a viewport, if it is one, show the active colour attribute."""
    if space and space.type == "VIEW_3D" and space.shading.type == "SOLID":
        space.shading.color_type = "VERTEX"


CLASSES = (DIFFUSIONNET_OT_segment,)
