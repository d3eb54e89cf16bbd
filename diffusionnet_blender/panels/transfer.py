"""Panels to match two characters and transfer data between them."""

import bpy
from bl_ui.utils import PresetPanel

from ..operators.presets import TRANSFER_FOLDER
from ..properties.conform import draw_bending
from ..properties.refit import draw_fitting
from ..properties.transfer import draw_transfer
from ..scene.character import Character
from ..scene.matches import find_match
from ..scene.pair import pair_of
from ..session.match_text import fit_without_torch, match_method
from ..session.progress_bar import draw_progress
from ..session.trouble import last_trouble
from ..translations import worded
from . import transfer_control, transfer_many
from .segment import Sidebar, described, draw_trouble


class DIFFUSIONNET_PT_transfer(Sidebar, bpy.types.Panel):
    """Panel with source, target and the buttons Match and Transfer."""

    bl_label = "Transfer"
    bl_idname = "DIFFUSIONNET_PT_transfer"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        """Draw the panel."""
        layout = self.layout
        chosen = context.scene.diffusionnet.transfer
        row = layout.row(align=True)
        column = row.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(chosen, "source")
        column.prop(chosen, "target")
        side = row.column()
        side.scale_y = 2.0
        side.operator("diffusionnet.swap_pair", text="", icon="UV_SYNC_SELECT")
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(chosen, "method")
        shapes = column.column()
        shapes.active = chosen.method != "IN_PLACE"
        row = shapes.row(align=True)
        row.prop(chosen, "model")
        finds = row.operator("diffusionnet.find_model", text="", icon="VIEWZOOM")
        finds.object_name = chosen.source.name_full if chosen.source else ""
        shapes.prop(chosen, "fit")

        if context.window_manager.diffusionnet.running:
            column = layout.column()
            column.scale_y = 1.6
            draw_progress(column, context)
            return
        both = chosen.source and chosen.target and chosen.source.data != chosen.target.data
        row = layout.row()
        row.scale_y = 1.6
        row.enabled = bool(both)
        row.operator("diffusionnet.match", icon="AUTOMERGE_ON")
        if not both:
            reason = (
                worded("Source and target are the same")
                if chosen.source and chosen.target
                else worded("Pick a source and a target")
            )
            layout.label(text=reason, icon="INFO")
        pair = pair_of(context, chosen.source, chosen.target) if both else None
        if pair:
            draw_pair(layout, *pair)
        match = find_match(*pair) if pair else None
        if match:
            draw_match(layout, pair[1], match)
        row = layout.row()
        row.scale_y = 1.6
        row.enabled = bool(match)
        row.operator("diffusionnet.transfer", icon="FILE_TICK")
        if both and not match:
            layout.label(text="Match first", icon="INFO")
        trouble = last_trouble()
        if trouble:
            draw_trouble(layout.box(), trouble)


def draw_pair(layout, source: Character, target: Character) -> None:
    """Draw the characters of source and target, where they are of several objects."""
    for shape in (source, target):
        if len(shape.members) > 1:
            layout.label(text=described(shape), icon="OUTLINER_COLLECTION", translate=False)


def draw_match(layout, target: Character, match) -> None:
    """Draw the method and confidence of a match, and the buttons for its preview."""
    box = layout.box().column(align=True)
    found = match.correspondence
    count = sum(len(obj.data.vertices) for obj in target.members if len(obj.data.polygons))
    is_edited = any(obj.data.is_editmode for obj in target.members)
    if len(found.confidence) != count and not is_edited:
        box.label(text="The target has changed: match again", icon="ERROR")
        return
    box.label(text=match_method(found), icon="INFO")
    text = worded("Confident: {share:.0%} of vertices", share=found.confident_share)
    box.label(text=text, icon="ERROR" if found.uncertain else "CHECKMARK")
    if found.fit == "no torch":
        box.label(text=fit_without_torch(), icon="INFO")
    elif found.fit == "no better":
        box.label(text="The fitted network was no better", icon="BLANK1")
    if found.judgement.mirrored:
        box.label(text="Left and right seem swapped: set pins", icon="ERROR")
    elif found.uncertain:
        box.label(text="Uncertain: set pins to correct the match", icon="ERROR")
    row = box.row(align=True)
    row.operator("diffusionnet.preview_match", text="Position").show = "POSITION"
    row.operator("diffusionnet.preview_match", text="Confidence").show = "CONFIDENCE"
    box.operator("diffusionnet.select_uncertain")


class DIFFUSIONNET_PT_transfer_presets(PresetPanel, bpy.types.Panel):
    """Presets of what is moved, where and how."""

    bl_label = "Transfer Presets"
    preset_subdir = TRANSFER_FOLDER
    preset_operator = "script.execute_preset"
    preset_add_operator = "diffusionnet.add_transfer_preset"


