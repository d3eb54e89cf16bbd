"""Panels to train a model, and to classify objects with one."""

import bpy

from ..properties.model_lists import NO_MODEL
from ..scene.compat import color_icon
from ..scene.shown import remembered
from ..scene.targets import selected_objects
from ..scene.training_objects import training_characters
from ..session.curve_icon import curve_icon, shown_curve
from ..session.progress_bar import draw_progress
from ..session.training import is_training
from ..session.trouble import last_trouble
from ..translations import worded
from .segment import Sidebar, draw_trouble

# Size of the curve in units of an icon: the default width of the sidebar.
CURVE_SCALE = 9.0


class DIFFUSIONNET_PT_train(Sidebar, bpy.types.Panel):
    """Panel with training set, options, the button Train and the curve."""

    bl_label = "Train"
    bl_idname = "DIFFUSIONNET_PT_train"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        """Draw the panel."""
        layout = self.layout
        chosen = context.scene.diffusionnet.training
        training = is_training()
        column = layout.column()
        column.enabled = not training
        column.use_property_split = True
        column.use_property_decorate = False
        _draw_set(column, chosen)
        column.prop(context.scene.diffusionnet, "each")
        column.separator()
        row = column.row(align=True)
        row.prop(chosen, "model_name")
        row.prop(chosen, "replace", text="", icon="FILE_REFRESH")
        if chosen.learn == "PARTS":
            column.prop(chosen, "subject")
        column.prop(chosen, "size")
        column.prop(chosen, "validation_share")

        if training:
            draw_progress(layout, context)
            layout.operator("diffusionnet.stop_training", icon="CHECKMARK")
        else:
            found = remembered(_key(context), lambda: training_characters(context))
            row = layout.row()
            row.scale_y = 1.6
            row.enabled = len(found) > 0
            if len(found) == 1:
                text = worded("Train on {name}", name=found[0].name)
            elif any(len(one.members) > 1 for one in found):
                text = worded("Train on {count} Characters", count=len(found))
            else:
                text = worded("Train on {count} Meshes", count=len(found))
            row.operator("diffusionnet.train", text=text if found else "Train", icon="PLAY")
            if not found:
                layout.label(text="Select meshes or choose a collection", icon="INFO")
            trouble = last_trouble()
            if trouble:
                draw_trouble(layout.box(), trouble)
        _draw_curve(layout)


class DIFFUSIONNET_PT_classify(Sidebar, bpy.types.Panel):
    """Panel to classify objects."""

    bl_label = "Classify"
    bl_idname = "DIFFUSIONNET_PT_classify"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        """Draw the panel."""
        layout = self.layout
        chosen = context.scene.diffusionnet
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(chosen, "classifier")
        column.prop(chosen, "each")
        column.prop(chosen, "sort_into_collections")
        row = layout.row()
        row.enabled = chosen.classifier != NO_MODEL
        row.operator("diffusionnet.classify", icon="OUTLINER_OB_GROUP_INSTANCE")
        if chosen.classifier == NO_MODEL:
            layout.label(text="Train a model on whole shapes first", icon="INFO")


def _draw_set(column, chosen) -> None:
    column.prop(chosen, "collection", placeholder="Selected")
    column.prop(chosen, "learn")
    if chosen.learn == "SHAPES":
        column.prop(chosen, "class_source")
        if chosen.class_source == "PROPERTY":
            column.prop(chosen, "property_name")
        return
    column.prop(chosen, "source")
    if chosen.source in {"ATTRIBUTE", "COLOR"}:
        column.prop(chosen, "attribute", placeholder="Active")


def _draw_curve(layout) -> None:
    """Draw the curve and its legend."""
    curve = shown_curve()
    if not curve or not curve_icon():
        return
    layout.template_icon(curve_icon(), scale=CURVE_SCALE)
    if len(curve.rows):
        step, loss, training, validation = curve.rows[-1]
        column = layout.column(align=True)
        column.label(
            text=worded("Step {step:,} of {steps:,}", step=int(step), steps=curve.steps),
            icon="TIME",
        )
        column.label(text=worded("Loss {loss:.2f} (orange)", loss=loss), icon=color_icon(2))
        column.label(
            text=worded("Training accuracy {share:.1%} (blue)", share=training),
            icon=color_icon(5),
        )
        column.label(
            text=worded("Validation accuracy {share:.1%} (green)", share=validation),
            icon=color_icon(4),
        )


def _key(context) -> tuple:
    """What the characters to train on depend on, besides the scene."""
    chosen = context.scene.diffusionnet
    training = chosen.training
    collection = training.collection
    return (
        *("train", chosen.each, training.learn, training.class_source, training.property_name),
        collection.session_uid if collection else 0,
        tuple(obj.session_uid for obj in selected_objects(context)),
    )


CLASSES = (DIFFUSIONNET_PT_train, DIFFUSIONNET_PT_classify)
