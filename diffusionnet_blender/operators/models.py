"""The list of models."""

import bpy

from ..properties import reload_models
from .base import ReportingOperator


class DIFFUSIONNET_OT_reload_models(ReportingOperator, bpy.types.Operator):
    """Look for models again, for example after one was imported"""

    bl_idname = "diffusionnet.reload_models"
    bl_label = "Reload Models"

    def run(self, context):
        """Read the library."""
        reload_models()
        return {"FINISHED"}


CLASSES = (DIFFUSIONNET_OT_reload_models,)
