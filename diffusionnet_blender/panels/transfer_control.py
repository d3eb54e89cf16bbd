"""Panels of what exactly is moved, where, and how much of it."""

import bpy

from ..properties.name_lists import is_chosen
from ..properties.transfer import draw_extent
from .segment import Sidebar

ROWS = 4


class NamesList:
    """Rows of a list of names with check boxes; a subclass has `kind` and `setting`."""

    def draw_item(self, context, layout, data, item, icon, active_data, active, index):
        """Draw a row."""
        is_moved = is_chosen(getattr(active_data, self.setting), item.name)
        row = layout.row(align=True)
        box = row.operator(
            "diffusionnet.choose_names",
            text="",
            icon="CHECKBOX_HLT" if is_moved else "CHECKBOX_DEHLT",
            emboss=False,
        )
        box.kind, box.name, box.action = self.kind, item.name, "TOGGLE"
        row.label(text=item.name, translate=False)
        only = row.operator("diffusionnet.choose_names", text="", icon="SOLO_OFF", emboss=False)
        only.kind, only.name, only.action = self.kind, item.name, "ONLY"


class DIFFUSIONNET_UL_groups(NamesList, bpy.types.UIList):
    """Vertex groups of the source."""

    bl_idname = "DIFFUSIONNET_UL_groups"
    kind, setting = "GROUP", "group_names"


class DIFFUSIONNET_UL_keys(NamesList, bpy.types.UIList):
    """Shape keys of the source, but for the reference key."""

    bl_idname = "DIFFUSIONNET_UL_keys"
    kind, setting = "KEY", "key_names"

    def filter_items(self, context, data, prop):
        """Those that the search finds."""
        keys = getattr(data, prop)
        shown = [self.bitflag_filter_item] * len(keys)
        if self.filter_name:
            helpers = bpy.types.UI_UL_list
            shown = helpers.filter_items_by_name(
                self.filter_name, self.bitflag_filter_item, keys, "name"
            )
        reference = data.reference_key
        return [0 if key == reference else at for key, at in zip(keys, shown, strict=True)], []


class DIFFUSIONNET_PT_transfer_names(Sidebar, bpy.types.Panel):
    """Panel with the vertex groups and shape keys that are moved."""

    bl_label = "Groups and Keys"
    bl_idname = "DIFFUSIONNET_PT_transfer_names"
    bl_parent_id = "DIFFUSIONNET_PT_transfer_data"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        """Draw the panel."""
        layout, chosen = self.layout, context.scene.diffusionnet.transfer
        source = chosen.source
        if not (chosen.weights or chosen.shape_keys):
            layout.label(text="Choose Vertex Groups or Shape Keys", icon="INFO")
            return
        if chosen.weights:
            draw_names(layout, chosen, "GROUP", "group_names", "GROUP_VERTEX")
            if source and source.vertex_groups:
                layout.template_list(
                    "DIFFUSIONNET_UL_groups", "", source, "vertex_groups", chosen, "active_group",
                    rows=ROWS,
                )  # fmt: skip
        if chosen.shape_keys:
            draw_names(layout, chosen, "KEY", "key_names", "SHAPEKEY_DATA")
            keys = source.data.shape_keys if source else None
            if keys:
                layout.template_list(
                    "DIFFUSIONNET_UL_keys", "", keys, "key_blocks", chosen, "active_key", rows=ROWS
                )
        layout.prop(chosen, "mirror")


def draw_names(layout, chosen, kind: str, setting: str, icon: str) -> None:
    """Draw the text with names and patterns, and the button that chooses all."""
    row = layout.row(align=True)
    row.prop(chosen, setting, text="", icon=icon, placeholder="All, or arm*, *.L")
    if getattr(chosen, setting):
        button = row.operator("diffusionnet.choose_names", text="", icon="X")
        button.kind, button.action = kind, "ALL"


class DIFFUSIONNET_PT_transfer_extent(Sidebar, bpy.types.Panel):
    """Panel with the region of the target and the mix."""

    bl_label = "Region and Mix"
    bl_idname = "DIFFUSIONNET_PT_transfer_extent"
    bl_parent_id = "DIFFUSIONNET_PT_transfer_data"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        """Draw the panel."""
        chosen = context.scene.diffusionnet.transfer
        draw_extent(self.layout, chosen, chosen.target)


CLASSES = (
    DIFFUSIONNET_UL_groups,
    DIFFUSIONNET_UL_keys,
    DIFFUSIONNET_PT_transfer_names,
    DIFFUSIONNET_PT_transfer_extent,
)
