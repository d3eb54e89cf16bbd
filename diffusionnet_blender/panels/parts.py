"""List of the parts of an object, with the buttons for corrections."""

import bpy

from ..scene.character import Character
from ..scene.doubts import read_doubts
from ..scene.parts import with_same_parts
from ..scene.rig import has_known_bones
from ..scene.shown import remembered
from ..tasks.doubts import SIDES, WHOLE_FIGURE, in_short
from ..tasks.models import FROM_RIG
from ..translations import worded
from .segment import Sidebar, shown_object

# Shares of a row's width. Names with more characters than FITTING need so much that there is no
# room for the share of the area, which is told below the list then.
COLOUR_WIDTH = 0.12
NAME_WIDTH, LONG_NAME_WIDTH = 0.55, 0.74
FITTING = 13


class DIFFUSIONNET_UL_parts(bpy.types.UIList):
    """Rows of the list: color, name, share of the area, buttons to mask and select."""

    bl_idname = "DIFFUSIONNET_UL_parts"

    def draw_item(self, context, layout, data, item, icon, active_data, active_property, index):
        """Draw a row."""
        obj = shown_object(context)
        # Blender's undo in Edit Mode does not cover names and colors.
        fixed = obj.data.is_editmode
        row = layout.split(factor=COLOUR_WIDTH)
        cell = row.row()
        cell.enabled = not fixed
        cell.prop(item, "color", text="")
        has_long = _has_long_names(data)
        row = row.split(factor=LONG_NAME_WIDTH if has_long else NAME_WIDTH)
        cell = row.row()
        cell.active = item.share > 0
        if fixed:
            cell.label(text=item.name, translate=False)
        else:
            cell.prop(item, "title", text="", emboss=False)
        row = row.row(align=True)
        row.alignment = "RIGHT"
        if not has_long:
            row.label(text=f"{item.share:.0%}", translate=False)
        for name, symbol in (
            ("mask_part", "HIDE_ON" if item.hidden else "HIDE_OFF"),
            ("select_part", "RESTRICT_SELECT_OFF"),
        ):
            button = row.operator(f"diffusionnet.{name}", text="", icon=symbol, emboss=False)
            button.object_name, button.index = obj.name_full, index


class DIFFUSIONNET_PT_legend(Sidebar, bpy.types.Panel):
    """Panel with the parts of the object."""

    bl_label = "Parts"
    bl_idname = "DIFFUSIONNET_PT_legend"
    bl_parent_id = "DIFFUSIONNET_PT_segment"

    @classmethod
    def poll(cls, context):
        """The object must have been segmented."""
        obj = shown_object(context)
        return bool(obj and obj.data.diffusionnet.parts)

    def draw(self, context):
        """Draw the panel or menu."""
        obj = shown_object(context)
        legend = obj.data.diffusionnet
        layout = self.layout
        draw_doubts(layout, obj)
        row = layout.row()
        row.template_list(
            "DIFFUSIONNET_UL_parts", "", legend, "parts", legend, "active", rows=6, maxrows=16
        )
        if _has_long_names(legend) and legend.active < len(legend.parts):
            part = legend.parts[legend.active]
            layout.label(text=f"{part.name}: {part.share:.0%}", translate=False)
        side = row.column(align=True)
        side.operator("diffusionnet.add_part", text="", icon="ADD").object_name = obj.name_full
        side.menu("DIFFUSIONNET_MT_parts", text="", icon="DOWNARROW_HLT")

        column = layout.column(align=True)
        row = column.row(align=True)
        button = row.operator("diffusionnet.select_part", text="Select")
        button.object_name, button.index = obj.name_full, legend.active
        if obj.data.is_editmode:
            row.operator("diffusionnet.assign_part").object_name = obj.name_full
        row = column.row(align=True)
        row.operator("diffusionnet.shrink_part", icon="REMOVE").object_name = obj.name_full
        row.operator("diffusionnet.grow_part", icon="ADD").object_name = obj.name_full
        button = column.operator("diffusionnet.smooth_parts", icon="MOD_SMOOTH")
        button.object_name = obj.name_full
        button = layout.operator("diffusionnet.separate_parts", icon="MOD_EXPLODE")
        button.object_name = obj.name_full
        members = with_same_parts(obj)
        counts = worded(
            "{faces:,} faces, {vertices:,} vertices",
            faces=sum(len(member.data.polygons) for member in members),
            vertices=sum(len(member.data.vertices) for member in members),
        )
        name = obj.name
        if len(members) > 1:
            name = worded("{count} objects", count=len(members))
        layout.label(text=f"{name}: {counts}", translate=False)


def _has_long_names(legend) -> bool:
    """Whether names of parts, whose ends tell left from right, need the room of their shares."""
    return any(len(part.name) > FITTING for part in legend.parts)


def draw_doubts(layout, obj) -> None:
    """Draw what the model is unsure of, and what helps."""
    unsure_of = read_doubts(obj.data)
    if not unsure_of:
        return
    sides = SIDES in unsure_of
    words = {SIDES: worded("sides"), WHOLE_FIGURE: worded("whole figure")}
    column = layout.column(align=True)
    row = column.row(align=True)
    named = ", ".join(words.get(doubt, doubt) for doubt in in_short(unsure_of))
    row.label(text=f"{worded('Unsure')}: {named}", icon="ERROR", translate=False)
    if sides:
        button = row.operator("diffusionnet.swap_sides", text="", icon="MOD_MIRROR")
        button.object_name = obj.name_full
    helps = [worded("From the Rig")] if _has_parts_of_rig(obj) else []
    helps += [worded("Swap Sides")] if sides else []
    helps += [worded("Assign")] if unsure_of != (SIDES,) else []
    row = column.row()
    row.active = False
    row.label(text=f"{worded('Helps')}: {', '.join(helps)}", icon="BLANK1", translate=False)


def _has_parts_of_rig(obj: bpy.types.Object) -> bool:
    """Whether parts of a character can be read from its bones, and were not."""
    if obj.data.diffusionnet.model == FROM_RIG:
        return False
    members = with_same_parts(obj)
    character = Character(obj.name, "", tuple(members))
    key = "rig", *(member.session_uid for member in members)
    return bool(remembered(key, lambda: [character] if has_known_bones(members) else []))


class DIFFUSIONNET_MT_parts(bpy.types.Menu):
    """Menu of further corrections."""

    bl_label = "Parts"
    bl_idname = "DIFFUSIONNET_MT_parts"

    def draw(self, context):
        """Draw the panel or menu."""
        obj = shown_object(context)
        if obj is None:
            return
        layout = self.layout
        layout.operator_context = "INVOKE_DEFAULT"
        layout.operator("diffusionnet.merge_parts", icon="AUTOMERGE_ON").object_name = obj.name_full
        layout.operator("diffusionnet.rename_part", icon="GREASEPENCIL").object_name = obj.name_full
        layout.separator()
        # Without invoke, which isolates only with Ctrl.
        layout.operator_context = "EXEC_DEFAULT"
        button = layout.operator("diffusionnet.mask_part", text="Show Alone", icon="HIDE_OFF")
        button.object_name, button.isolate = obj.name_full, True
        layout.separator()
        layout.operator("diffusionnet.swap_sides", icon="MOD_MIRROR").object_name = obj.name_full


CLASSES = (DIFFUSIONNET_UL_parts, DIFFUSIONNET_PT_legend, DIFFUSIONNET_MT_parts)