class DIFFUSIONNET_PT_transfer_data(Sidebar, bpy.types.Panel):
    """Panel with the data to transfer."""

    bl_label = "Data to Transfer"
    bl_idname = "DIFFUSIONNET_PT_transfer_data"
    bl_parent_id = "DIFFUSIONNET_PT_transfer"

    def draw_header_preset(self, context):
        """Draw the presets in the header."""
        DIFFUSIONNET_PT_transfer_presets.draw_panel_header(self.layout)

    def draw(self, context):
        """Draw the panel."""
        draw_transfer(self.layout, context.scene.diffusionnet.transfer)


class DIFFUSIONNET_PT_conform(Sidebar, bpy.types.Panel):
    """Panel to bend a copy of the source onto the target."""

    bl_label = "Conform"
    bl_idname = "DIFFUSIONNET_PT_conform"
    bl_parent_id = "DIFFUSIONNET_PT_transfer"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        """Draw the panel."""
        layout, panel = self.layout, context.scene.diffusionnet
        draw_bending(layout, panel.conform, panel.transfer.source)
        _draw_button(layout, panel.transfer, "diffusionnet.conform", "MOD_SHRINKWRAP")


class DIFFUSIONNET_PT_refit(Sidebar, bpy.types.Panel):
    """Panel to fit what the source wears to the target's body."""

    bl_label = "Refit"
    bl_idname = "DIFFUSIONNET_PT_refit"
    bl_parent_id = "DIFFUSIONNET_PT_transfer"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        """Draw the panel."""
        layout, panel = self.layout, context.scene.diffusionnet
        draw_fitting(layout, panel.refit)
        _draw_button(layout, panel.transfer, "diffusionnet.refit", "MATCLOTH")


def _draw_button(layout, chosen, operator: str, icon: str) -> None:
    """Draw the large button of an operator on source and target, which must be chosen."""
    row = layout.row()
    row.scale_y = 1.6
    row.enabled = bool(chosen.source and chosen.target)
    row.operator(operator, icon=icon)


class DIFFUSIONNET_PT_live(Sidebar, bpy.types.Panel):
    """Panel with the button for a modifier that follows the source."""

    bl_label = "Live"
    bl_idname = "DIFFUSIONNET_PT_live"
    bl_parent_id = "DIFFUSIONNET_PT_transfer"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        """Draw the panel."""
        layout, chosen = self.layout, context.scene.diffusionnet.transfer
        both = chosen.source and chosen.target and chosen.source.data != chosen.target.data
        pair = pair_of(context, chosen.source, chosen.target) if both else None
        matched = bool(pair and find_match(*pair))
        row = layout.row()
        row.scale_y = 1.6
        row.enabled = matched
        row.operator("diffusionnet.live_match", icon="GEOMETRY_NODES")
        if not matched:
            layout.label(text="Match first", icon="INFO")


class DIFFUSIONNET_UL_pins(bpy.types.UIList):
    """Rows of the list of pins."""

    bl_idname = "DIFFUSIONNET_UL_pins"

    def draw_item(self, context, layout, data, item, icon, active_data, active, index):
        """Draw a row."""
        stale = (item.source_object, item.target_object) != (data.source, data.target)
        if stale and data.source and data.target and data.source.data != data.target.data:
            source, target = pair_of(context, data.source, data.target)
            stale = item.source_object not in source.members
            stale |= item.target_object not in target.members
        by_empties = item.source_empty is not None
        symbol = "ERROR" if stale else "EMPTY_AXIS" if by_empties else "VERTEXSEL"
        layout.label(text=item.name, icon=symbol, translate=False)


class DIFFUSIONNET_PT_pins(Sidebar, bpy.types.Panel):
    """Panel with the pins."""

    bl_label = "Pins"
    bl_idname = "DIFFUSIONNET_PT_pins"
    bl_parent_id = "DIFFUSIONNET_PT_transfer"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        """Draw the panel."""
        chosen = context.scene.diffusionnet.transfer
        row = self.layout.row()
        row.template_list("DIFFUSIONNET_UL_pins", "", chosen, "pins", chosen, "active_pin", rows=3)
        side = row.column(align=True)
        side.operator("diffusionnet.add_pin", text="", icon="ADD")
        side.operator("diffusionnet.remove_pin", text="", icon="REMOVE")


CLASSES = (
    DIFFUSIONNET_PT_transfer_presets,
    DIFFUSIONNET_PT_transfer,
    DIFFUSIONNET_PT_transfer_data,
    *transfer_control.CLASSES,
    *transfer_many.CLASSES,
    DIFFUSIONNET_PT_conform,
    DIFFUSIONNET_PT_refit,
    DIFFUSIONNET_PT_live,
    DIFFUSIONNET_UL_pins,
    DIFFUSIONNET_PT_pins,
)
