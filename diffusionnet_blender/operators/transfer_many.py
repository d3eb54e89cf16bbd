"""Transfer of data from one character to several: the selected ones, or the last ones again."""

from time import perf_counter

import bpy
from bpy.props import StringProperty

from ..errors import DiffusionNetError
from ..properties.from_options import values_of
from ..scene.character import Character
from ..scene.edit_mode import whole_undo
from ..scene.many_jobs import ManyTransferJobs
from ..scene.options import Outputs
from ..scene.pair import character_for
from ..scene.report_text import counted
from ..scene.targets import named_object, other_characters
from ..session.transferred import last_transfer, note_transfer
from ..tasks.transfer.kinds import Kinds
from ..tasks.transfer.request import TransferRequest
from ..translations import worded
from .background import JobOperator
from .base import ObjectOperator
from .match import MatchProperties
from .transfer import TransferOptions


class ManyOperator(MatchProperties, TransferOptions, JobOperator):
    """A transfer from one character to several; a subclass has `source_and_targets(context)`."""

    def jobs(self, context) -> ManyTransferJobs:
        """A match, where there is none, and a transfer for each target."""
        self._start = perf_counter()
        context.view_layer.update()
        source, targets = self.source_and_targets(context)
        panel = context.scene.diffusionnet.transfer
        self.set_unset_options(panel, source.members)
        kinds = Kinds(**values_of(Kinds, self))
        options = values_of(TransferRequest, self)
        return ManyTransferJobs(
            source, targets, panel, self.match_options(context), kinds, **options
        )

    def finish(self, context, run):
        """Write the data of each target that is unchanged."""
        context.view_layer.update()
        jobs = run.jobs
        outputs = Outputs(**values_of(Outputs, context.scene.diffusionnet))
        with whole_undo(obj for obj in context.view_layer.objects if obj):
            found = jobs.write(run.in_place, outputs)
        note_transfer(jobs.source, found, self.chosen_kinds)
        errors = [outcome.error for outcome in found if outcome.error]
        self.report_errors(errors, failed=len(errors) == len(found))
        for outcome in found:
            if outcome.error is None:
                self.report({"WARNING" if outcome.uncertain else "INFO"}, outcome.text)
            self.report_errors(outcome.remarks, failed=False)
        done = counted(len(found) - len(errors), "character")
        failed = f", {len(errors)} failed" if errors else ""
        text = f"{jobs.source.name} to {done}{failed}; in {perf_counter() - self._start:.1f} s"
        self.report({"WARNING" if errors else "INFO"}, text)
        return {"FINISHED"}


class DIFFUSIONNET_OT_transfer_to_selected(ManyOperator, ObjectOperator, bpy.types.Operator):
    """Transfer to every other selected character."""

    bl_description = (
        "Copy the chosen data from the source to every other selected character. Those without a "
        "valid match are matched before"
    )
    bl_idname = "diffusionnet.transfer_to_selected"
    bl_label = "Transfer to Selected"
    bl_options = {"UNDO"}

    source: StringProperty(
        name="Source",
        description="Name of the mesh object to copy from. Empty: the panel's",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    def source_and_targets(self, context) -> tuple[Character, list[Character]]:
        """The source of the panel, and the other characters that are selected or named."""
        picked = context.scene.diffusionnet.transfer.source
        source = named_object(context.scene.objects, self.source) if self.source else picked
        if source is None:
            raise DiffusionNetError("No source is chosen", "Pick one in the Transfer panel.")
        each = self.each_alone(context)
        named = self.targets(context) if self.object_name or self.objects else None
        character = character_for(context, source, each)
        targets = other_characters(context, character, named, each)
        if not targets:
            raise DiffusionNetError(
                f"No character but {character.name!r} is selected",
                "Select those that receive the data.",
            )
        return character, targets


class DIFFUSIONNET_OT_transfer_again(ManyOperator, bpy.types.Operator):
    """The last transfer once more."""

    bl_description = (
        "Repeat the last transfer, to the same targets, with what is chosen now. What has changed "
        "since is matched again"
    )
    bl_idname = "diffusionnet.transfer_again"
    bl_label = "Again"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context) -> bool:
        """There must have been a transfer."""
        if last_transfer() is None:
            cls.poll_message_set(worded("Nothing was transferred in this session yet"))
            return False
        return super().poll(context)

    def source_and_targets(self, context) -> tuple[Character, list[Character]]:
        """Those of the last transfer that are still there."""
        last = last_transfer()
        source, targets, errors = last.source.find_whole(), [], []
        for outcome in last.outcomes:
            try:
                targets.append(outcome.target.find_whole())
            except DiffusionNetError as error:
                errors.append(error)
        self.report_errors(errors, failed=not targets)
        return source, targets


CLASSES = (DIFFUSIONNET_OT_transfer_to_selected, DIFFUSIONNET_OT_transfer_again)
