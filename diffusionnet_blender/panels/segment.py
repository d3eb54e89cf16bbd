"""Sidebar of the 3D viewport, tab DiffusionNet."""

from textwrap import wrap

import bpy
from bl_ui.utils import PresetPanel

from ..operators.presets import FOLDER
from ..properties.model_lists import model_card
from ..properties.outputs import draw_outputs
from ..scene.character import Character
from ..scene.shown import remembered
from ..scene.targets import characters_for, selected_objects
from ..session.computing import worker_alive
from ..session.families import family_text, needs_own_model, proposal_for
from ..session.progress_bar import draw_progress
from ..session.trouble import last_trouble
from ..translations import worded

# Characters in a line of the sidebar at its default width; of short words behind a symbol more.
LINE, CARD_LINE = 28, 34
# Most accuracies of a card that are drawn.
ACCURACIES_SHOWN = 3
# Most characters, and most objects of one, that are listed.
CHARACTERS_SHOWN = 4
OBJECTS_SHOWN = 40
ADDON = __package__.rpartition(".")[0]


class Sidebar:
    """Place of the panels."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "DiffusionNet"


class DIFFUSIONNET_PT_segment(Sidebar, bpy.types.Panel):
    """Panel with object, model and the button Segment."""

    bl_label = "Segment"
    bl_idname = "DIFFUSIONNET_PT_segment"

    def draw(self, context):
        """Draw the panel."""
        layout = self.layout
        settings = context.scene.diffusionnet
        picked = settings.object
        characters = shown_characters(context)

        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(settings, "object", placeholder="Selected")
        row = column.row(align=True)
        row.prop(settings, "model")
        finds = row.operator("diffusionnet.find_model", text="", icon="VIEWZOOM")
        finds.object_name = picked.name_full if picked else ""
        row.operator("diffusionnet.reload_models", text="", icon="FILE_REFRESH")
        for character in characters[:CHARACTERS_SHOWN]:
            draw_family(layout, character)
        card = model_card(settings.model)
        if card:
            draw_card(layout, card)

        if context.window_manager.diffusionnet.running:
            column = layout.column()
            column.scale_y = 1.6
            draw_progress(column, context)
            return
        for character in characters[:CHARACTERS_SHOWN]:
            if len(character.members) > 1:
                layout.label(text=described(character), icon="OUTLINER_OB_ARMATURE")
        row = layout.row()
        row.scale_y = 1.6
        row.enabled = bool(card and characters)
        name = picked.name_full if picked else ""
        if len(characters) > 1:
            several = any(len(character.members) > 1 for character in characters)
            text = (
                worded("Segment {count} Characters", count=len(characters))
                if several
                else worded("Segment {count} Selected Objects", count=len(characters))
            )
        elif characters:
            text = worded("Segment {object}", object=characters[0].name)
        else:
            text = "Segment"
        row.operator("diffusionnet.segment", text=text, icon="MOD_EXPLODE").object_name = name
        if not card:
            layout.label(text="No model is installed", icon="ERROR")
        elif not characters:
            layout.label(text="Select a mesh or pick one above", icon="INFO")
        trouble = last_trouble()
        if trouble:
            draw_trouble(layout.box(), trouble)
        if worker_alive():
            layout.operator("diffusionnet.release_memory", icon="TRASH")


class DIFFUSIONNET_PT_objects(Sidebar, bpy.types.Panel):
    """Panel with the objects of the character, each of which can be left out."""

    bl_label = "Objects"
    bl_idname = "DIFFUSIONNET_PT_objects"
    bl_parent_id = "DIFFUSIONNET_PT_segment"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context):
        """There must be one character of several objects."""
        characters = shown_characters(context)
        if len(characters) != 1:
            return False
        return len(characters[0].members) + len(characters[0].left_out) > 1

    def draw(self, context):
        """Draw a row for each object, with the reason where it is left out."""
        (character,) = shown_characters(context)
        reasons = {obj: "" for obj in character.members}
        reasons |= {out.obj: out.reason for out in character.left_out}
        column = self.layout.column(align=True)
        for obj, reason in list(reasons.items())[:OBJECTS_SHOWN]:
            row = column.row(align=True)
            icon = "CHECKBOX_DEHLT" if reason else "CHECKBOX_HLT"
            button = row.operator("diffusionnet.leave_out", text="", icon=icon, emboss=False)
            button.object_name = obj.name_full
            text = row.row()
            text.active = not reason
            shown = f"{obj.name} ({_in_language(reason)})" if reason else obj.name
            text.label(text=shown, translate=False)
        more = len(reasons) - OBJECTS_SHOWN
        if more > 0:
            column.label(text=worded("and {count} more", count=more))


class DIFFUSIONNET_PT_options(Sidebar, bpy.types.Panel):
    """Panel with what is read, and how."""

    bl_label = "Options"
    bl_idname = "DIFFUSIONNET_PT_options"
    bl_parent_id = "DIFFUSIONNET_PT_segment"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        """Draw the panel."""
        column = self.layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        for name in ("each", "props", "use_modifiers", "use_rest_shape", "exact", "clean"):
            column.prop(context.scene.diffusionnet, name)


def _in_language(reason: str) -> str:
    """Reason for which an object is left out, in the language of the interface."""
    known = {
        "hidden": worded("hidden"),
        "level of detail": worded("level of detail"),
        "collision shape": worded("collision shape"),
        "shape of a bone": worded("shape of a bone"),
        "has no faces": worded("has no faces"),
        "left out in the panel": worded("left out here"),
    }
    return known.get(reason, reason)


class DIFFUSIONNET_PT_presets(PresetPanel, bpy.types.Panel):
    """Presets of outputs."""

    bl_label = "Output Presets"
    preset_subdir = FOLDER
    preset_operator = "script.execute_preset"
    preset_add_operator = "diffusionnet.add_preset"


class DIFFUSIONNET_PT_outputs(Sidebar, bpy.types.Panel):
    """Panel with the outputs."""

    bl_label = "Outputs"
    bl_idname = "DIFFUSIONNET_PT_outputs"
    bl_parent_id = "DIFFUSIONNET_PT_segment"
    bl_options = {"DEFAULT_CLOSED"}

    def draw_header_preset(self, context):
        """Draw the presets in the header."""
        DIFFUSIONNET_PT_presets.draw_panel_header(self.layout)

    def draw(self, context):
        """Draw the panel."""
        settings = context.scene.diffusionnet
        draw_outputs(self.layout, settings)
        self.layout.prop(settings, "show_in_viewport")
        obj = shown_object(context)
        name = obj.name_full if obj else ""
        self.layout.operator("diffusionnet.write_labels", icon="FILE_TICK").object_name = name


def draw_trouble(layout, trouble) -> None:
    """Draw the last error, its fix, and buttons for it."""
    column = layout.column(align=True)
    for index, line in enumerate(wrap(f"{trouble.message}.", LINE)):
        column.label(text=line, icon="BLANK1" if index else "ERROR", translate=False)
    for line in wrap(trouble.fix, LINE):
        column.label(text=line, icon="BLANK1", translate=False)
    column = layout.column(align=True)
    if trouble.kind == "ModelError":
        column.operator("diffusionnet.reload_models", icon="FILE_REFRESH")
    if trouble.kind in {"ModelError", "DeviceError", "WorkerError"}:
        button = column.operator("preferences.addon_show", text="Preferences", icon="PREFERENCES")
        button.module = ADDON
    row = column.row(align=True)
    row.operator("diffusionnet.copy_report", icon="COPYDOWN")
    row.operator("diffusionnet.dismiss_error", text="", icon="X")


def draw_family(layout, character: Character) -> None:
    """Draw the family of a character, if it was looked for, and what to do without a model."""
    data = next((obj for obj in character.members if obj.data), None)
    proposal = data and proposal_for((data.session_uid, data.data.session_uid))
    if not proposal:
        return
    layout.label(text=family_text(proposal), icon="INFO" if proposal.model else "QUESTION")
    if needs_own_model(proposal):
        layout.label(text="Label some of its parts, then Train", icon="BLANK1")


def draw_card(layout, card) -> None:
    """Draw number of parts, accuracy and license of a model, from its card."""
    box = layout.box().column(align=True)
    box.label(
        text=worded("{count} parts", count=len(card.class_names)), icon="OUTLINER_OB_GROUP_INSTANCE"
    )
    for what, share in shown_accuracies(card.accuracy).items():
        text = worded("{share:.1%} accuracy: {what}", share=share, what=what)
        for index, line in enumerate(wrap(text, CARD_LINE)):
            box.label(text=line, icon="BLANK1" if index else "CHECKMARK", translate=False)
    if card.licence:
        box.label(text=card.licence, icon="FILE_TEXT", translate=False)


def shown_accuracies(accuracy: dict[str, float]) -> dict[str, float]:
    """Accuracies of a card for the panel: of many, the highest and the lowest."""
    if len(accuracy) <= ACCURACIES_SHOWN:
        return accuracy
    by_share = sorted(accuracy, key=accuracy.get)
    return {what: accuracy[what] for what in (by_share[-1], by_share[0])}


def shown_characters(context) -> list[Character]:
    """Characters of the picked object, or else of the selected ones."""
    picked = context.scene.diffusionnet.object
    objects = [picked] if picked else selected_objects(context)
    objects = [o for o in objects if o.type in {"MESH", "ARMATURE"}]
    key = "segment", context.scene.diffusionnet.each, tuple(o.session_uid for o in objects)
    return remembered(key, lambda: characters_for(context, objects))


def described(character: Character) -> str:
    """A character of several objects: its name, their number, and what they belong to."""
    count = len(character.members)
    if character.owner and character.owner != character.name:
        return worded(
            "{name}: {count} objects of {owner}",
            name=character.name,
            count=count,
            owner=character.owner,
        )
    return worded("{name}: {count} objects", name=character.name, count=count)


def shown_object(context) -> bpy.types.Object | None:
    """Object whose parts are listed: the picked mesh, or else the active one.

    Of an armature, the first of its meshes that has parts.
    """
    obj = context.scene.diffusionnet.object or context.view_layer.objects.active
    if obj and obj.type == "ARMATURE":
        key = "armature", obj.session_uid
        (character,) = remembered(key, lambda: characters_for(context, [obj], each=False))
        meshes = [o for o in character.members if o.type == "MESH"]
        return next((o for o in meshes if o.data.diffusionnet.parts), None)
    return obj if obj and obj.type == "MESH" else None


CLASSES = (
    DIFFUSIONNET_PT_presets,
    DIFFUSIONNET_PT_segment,
    DIFFUSIONNET_PT_objects,
    DIFFUSIONNET_PT_options,
    DIFFUSIONNET_PT_outputs,
)
