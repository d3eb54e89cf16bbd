"""Transfer data from the source to the target, along their match."""

from time import perf_counter

import bpy

from ..properties.from_options import values_of
from ..properties.transfer import TRANSFER_NAMES, TransferProperties
from ..scene.edit_mode import whole_undo
from ..scene.jobs import TransferJobs
from ..scene.matches import current_match
from ..scene.options import Outputs
from ..scene.pair import outside_edit_modes
from ..scene.transfer_write import write_transfer
from ..tasks.transfer.kinds import KINDS, Kinds
from ..tasks.transfer.request import TransferRequest
from .background import JobOperator
from .pair import PairOperator, pins_of

# Options that the panel draws under a kind where it is chosen.
DETAILS = {
    "texture": ("texture_size", "dilation"),
    "weights": ("groups", "limit", "least_confidence"),
    "shape_keys": ("small_keys",),
}


class DIFFUSIONNET_OT_transfer(TransferProperties, JobOperator, PairOperator, bpy.types.Operator):
    """Move the chosen kinds of data from the source onto the target, along the last match"""

    bl_idname = "diffusionnet.transfer"
    bl_label = "Transfer"
    bl_options = {"REGISTER", "UNDO"}

    def jobs(self, context) -> TransferJobs:
        """One, of the pair."""
        self._clock = perf_counter()
        source, target = self.pair(context)
        self._settle(context.scene.diffusionnet.transfer, source)
        match = current_match(source, target, pins_of(context, source, target))
        kinds = Kinds(**values_of(Kinds, self))
        return TransferJobs(source, target, match, kinds, **values_of(TransferRequest, self))

    def finish(self, context, run):
        """Write all, if both objects are as they were."""
        moved = run.result
        context.view_layer.update()
        source, target = run.jobs.items[0].find()
        outputs = Outputs(**values_of(Outputs, context.scene.diffusionnet))
        with whole_undo([source, target]), outside_edit_modes(source, target):
            prepared = run.jobs.prepared(moved, at_once=run.in_place)
            written = write_transfer(source, target, prepared, outputs)
        text = f"{source.name} to {target.name}: {'; '.join(written)}"
        self.report({"INFO"}, f"{text}; in {perf_counter() - self._clock:.1f} s")
        return {"FINISHED"}

    def _settle(self, panel, source) -> None:
        """Options that a script leaves out are as in the panel; kinds only if it names none."""
        unset = [name for name in TRANSFER_NAMES if not self.is_given(name)]
        names_kinds = any(name in KINDS and name not in unset for name in TRANSFER_NAMES)
        for name in unset:
            value = getattr(panel, name)
            if name in KINDS:
                chosen = panel.is_property_set(name) or has(source, name)
                value = value and chosen and not names_kinds
            setattr(self, name, value)

    def draw(self, context):
        """Draw the redo panel."""
        draw_transfer(self.layout, self)


def has(source, kind: str) -> bool:
    """Whether a source has the data of a kind that is moved unless another is chosen."""
    data = {"texture": source.data.uv_layers, "weights": source.vertex_groups}
    return kind not in data or len(data[kind]) > 0


def draw_transfer(layout, properties) -> None:
    """The choice of what to move, for the redo panel and the sidebar."""
    layout.use_property_split = True
    layout.use_property_decorate = False
    column = layout.column(heading="Move")
    for name in KINDS:
        column.prop(properties, name)
        if getattr(properties, name):
            for detail in DETAILS.get(name, ()):
                column.prop(properties, detail)


CLASSES = (DIFFUSIONNET_OT_transfer,)
