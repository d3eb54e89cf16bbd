"""Panel to rig characters."""

import bpy

from ..properties.model_lists import rig_model
from ..properties.rig import draw_binding, draw_bones, is_of_rigify
from ..scene.fits import find_fit
from ..scene.rigify import has_rigify
from ..scene.skeletons import figure_of
from ..session.progress_bar import draw_progress
from ..session.trouble import last_trouble
from ..tasks.rig.judgement import PARTS, POSTURE, SIDES
from ..translations import worded
from .segment import Sidebar, described, draw_trouble, shown_characters


class DIFFUSIONNET_PT_rig(Sidebar, bpy.types.Panel):
    """Panel with the kind of skeleton and the buttons Rig, Fit Skeleton and Bind."""

    bl_label = "Rig"
    bl_idname = "DIFFUSIONNET_PT_rig"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        """Draw the panel."""
        layout = self.layout
        chosen = context.scene.diffusionnet.rig
        model = rig_model(context)
        draw_bones(layout.column(), chosen, model is not None)
        if model is not None:
            layout.label(
                text=f"{worded('An animal, by the model')} {model.title}",
                icon="INFO",
                translate=False,
            )
        if is_of_rigify(chosen.kind) and not has_rigify():
            layout.label(text="Enable the add-on Rigify first", icon="ERROR")
        if context.window_manager.diffusionnet.running:
            column = layout.column()
            column.scale_y = 1.6
            draw_progress(column, context)
            return
        active = context.view_layer.objects.active
        figure = figure_of(active) if active else None
        characters = [] if figure else shown_characters(context)
        for character in characters:
            if len(character.members) > 1:
                layout.label(text=described(character), icon="OUTLINER_COLLECTION", translate=False)
        column = layout.column()
        column.enabled = bool(characters or figure)
        row = column.row()
        row.scale_y = 1.6
        row.operator("diffusionnet.rig", icon="ARMATURE_DATA").bind = True
        row = column.row(align=True)
        row.operator("diffusionnet.rig", text="Fit Skeleton", icon="BONE_DATA").bind = False
        row.operator("diffusionnet.bind_skeleton", icon="MOD_ARMATURE")
        if figure and active.mode == "EDIT":
            column.operator("diffusionnet.snap_joints", icon="SNAP_MIDPOINT")
        column.operator("diffusionnet.check_rig", icon="POSE_HLT")
        if not characters and not figure:
            layout.label(text="Select a mesh or pick one above", icon="INFO")
        for character in characters:
            fit = find_fit(character)
            if fit is not None:
                _draw_fit(layout, fit)
        trouble = last_trouble()
        if trouble:
            draw_trouble(layout.box(), trouble)


class DIFFUSIONNET_PT_binding(Sidebar, bpy.types.Panel):
    """Panel with the options of Bind."""

    bl_label = "Binding"
    bl_idname = "DIFFUSIONNET_PT_binding"
    bl_parent_id = "DIFFUSIONNET_PT_rig"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        """Draw the panel."""
        chosen = context.scene.diffusionnet.rig
        draw_binding(self.layout, chosen, chosen.kind)


def _draw_fit(layout, fit) -> None:
    """Draw what is doubtful about joints that were found."""
    box = layout.box().column(align=True)
    if not fit.fitted.doubts:
        box.label(text="All joints look right", icon="CHECKMARK")
        return
    box.label(text="Look at these before you bind:", icon="ERROR")
    words = _words()
    for doubt in fit.fitted.doubts:
        box.label(text=words.get(doubt, doubt), icon="BLANK1")


def _words() -> dict[str, str]:
    """Doubts in the language of the interface."""
    return {
        "left front leg": worded("left front leg"),
        "right front leg": worded("right front leg"),
        "left hind leg": worded("left hind leg"),
        "right hind leg": worded("right hind leg"),
        "left arm": worded("left arm"),
        "right arm": worded("right arm"),
        "left leg": worded("left leg"),
        "right leg": worded("right leg"),
        SIDES: worded("left and right"),
        PARTS: worded("body parts"),
        POSTURE: worded("posture"),
    }


CLASSES = (DIFFUSIONNET_PT_rig, DIFFUSIONNET_PT_binding)
