"""The legend: parts of the object, with what corrects them."""

import bpy

from ..translations import worded
from .segment import Sidebar, shown_object

# Share of a row's width.
COLOUR_WIDTH = 0.12
NAME_WIDTH = 0.55


class DIFFUSIONNET_UL_parts(bpy.types.UIList):
    """A row a part: color, name, share of the area, what shows and what selects it."""

    bl_idname = "DIFFUSIONNET_UL_parts"

    def draw_item(self, context, layout, data, item, icon, active_data, active_property, index):
        """Draw a row."""
        obj = shown_object(context)
        # Changes of a name or a color are no part of Blender's steps of undo in Edit Mode.
        fixed = obj.data.is_editmode
        row = layout.split(factor=COLOUR_WIDTH)
        cell = row.row()
        cell.enabled = not fixed
        cell.prop(item, "color", text="")
        row = row.split(factor=NAME_WIDTH)
        cell = row.row()
        cell.active = item.vertex_count > 0
        if fixed:
            cell.label(text=item.name, translate=False)
        else:
            cell.prop(item, "title", text="", emboss=False)
        row = row.row(align=True)
        row.alignment = "RIGHT"
        row.label(text=f"{item.share:.0%}")
        for name, symbol in (
            ("mask_part", "HIDE_ON" if item.hidden else "HIDE_OFF"),
            ("select_part", "RESTRICT_SELECT_OFF"),
        ):
            button = row.operator(f"diffusionnet.{name}", text="", icon=symbol, emboss=False)
            button.object_name, button.index = obj.name, index


class DIFFUSIONNET_PT_legend(Sidebar, bpy.types.Panel):
    """Parts of the object."""

    bl_label = "Parts"
    bl_idname = "DIFFUSIONNET_PT_legend"
    bl_parent_id = "DIFFUSIONNET_PT_segment"

    @classmethod
    def poll(cls, context):
        """Shown for an object that has been segmented."""
        obj = shown_object(context)
        return bool(obj and obj.data.diffusionnet.parts)

    def draw(self, context):
        """Draw."""
        obj = shown_object(context)
        legend = obj.data.diffusionnet
        layout = self.layout
        row = layout.row()
        row.template_list(
            "DIFFUSIONNET_UL_parts", "", legend, "parts", legend, "active", rows=6, maxrows=16
        )
        side = row.column(align=True)
        side.operator("diffusionnet.add_part", text="", icon="ADD").object_name = obj.name
        side.menu("DIFFUSIONNET_MT_parts", text="", icon="DOWNARROW_HLT")

        column = layout.column(align=True)
        row = column.row(align=True)
        button = row.operator("diffusionnet.select_part", text="Select")
        button.object_name, button.index = obj.name, legend.active
        if obj.data.is_editmode:
            row.operator("diffusionnet.assign_part").object_name = obj.name
        row = column.row(align=True)
        row.operator("diffusionnet.shrink_part", icon="REMOVE").object_name = obj.name
        row.operator("diffusionnet.grow_part", icon="ADD").object_name = obj.name
        button = column.operator("diffusionnet.smooth_parts", icon="MOD_SMOOTH")
        button.object_name = obj.name
        button = layout.operator("diffusionnet.separate_parts", icon="MOD_EXPLODE")
        button.object_name = obj.name
        counts = worded(
            "{faces:,} faces, {vertices:,} vertices",
            faces=len(obj.data.polygons),
            vertices=len(obj.data.vertices),
        )
        layout.label(text=f"{obj.name}: {counts}")


class DIFFUSIONNET_MT_parts(bpy.types.Menu):
    """What else can be done with the part that is highlighted, and with all."""

    bl_label = "Parts"
    bl_idname = "DIFFUSIONNET_MT_parts"

    def draw(self, context):
        """Draw."""
        obj = shown_object(context)
        if obj is None:
            return
        layout = self.layout
        layout.operator_context = "INVOKE_DEFAULT"
        layout.operator("diffusionnet.merge_parts", icon="AUTOMERGE_ON").object_name = obj.name
        layout.operator("diffusionnet.rename_part", icon="GREASEPENCIL").object_name = obj.name
        layout.separator()
        # Not as a click with Ctrl held would be.
        layout.operator_context = "EXEC_DEFAULT"
        button = layout.operator("diffusionnet.mask_part", text="Show Alone", icon="HIDE_OFF")
        button.object_name, button.isolate = obj.name, True
        layout.separator()
        layout.operator("diffusionnet.swap_sides", icon="MOD_MIRROR").object_name = obj.name


CLASSES = (DIFFUSIONNET_UL_parts, DIFFUSIONNET_PT_legend, DIFFUSIONNET_MT_parts)
