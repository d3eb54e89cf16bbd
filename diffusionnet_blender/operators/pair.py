"""Base of the operators on a source and a target."""

from bpy.props import StringProperty

from ..errors import DiffusionNetError
from ..scene.pair import Pair, required_pair
from ..scene.targets import named_object
from ..translations import worded
from .base import GroupingOperator


class PairOperator(GroupingOperator):
    """Processes a source and a target: by name, or those of the panel."""

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
        """The view layer must have two meshes; `pair` finds which."""
        meshes = [obj for obj in context.view_layer.objects if obj and obj.type == "MESH"]
        if len(meshes) < 2:
            cls.poll_message_set(worded("Match and Transfer need two meshes in the view layer"))
            return False
        return super().poll(context)

    def pair(self, context) -> Pair:
        """The characters that the two objects belong to; both alone where `each` is chosen.

        Raises
        ------
        DiffusionNetError
            If one is missing, or the two cannot be a pair.
        """
        context.view_layer.update()
        panel = context.scene.diffusionnet.transfer
        found = []
        for name, picked in ((self.source, panel.source), (self.target, panel.target)):
            named = named_object(context.scene.objects, name) if name else picked
            if name and named is None:
                raise DiffusionNetError(
                    f"There is no object {name!r} in the scene", "Give the name of a mesh object."
                )
            found.append(named)
        return required_pair(context, *found, self.each_alone(context))
