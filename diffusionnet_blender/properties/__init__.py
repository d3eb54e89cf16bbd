"""Property groups: of scene, mesh, object and window manager.

Settings of the panels, legend, membership in a character, progress.
"""

import bpy
from bpy.props import PointerProperty

from .conform import DIFFUSIONNET_PG_conform
from .legend import DIFFUSIONNET_PG_legend, DIFFUSIONNET_PG_owned, DIFFUSIONNET_PG_part
from .membership import DIFFUSIONNET_PG_member
from .model_lists import forget_models, reload_models
from .outputs import DIFFUSIONNET_PG_outputs
from .refit import DIFFUSIONNET_PG_refit
from .rig import DIFFUSIONNET_PG_rig
from .run import DIFFUSIONNET_PG_run
from .settings import DIFFUSIONNET_PG_settings
from .training import DIFFUSIONNET_PG_training
from .transfer import DIFFUSIONNET_PG_pin, DIFFUSIONNET_PG_transfer

CLASSES = (
    DIFFUSIONNET_PG_outputs,
    DIFFUSIONNET_PG_training,
    DIFFUSIONNET_PG_pin,
    DIFFUSIONNET_PG_transfer,
    DIFFUSIONNET_PG_rig,
    DIFFUSIONNET_PG_conform,
    DIFFUSIONNET_PG_refit,
    DIFFUSIONNET_PG_settings,
    DIFFUSIONNET_PG_part,
    DIFFUSIONNET_PG_owned,
    DIFFUSIONNET_PG_legend,
    DIFFUSIONNET_PG_member,
    DIFFUSIONNET_PG_run,
)


def register() -> None:
    """Add the properties to Blender's types."""
    bpy.types.Scene.diffusionnet = PointerProperty(type=DIFFUSIONNET_PG_settings)
    bpy.types.Mesh.diffusionnet = PointerProperty(type=DIFFUSIONNET_PG_legend)
    bpy.types.Object.diffusionnet = PointerProperty(type=DIFFUSIONNET_PG_member)
    bpy.types.WindowManager.diffusionnet = PointerProperty(type=DIFFUSIONNET_PG_run)
    reload_models()


def unregister() -> None:
    """Remove the properties."""
    del bpy.types.WindowManager.diffusionnet
    del bpy.types.Object.diffusionnet
    del bpy.types.Mesh.diffusionnet
    del bpy.types.Scene.diffusionnet
    forget_models()
