"""Panel to transfer to all selected characters, with the report of the last transfer."""

from textwrap import wrap

import bpy

from ..properties.transfer import KIND_ICONS
from ..scene.outcome import Outcome
from ..scene.pair import character_for
from ..scene.shown import remembered
from ..scene.targets import other_characters, selected_objects
from ..session.transferred import Transferred, last_transfer
from ..translations import worded
from .segment import CHARACTERS_SHOWN, LINE, Sidebar

# Share of the width that a name takes.
NAME = 0.4


class DIFFUSIONNET_PT_transfer_many(Sidebar, bpy.types.Panel):
    """Panel with the button for all selected characters, and the report of the last transfer."""

    bl_label = "To Selected"
    bl_idname = "DIFFUSIONNET_PT_transfer_many"
    bl_parent_id = "DIFFUSIONNET_PT_transfer"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        """Draw the panel."""
        layout = self.layout
        targets = _shown_targets(context)
        column = layout.column(align=True)
        for target in targets[:CHARACTERS_SHOWN]:
            column.label(text=target.name, icon="OBJECT_DATA", translate=False)
        more = len(targets) - CHARACTERS_SHOWN
        if more > 0:
            column.label(text=worded("and {count} more", count=more))
        if not targets:
            column.label(text="Pick a source, select others", icon="INFO")
        # The bar is above; a button under the mouse would stay grey after the run.
        if context.window_manager.diffusionnet.running:
            return
        row = layout.row()
        row.scale_y = 1.6
        row.enabled = bool(targets)
        text = worded("Transfer to {count} Selected", count=len(targets))
        row.operator("diffusionnet.transfer_to_selected", text=text, icon="FILE_TICK")
        last = last_transfer()
        if last:
            draw_outcomes(layout, last)


def draw_outcomes(layout, last: Transferred) -> None:
    """Draw what became of each target: a row each, with a column for each kind of data."""
    row = layout.row()
    row.label(text=worded("From {name}", name=last.source.name))
    row.operator("diffusionnet.transfer_again", icon="FILE_REFRESH")
    box = layout.box().column(align=True)
    _, cells = _row_of(box, "")
    for kind in last.kinds:
        cells.label(text="", icon=KIND_ICONS[kind])
    cells.label(text="Sure")
    cells.label(text="Extra")
    for outcome in last.outcomes:
        _draw_outcome(box, outcome, last.kinds)


def _row_of(layout, name: str):
    split = layout.split(factor=NAME)
    split.label(text=name, translate=False)
    return split, split.row(align=True)


def _draw_outcome(layout, outcome: Outcome, kinds: tuple[str, ...]) -> None:
    _, cells = _row_of(layout, outcome.target.name)
    for kind in kinds:
        cells.label(text="", icon="CHECKMARK" if kind in outcome.moved else "X")
    if outcome.confident is not None:
        cells.label(text=f"{outcome.confident:.0%}", translate=False)
        cells.label(text=f"{outcome.unmatched:.0%}", translate=False)
    if outcome.error is not None:
        for number, line in enumerate(wrap(f"{outcome.error.message}.", LINE)):
            layout.label(text=line, icon="BLANK1" if number else "ERROR", translate=False)
    elif outcome.mirrored:
        layout.label(text="Left and right seem swapped: set pins", icon="ERROR")
    elif outcome.uncertain:
        layout.label(text="Uncertain: set pins to correct the match", icon="ERROR")
    elif outcome.remarks:
        text = worded("{count} remarks, see the Info editor", count=len(outcome.remarks))
        layout.label(text=text, icon="INFO")


def _shown_targets(context) -> list:
    """The selected characters but the source's."""
    source, each = context.scene.diffusionnet.transfer.source, context.scene.diffusionnet.each
    if source is None:
        return []
    objects = [o for o in selected_objects(context) if o.type in {"MESH", "ARMATURE"}]
    key = "many", each, source.session_uid, tuple(o.session_uid for o in objects)
    return remembered(
        key, lambda: other_characters(context, character_for(context, source), objects)
    )


CLASSES = (DIFFUSIONNET_PT_transfer_many,)
