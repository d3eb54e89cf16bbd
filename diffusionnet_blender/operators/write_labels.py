"""Write the labels of the last run, again or in another way."""

from time import perf_counter

import bpy

from ..errors import DiffusionNetError
from ..properties.from_options import values_of
from ..properties.outputs import OUTPUT_NAMES, OutputProperties
from ..scene.edit_mode import outside_edit_mode, whole_undo
from ..scene.labels import labels_to_write
from ..scene.options import Outputs
from ..scene.results import any_results
from ..scene.targets import has_parts
from ..scene.write import left_out, write_labels
from ..session.trouble import forget_trouble
from ..translations import worded
from .base import ObjectOperator, counted


class DIFFUSIONNET_OT_write_labels(OutputProperties, ObjectOperator, bpy.types.Operator):
    """Write the labels of the last run, with all corrections since, in the ways chosen"""

    bl_idname = "diffusionnet.write_labels"
    bl_label = "Write Labels"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context) -> bool:
        """Something must have been segmented; whether it is the target, only `run` knows."""
        if not super().poll(context):
            return False
        if not any_results() and not has_parts(context):
            cls.poll_message_set(worded("Nothing has been segmented since the file was opened"))
            return False
        return True

    def run(self, context):
        """Write to every target that has a result."""
        forget_trouble()
        targets = self.targets(context)
        written, failed, notes = [], [], []
        found = []
        for obj in targets:
            try:
                result = _labels(obj) if obj.type == "MESH" else None
            except DiffusionNetError as error:
                failed.append(error)
                continue
            found += [(obj, result)] if result else []
        if not found:
            if failed:
                raise failed[0]
            raise DiffusionNetError(
                f"{targets[0].name!r} has not been segmented since the file was opened",
                "Segment it first.",
            )
        # What a script leaves unsaid is as the panel has it.
        for name in OUTPUT_NAMES:
            if not self.properties.is_property_set(name):
                setattr(self, name, getattr(context.scene.diffusionnet, name))
        outputs = Outputs(**values_of(Outputs, self))

        clock = perf_counter()
        with whole_undo(targets):
            for obj, result in found:
                try:
                    note = left_out(obj, result, outputs)
                    write_labels(obj, result, outputs)
                except DiffusionNetError as error:
                    failed.append(error)
                    continue
                written.append(obj.name)
                notes += [note] if note else []
        if not written:
            raise failed[0]
        for error in failed:
            self.report({"WARNING"}, str(error))
        names = written[0] if len(written) == 1 else counted(len(written), "mesh")
        text = f"{names}: labels written in {perf_counter() - clock:.1f} s"
        self.report({"INFO"}, f"{text} (left out: {'; '.join(notes)})" if notes else text)
        return {"FINISHED"}

    def draw(self, context):
        """Draw the redo panel."""
        draw_outputs(self.layout, self)


def _labels(obj):
    with outside_edit_mode(obj.data):
        return labels_to_write(obj)


def draw_outputs(layout, properties) -> None:
    """The choice of outputs, for the redo panel and the sidebar."""
    layout.use_property_split = True
    layout.use_property_decorate = False
    column = layout.column(heading="Write")
    for name in OUTPUT_NAMES:
        if name == "group_weights":
            row = column.row()
            row.active = properties.vertex_groups
            row.prop(properties, name, expand=True)
        else:
            column.prop(properties, name)


CLASSES = (DIFFUSIONNET_OT_write_labels,)
