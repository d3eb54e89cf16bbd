"""Base of the operators that correct a part of one object or several."""

from bpy.props import IntProperty, StringProperty

from ..errors import DiffusionNetError
from ..scene.edit_mode import whole_undo
from ..scene.parts import ACTIVE, part_number, segmented_objects
from ..scene.targets import has_parts
from ..scene.transaction import transaction
from ..translations import worded
from .base import ObjectOperator


class PartOperator(ObjectOperator):
    """Corrects a part of each target; a subclass does so in `correct(obj, part)`."""

    bl_options = {"REGISTER", "UNDO"}

    part: StringProperty(name="Part", description="Name of the part, in place of its number")
    index: IntProperty(
        name="Number",
        description="Number of the part in the list. -1: the active part",
        min=ACTIVE,
        default=ACTIVE,
    )

    @classmethod
    def poll(cls, context) -> bool:
        """A mesh must have parts; `run` looks whether it is a target."""
        if not super().poll(context):
            return False
        if not has_parts(context):
            cls.poll_message_set(worded("No mesh has parts yet; segment one first"))
            return False
        return True

    def run(self, context):
        """Correct each target, and report on all in one line."""
        targets = segmented_objects(self.members(context))
        numbers = [part_number(obj, self.part, self.index) for obj in targets]
        lines, errors = [], []
        with whole_undo(targets):
            for obj, number in zip(targets, numbers, strict=True):
                try:
                    with transaction(obj):
                        lines.append(self.correct(obj, number))
                except DiffusionNetError as error:
                    errors.append(error)
        self.report_errors(errors, failed=not lines)
        self.report({"INFO"}, "; ".join(lines))
        return {"FINISHED"}
