"""What goes on right now."""

import bpy
from bpy.props import BoolProperty, FloatProperty, StringProperty


class DIFFUSIONNET_PG_run(bpy.types.PropertyGroup):
    """What DiffusionNet is doing right now: `window_manager.diffusionnet`, never saved."""

    running: BoolProperty(name="Running", options={"SKIP_SAVE"})
    factor: FloatProperty(name="Done", subtype="FACTOR", min=0, max=1, options={"SKIP_SAVE"})
    text: StringProperty(name="Progress", options={"SKIP_SAVE"})
