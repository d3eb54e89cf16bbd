"""What operators on a source and a target share."""

import numpy as np
from bpy.props import StringProperty

from ..errors import DiffusionNetError
from ..scene.pair import require_pair
from ..scene.pins import pinned_vertices
from ..translations import worded
from .base import ReportingOperator


class PairOperator(ReportingOperator):
    """Works on a source and a target: those that are named, or those of the panel."""

    source: StringProperty(
        name="Source",
        description="Name of the mesh object to copy from. Empty: the panel's",
        options={"HIDDEN", "SKIP_SAVE"},
    )
    target: StringProperty(
        name="Target",
        description="Name of the mesh object that receives the data. Empty: the panel's",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context) -> bool:
        """There must be two meshes; which ones, only `run` knows."""
        meshes = [obj for obj in context.view_layer.objects if obj and obj.type == "MESH"]
        if len(meshes) < 2:
            cls.poll_message_set(worded("There are not two meshes in the view layer"))
            return False
        return super().poll(context)

    def pair(self, context):
        """The two objects.

        Raises
        ------
        DiffusionNetError
            If one is missing, or the two cannot be a pair.
        """
        context.view_layer.update()
        panel = context.scene.diffusionnet.transfer
        found = []
        for name, picked in ((self.source, panel.source), (self.target, panel.target)):
            if name and name not in context.scene.objects:
                raise DiffusionNetError(
                    f"There is no object {name!r} in the scene", "Give the name of a mesh object."
                )
            found.append(context.scene.objects[name] if name else picked)
        require_pair(*found)
        return found


def pins_of(context, source, target) -> np.ndarray:
    """The panel's pins, where they are of this pair, (P, 2) int64."""
    panel = context.scene.diffusionnet.transfer
    if (panel.source, panel.target) != (source, target):
        return np.zeros((0, 2), dtype=np.int64)
    return pinned_vertices(panel)
