"""Base of the operators that correct a part of one object or several."""

import bpy
from bpy.props import IntProperty, StringProperty

from ..errors import DiffusionNetError
from ..scene.doubts import settled_together
from ..scene.edit_mode import whole_undo
from ..scene.parts import ACTIVE, part_number, segmented_objects
from ..scene.report_text import counted, listed
from ..scene.targets import has_parts
from ..scene.transaction import transaction
from ..translations import worded
from .base import ObjectOperator


class PartOperator(ObjectOperator):
    """Corrects a part of each target and of all members of its character.

    A subclass does so in `correct(obj, part)`, which returns how much has changed, and a line for
    the report.
    """

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

    def concerns(self, obj: bpy.types.Object) -> bool:
        """Whether an object is to be corrected; one at least is in any case."""
        return True

    def run(self, context):
        """Correct each target, and report on all in one line."""
        members = segmented_objects(self.members(context))
        targets = [obj for obj in members if self.concerns(obj)] or members[:1]
        numbers = [part_number(obj, self.part, self.index) for obj in targets]
        found, errors = [], []
        with whole_undo(targets), settled_together(self.grouped(context, members)):
            for obj, number in zip(targets, numbers, strict=True):
                try:
                    with transaction(obj):
                        found.append((obj.name, *self.correct(obj, number)))
                except DiffusionNetError as error:
                    errors.append(error)
            self.share_out(context, members)
        self.report_errors(errors, failed=not found)
        changed = [(name, line) for name, count, line in found if count]
        self.report(
            {"INFO"}, _in_one_line(changed or [(name, line) for name, _, line in found[:1]])
        )
        return {"FINISHED"}


def _in_one_line(lines: list[tuple[str, str]]) -> str:
    """Names of objects and their lines; what is true of several is told once."""
    alike: dict[str, list[str]] = {}
    for name, line in lines:
        alike.setdefault(line.removeprefix(f"{name}: "), []).append(line)
    told = [
        same[0] if len(same) == 1 else f"{counted(len(same), 'object')}: {text}"
        for text, same in alike.items()
    ]
    return listed(told, separator="; ")
