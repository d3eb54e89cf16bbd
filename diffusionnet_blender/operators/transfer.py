"""Transfer of data from the source to the target, along their match."""

from dataclasses import replace
from time import perf_counter

import bpy

from ..properties.from_options import values_of
from ..properties.transfer import (
    TRANSFER_NAMES,
    TransferProperties,
    draw_extent,
    draw_transfer,
)
from ..scene.edit_mode import whole_undo
from ..scene.layers import has_default_data
from ..scene.matches import current_match
from ..scene.options import Outputs
from ..scene.pair import outside_edit_modes
from ..scene.pins import pins_of_pair
from ..scene.transfer_jobs import TransferJobs
from ..session.transferred import note_transfer
from ..tasks.transfer.kinds import KINDS, Kinds
from ..tasks.transfer.request import TransferRequest
from .background import JobOperator
from .pair import PairOperator


class TransferOptions(TransferProperties):
    """What is moved and how: as a script has set it, else as in the panel."""

    def set_unset_options(self, panel, sources) -> None:
        """Set options that a script has not set as in the panel; kinds only if it sets none."""
        unset = [name for name in TRANSFER_NAMES if not self.is_set(name)]
        any_kind_set = any(name in KINDS and name not in unset for name in TRANSFER_NAMES)
        for name in unset:
            value = getattr(panel, name)
            if name in KINDS:
                chosen = panel.is_property_set(name) or has_default_data(sources, name)
                value = value and chosen and not any_kind_set
            setattr(self, name, value)

    @property
    def chosen_kinds(self) -> list[str]:
        """Names of the kinds of data, in the order of the panel."""
        return [kind for kind in KINDS if getattr(self, kind)]

    def draw(self, context):
        """Draw the redo panel."""
        draw_transfer(self.layout, self)
        draw_extent(self.layout, self)


class DIFFUSIONNET_OT_transfer(TransferOptions, JobOperator, PairOperator, bpy.types.Operator):
    """Copy the chosen data from the source to the target along the last match"""

    bl_idname = "diffusionnet.transfer"
    bl_label = "Transfer"
    bl_options = {"REGISTER", "UNDO"}

    def jobs(self, context) -> TransferJobs:
        """One job on the pair."""
        self._start = perf_counter()
        source, target = self.pair(context)
        panel = context.scene.diffusionnet.transfer
        self.set_unset_options(panel, source.members)
        match = current_match(source, target, pins_of_pair(panel, source, target))
        kinds = Kinds(**values_of(Kinds, self))
        options = values_of(TransferRequest, self)
        return TransferJobs(source, target, match, kinds, **options)

    def finish(self, context, run):
        """Write all data, if both objects are unchanged."""
        context.view_layer.update()
        if not run.jobs.is_complete:
            raise run.failed[0]
        source, target = run.jobs.pair.find()
        outputs = Outputs(**values_of(Outputs, context.scene.diffusionnet))
        members = [*source.members, *target.members]
        with whole_undo(members), outside_edit_modes(*members):
            written = run.jobs.write(run.in_place, outputs)
        found, errors = run.jobs.match.correspondence, [*run.failed, *run.jobs.errors]
        outcome = replace(run.jobs.outcome, written=tuple(written), remarks=tuple(errors))
        note_transfer(run.jobs.pair.source, [outcome], self.chosen_kinds)
        text = f"{found.doubt}{source.name} to {target.name}: {'; '.join(written)}"
        level = "WARNING" if found.uncertain else "INFO"
        self.report({level}, f"{text}; in {perf_counter() - self._start:.1f} s")
        self.report_errors(errors, failed=False)
        return {"FINISHED"}


CLASSES = (DIFFUSIONNET_OT_transfer,)
