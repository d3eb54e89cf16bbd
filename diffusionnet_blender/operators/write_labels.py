"""Labels of the last run, written again with other outputs."""

from time import perf_counter

import bpy

from ..errors import DiffusionNetError
from ..properties.from_options import values_of
from ..properties.outputs import OUTPUT_NAMES, OutputProperties, draw_outputs
from ..scene.edit_mode import whole_undo
from ..scene.labels import labels_of_objects
from ..scene.options import Outputs
from ..scene.report_text import counted
from ..scene.results import any_results
from ..scene.targets import characters_for, has_parts
from ..scene.write import write_labels_of_objects
from ..session.trouble import forget_trouble
from ..translations import worded
from .base import ObjectOperator


class DIFFUSIONNET_OT_write_labels(OutputProperties, ObjectOperator, bpy.types.Operator):
    """Write the parts again, with all corrections, as chosen under Outputs"""

    bl_idname = "diffusionnet.write_labels"
    bl_label = "Write Labels"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context) -> bool:
        """A mesh must have been segmented; `run` looks whether it is a target."""
        if not super().poll(context):
            return False
        if not any_results() and not has_parts(context):
            cls.poll_message_set(worded("Nothing has been segmented since the file was opened"))
            return False
        return True

    def run(self, context):
        """Write to every target that has labels."""
        forget_trouble()
        start = perf_counter()
        targets = self.members(context)
        labels, errors = labels_of_objects(targets)
        if not labels and not errors:
            raise DiffusionNetError(
                f"{targets[0].name!r} has not been segmented since the file was opened",
                "Segment it first.",
            )
        outputs, written, remarks = self._outputs(context), [], []
        with whole_undo(targets):
            for character in characters_for(context, [obj for obj, _ in labels]):
                own = [(obj, found) for obj, found in labels if obj in character.members]
                done, told, refused = write_labels_of_objects(own, outputs)
                written += done
                remarks += told
                errors += refused
        self.report_errors(errors, failed=not written)
        names = written[0].name if len(written) == 1 else counted(len(written), "mesh")
        text = f"{names}: labels written in {perf_counter() - start:.1f} s"
        self.report({"INFO"}, f"{text} ({'; '.join(dict.fromkeys(remarks))})" if remarks else text)
        return {"FINISHED"}

    def draw(self, context):
        """Draw the redo panel."""
        draw_outputs(self.layout, self)

    def _outputs(self, context) -> Outputs:
        """Outputs, those of the scene where a script has not set them."""
        for name in OUTPUT_NAMES:
            if not self.properties.is_property_set(name):
                setattr(self, name, getattr(context.scene.diffusionnet, name))
        return Outputs(**values_of(Outputs, self))


CLASSES = (DIFFUSIONNET_OT_write_labels,)
