"""Progress of the running job."""

import bpy
from bpy.props import BoolProperty, FloatProperty, StringProperty


class DIFFUSIONNET_PG_run(bpy.types.PropertyGroup):
    """Progress of the running job: `window_manager.diffusionnet`, never saved."""

    running: BoolProperty(name="Running", options={"HIDDEN", "SKIP_SAVE"})
    factor: FloatProperty(
        name="Done", subtype="FACTOR", min=0, max=1, options={"HIDDEN", "SKIP_SAVE"}
    )
    text: StringProperty(name="Progress", options={"HIDDEN", "SKIP_SAVE"})
