"""Sidebar of the 3D viewport, tab DiffusionNet."""

import bpy

from ..operators.base import counted, selected_objects
from ..operators.write_labels import draw_outputs
from ..properties import model_card
from .swatches import swatch

LABEL_WIDTH = 0.65


class _Sidebar:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "DiffusionNet"


class DIFFUSIONNET_PT_segment(_Sidebar, bpy.types.Panel):
    """Object, model and the button."""

    bl_label = "Segment"
    bl_idname = "DIFFUSIONNET_PT_segment"

    def draw(self, context):
        """Draw."""
        layout = self.layout
        settings = context.scene.diffusionnet
        selected = [obj for obj in selected_objects(context) if obj.type == "MESH"]
        picked = settings.object

        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(settings, "object", placeholder="Selected")
        row = column.row(align=True)
        row.prop(settings, "model")
        row.operator("diffusionnet.reload_models", text="", icon="FILE_REFRESH")
        column.prop(settings, "use_modifiers")
        column.prop(settings, "use_rest_shape")
        column.prop(settings, "exact")
        card = model_card(settings.model)
        if card:
            draw_card(layout, card)

        row = layout.row()
        row.scale_y = 1.6
        row.enabled = bool(card and (selected or picked))
        if len(selected) > 1:
            text, name = f"Segment {len(selected)} Selected Objects", ""
        elif picked:
            text, name = f"Segment {picked.name}", picked.name
        else:
            text, name = f"Segment {selected[0].name}" if selected else "Segment", ""
        row.operator("diffusionnet.segment", text=text, icon="MOD_EXPLODE").object_name = name
        if not card:
            layout.label(text="No model is installed", icon="ERROR")
        elif not (selected or picked):
            layout.label(text="Select a mesh or pick one above", icon="INFO")


class DIFFUSIONNET_PT_outputs(_Sidebar, bpy.types.Panel):
    """What to write."""

    bl_label = "Outputs"
    bl_idname = "DIFFUSIONNET_PT_outputs"
    bl_parent_id = "DIFFUSIONNET_PT_segment"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        """Draw."""
        settings = context.scene.diffusionnet
        draw_outputs(self.layout, settings)
        self.layout.prop(settings, "show_in_viewport")
        obj = shown_object(context)
        name = obj.name if obj else ""
        self.layout.operator("diffusionnet.write_labels", icon="FILE_TICK").object_name = name


class DIFFUSIONNET_PT_legend(_Sidebar, bpy.types.Panel):
    """Parts of the object, and a button for each."""

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
        layout = self.layout
        column = layout.column(align=True)
        for index, part in enumerate(obj.data.diffusionnet.parts):
            if not part.vertex_count:
                continue
            split = column.split(factor=LABEL_WIDTH, align=True)
            split.label(text=part.name, icon_value=swatch(part.colour))
            row = split.row(align=True)
            row.alignment = "RIGHT"
            row.label(text=f"{part.share:.1%}")
            button = row.operator("diffusionnet.select_part", text="", icon="RESTRICT_SELECT_OFF")
            button.object_name, button.index = obj.name, index
        vertices = counted(len(obj.data.vertices), "vertex")
        faces = counted(len(obj.data.polygons), "face")
        layout.label(text=f"{obj.name}: {faces}, {vertices}")


def draw_card(layout, card) -> None:
    """Facts of a model, as its card states them."""
    box = layout.box().column(align=True)
    box.label(text=counted(len(card.class_names), "part"), icon="OUTLINER_OB_GROUP_INSTANCE")
    for what, share in card.accuracy.items():
        box.label(text=f"{share:.1%} right on {what}", icon="CHECKMARK")
    if card.licence:
        box.label(text=card.licence, icon="FILE_TEXT")


def shown_object(context) -> bpy.types.Object | None:
    """The object whose legend is shown: the picked mesh, else the active one."""
    obj = context.scene.diffusionnet.object or context.view_layer.objects.active
    return obj if obj and obj.type == "MESH" else None


CLASSES = (DIFFUSIONNET_PT_segment, DIFFUSIONNET_PT_outputs, DIFFUSIONNET_PT_legend)
