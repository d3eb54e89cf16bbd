"""Move what the source carries onto the target, along their match."""

from time import perf_counter

import bpy
from bpy.props import StringProperty

from ..errors import DiffusionNetError
from ..properties.transfer import TRANSFER_NAMES, TransferProperties
from ..scene.edit_mode import whole_undo
from ..scene.layers import Wanted
from ..scene.matches import current_match
from ..scene.pair import outside_edit_modes
from ..scene.transfer import prepare_transfer
from ..scene.transfer_write import write_transfer
from ..tasks.transfer.layers import KINDS
from .background import BackgroundOperator, the_worker
from .match import PairOperator, pins_of
from .transfer_run import TransferRun
from .trouble import forget_trouble
from .write_labels import chosen_outputs


class DIFFUSIONNET_OT_transfer(
    TransferProperties, BackgroundOperator, PairOperator, bpy.types.Operator
):
    """Move what is chosen from the source onto the target, along the last match"""

    bl_idname = "diffusionnet.transfer"
    bl_label = "Transfer"
    bl_options = {"REGISTER", "UNDO"}

    group_names: StringProperty(
        name="Group Names",
        description="Only these vertex groups, with commas between them",
        options={"SKIP_SAVE"},
    )
    key_names: StringProperty(
        name="Key Names",
        description="Only these shape keys, with commas between them",
        options={"SKIP_SAVE"},
    )

    def run(self, context):
        """Compute all, then write all: where there is no window, and in the redo panel."""
        self._clock = perf_counter()
        source, target, match = self._asked(context)
        manager = context.window_manager
        manager.progress_begin(0.0, 1.0)
        try:
            with whole_undo([source, target]), outside_edit_modes(source, target):
                prepared = prepare_transfer(
                    source,
                    target,
                    match,
                    wanted_of(self, source),
                    transfer_settings(self),
                    lambda stage, fraction: manager.progress_update(fraction),
                )
                return self._write(context, source, target, prepared)
        finally:
            manager.progress_end()

    def begin(self, context) -> TransferRun:
        """Read all, and have the worker compute it."""
        self._clock = perf_counter()
        source, target, match = self._asked(context)
        wanted, how = wanted_of(self, source), transfer_settings(self)
        return TransferRun(the_worker(), source, target, match, wanted, how)

    def finish(self, context, run: TransferRun):
        """Write all, if both are as they were."""
        context.view_layer.update()
        source, target = run.pair()
        with whole_undo([source, target]), outside_edit_modes(source, target):
            return self._write(context, source, target, run.prepared(source, target))

    def _asked(self, context):
        """Source, target and their match, after what a script leaves unsaid has been settled."""
        forget_trouble()
        context.view_layer.update()
        source, target = self.pair(context)
        panel = context.scene.diffusionnet.transfer
        # That is as the panel has it; of the kinds, if the script names none.
        unsaid = [n for n in TRANSFER_NAMES if not self.properties.is_property_set(n)]
        named = any(n in KINDS and n not in unsaid for n in TRANSFER_NAMES)
        for name in unsaid:
            value = getattr(panel, name)
            if name in KINDS and (named or not (panel.is_property_set(name) or has(source, name))):
                value = False
            setattr(self, name, value)
        return source, target, current_match(source, target, pins_of(context, source, target))

    def _write(self, context, source, target, prepared):
        outputs = chosen_outputs(context.scene.diffusionnet)
        told = write_transfer(source, target, prepared, outputs)
        text = f"{source.name} to {target.name}: {'; '.join(told)}"
        self.report({"INFO"}, f"{text}; in {perf_counter() - self._clock:.1f} s")
        return {"FINISHED"}

    def draw(self, context):
        """Draw the redo panel."""
        draw_transfer(self.layout, self)


def has(source, kind: str) -> bool:
    """Whether a source has what is moved as long as nothing else has been chosen."""
    there = {"texture": source.data.uv_layers, "weights": source.vertex_groups}
    return kind not in there or len(there[kind]) > 0


def wanted_of(chosen, source) -> Wanted:
    """What an operator is asked to move."""
    names = _names(chosen.group_names)
    if chosen.groups == "ACTIVE" and not names:
        active = source.vertex_groups.active
        if active is None:
            raise DiffusionNetError(f"{source.name!r} has no active vertex group", "Choose one.")
        names = (active.name,)
    return Wanted(
        **{name: getattr(chosen, name) for name in KINDS},
        deforming_only=chosen.groups == "DEFORM",
        group_names=names,
        key_names=_names(chosen.key_names),
    )


def transfer_settings(chosen):
    """How an operator is asked to move it."""
    from ..tasks.transfer.pipeline import TransferSettings

    return TransferSettings(
        texture_size=chosen.texture_size,
        dilation=chosen.dilation,
        limit=chosen.limit,
        least_confidence=chosen.least_confidence,
        small_keys=chosen.small_keys,
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def draw_transfer(layout, chosen) -> None:
    """The choice of what to move, for the redo panel and the sidebar."""
    layout.use_property_split = True
    layout.use_property_decorate = False
    settings_of = {
        "texture": ("texture_size", "dilation"),
        "weights": ("groups", "limit", "least_confidence"),
        "shape_keys": ("small_keys",),
    }
    column = layout.column(heading="Move")
    for name in KINDS:
        column.prop(chosen, name)
        if getattr(chosen, name):
            for detail in settings_of.get(name, ()):
                column.prop(chosen, detail)


CLASSES = (DIFFUSIONNET_OT_transfer,)
