"""Preferences of the extension: settings of the computer, not of a file."""

from time import monotonic

import bpy
from bpy.props import EnumProperty, PointerProperty, StringProperty

from ..extras import DIFFUSIONNET_PG_extras, sections
from ..properties.from_options import properties_of
from ..properties.model_lists import known_models, models_left_out, reload_models
from ..properties.outputs import DIFFUSIONNET_PG_outputs, draw_outputs
from ..session.progress_bar import draw_progress
from ..session.status import last_status, status_lines
from ..session.trouble import last_trouble
from ..settings import settings
from ..tasks.compute import Compute, OnDevice
from ..translations import worded


def _reload_models(self, context):
    reload_models()


class ComputeProperties:
    """Engine and device."""

    __annotations__ = properties_of(Compute) | properties_of(OnDevice)


class DiffusionNetPreferences(ComputeProperties, bpy.types.AddonPreferences):
    """Preferences of the extension."""

    bl_idname = __package__.rpartition(".")[0]

    environment: StringProperty(
        name="Environment",
        description="Python environment with PyTorch that runs the network: its folder or its "
        "executable. Empty: Blender's own Python",
        subtype="FILE_PATH",
    )
    cache_folder: StringProperty(
        name="Cache",
        description="Folder of cached mesh matrices, which make the next run on the same mesh "
        "fast. Empty: the extension's own folder",
        subtype="DIR_PATH",
    )
    model_folder: StringProperty(
        name="Model Library",
        description="Folder of your own models (.safetensors files with .json cards). Empty: "
        "the extension's own folder",
        subtype="DIR_PATH",
        update=_reload_models,
    )
    outputs: PointerProperty(type=DIFFUSIONNET_PG_outputs)
    palette: EnumProperty(
        name="Colors",
        description="Colors of the parts in the next run",
        items=(
            ("MODEL", "Model Colors", "Colors from the card of the model"),
            (
                "SAFE",
                "Color-Blind Safe",
                "Distinct for all types of color vision. Left and right share a hue; the left "
                "is lighter",
            ),
        ),
        default="MODEL",
    )
    extras: PointerProperty(type=DIFFUSIONNET_PG_extras)

    def draw(self, context):
        """Draw the preferences."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(self, "engine")
        row = layout.row()
        row.active = self.engine != "numpy"
        row.prop(self, "device")
        layout.prop(self, "environment")
        row = layout.row()
        row.prop(self, "cache_folder")
        row.operator(
            "diffusionnet.clear_cache", text=worded("Clear {size:,} MB", size=_cache_megabytes())
        )
        layout.prop(self, "model_folder")
        self._draw_status(layout.box())
        self._draw_models(layout.box())
        self._draw_defaults(layout.box())
        for draw in sections:
            draw(self, layout.box())
        if context.window_manager.diffusionnet.running:
            draw_progress(layout, context)

    def _draw_models(self, layout):
        """Draw the model library."""
        column = layout.column(align=True)
        for card, bundled in known_models():
            row = column.row()
            row.label(
                text=f"{card.title} ({card.name})",
                icon="LOCKED" if bundled else "MESH_DATA",
                translate=False,
            )
            if not bundled:
                rename = row.operator("diffusionnet.rename_model", text="", icon="GREASEPENCIL")
                rename.model, rename.new_name, rename.title = card.name, card.name, card.title
                row.operator("diffusionnet.remove_model", text="", icon="TRASH").model = card.name
        for file, reason in models_left_out():
            column.label(
                text=worded("{file} is left out: {reason}", file=file, reason=reason),
                icon="ERROR",
                translate=False,
            )
        row = layout.row()
        row.operator("diffusionnet.import_model", icon="IMPORT")
        row.operator("diffusionnet.reload_models", icon="FILE_REFRESH")

    def _draw_defaults(self, layout):
        """Draw the default outputs."""
        layout.label(text="Default outputs of Segment")
        draw_outputs(layout, self.outputs)
        layout.prop(self, "palette")

    def _draw_status(self, layout):
        """Draw versions, the status of the worker once checked, and the last error."""
        column = layout.column(align=True)
        status, trouble = last_status(), last_trouble()
        for line in status_lines(status):
            column.label(text=line, icon="BLANK1", translate=False)
        if not status:
            column.label(text="Press Check to list libraries and devices", icon="INFO")
        if trouble:
            column.label(text=trouble.message, icon="ERROR", translate=False)
            column.label(text=trouble.fix, icon="BLANK1", translate=False)
        row = layout.row()
        row.operator("diffusionnet.check", icon="VIEWZOOM")
        row.operator("diffusionnet.copy_report", icon="COPYDOWN")
        row.operator("diffusionnet.release_memory", icon="TRASH")


# Time and size of the last measurement: drawing happens at every mouse move.
_measured = [float("-inf"), 0]
SECONDS_BETWEEN_MEASUREMENTS = 2.0


def _cache_megabytes() -> int:
    if monotonic() - _measured[0] > SECONDS_BETWEEN_MEASUREMENTS:
        size = sum(path.stat().st_size for path in settings().cache_folder.glob("*.npz"))
        _measured[:] = [monotonic(), round(size / 2**20)]
    return _measured[1]


CLASSES = (DiffusionNetPreferences,)
