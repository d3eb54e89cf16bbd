"""Run a model on objects."""

from time import perf_counter

import bpy
from bpy.props import StringProperty

from ..errors import DiffusionNetError
from ..preferences import settings
from ..properties import NO_MODEL, OUTPUT_NAMES
from ..scene.results import forget_result, keep_result
from ..scene.write import left_out
from .base import ObjectOperator, counted
from .segment_object import segment_object
from .write_labels import chosen_outputs


class DIFFUSIONNET_OT_segment(ObjectOperator, bpy.types.Operator):
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

    def run(self, context):
        """Segment every object, then write what succeeded."""
        from ..tasks.models import find_model

        chosen = context.scene.diffusionnet
        preferences = settings()
        name = self.model or chosen.model
        if name == NO_MODEL:
            raise DiffusionNetError(
                "No model is installed", "Import one, or set the library in the preferences."
            )
        targets = self.targets(context)
        model = find_model(name, [preferences.model_folder])
        context.view_layer.update()
        depsgraph = context.evaluated_depsgraph_get() if chosen.use_modifiers else None

        clock = perf_counter()
        done, failed, mended, proxies = [], [], [], []
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
                mended.append(segmentation.repairs.summary())
                proxies.append(
                    f"{segmentation.proxy_size:,} vertices" if segmentation.proxy_size else ""
                )
        finally:
            window_manager.progress_end()
        if not done:
            raise failed[0]
        # Before writing: locked groups are found by the names that are free now.
        notes = [left_out(obj, result, chosen_outputs(chosen)) for obj, result in done]
        self._write(chosen)
        for error in failed:
            self.report({"WARNING"}, str(error))
        self.report({"INFO"}, _summary(done, perf_counter() - clock, proxies, mended, notes))
        if chosen.show_in_viewport and chosen.colours:
            show_colours_in(context)
        return {"FINISHED"}

    def _write(self, chosen) -> None:
        """One undo step, with a redo panel, where this operator was not called by another."""
        try:
            bpy.ops.diffusionnet.write_labels(
                "EXEC_DEFAULT",
                True,
                object_name=self.object_name,
                **{name: getattr(chosen, name) for name in OUTPUT_NAMES},
            )
        except RuntimeError as error:
            raise DiffusionNetError(str(error).removeprefix("Error: ").strip(". \n")) from error


def _summary(done, seconds: float, proxies, mended, notes) -> str:
    names = done[0][0].name if len(done) == 1 else counted(len(done), "mesh")
    parts = len({(obj.name, label) for obj, r in done for label in set(r.vertex_labels.tolist())})
    faces = sum(len(result.polygon_labels) for _, result in done)
    vertices = sum(len(result.vertex_probabilities) for _, result in done)
    size = counted(faces, "face") if faces else counted(vertices, "vertex")
    text = f"{names}: {counted(parts, 'part')} on {size} in {seconds:.1f} s"
    for heading, lines in (
        ("by a proxy of", proxies),
        ("mended on the way", mended),
        ("left out", notes),
    ):
        told = "; ".join(line for line in lines if line)
        text += f" ({heading}: {told})" if told else ""
    return text


def show_colours_in(context) -> None:
    """Let the viewport that the operator was called from show the active colour attribute."""
    space = context.space_data
    if space and space.type == "VIEW_3D" and space.shading.type == "SOLID":
        space.shading.color_type = "VERTEX"


CLASSES = (DIFFUSIONNET_OT_segment,)
