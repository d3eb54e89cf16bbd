"""Whether an object is processed with its character: `object.diffusionnet`, saved with the file."""

import bpy
from bpy.props import EnumProperty


class DIFFUSIONNET_PG_member(bpy.types.PropertyGroup):
    """What an artist has chosen for an object of a character."""

    membership: EnumProperty(
        name="Part of the Character",
        description="Whether this object is processed with its character",
        items=(
            ("AUTO", "Automatic", "Hidden objects, levels of detail, duplicates, collision shapes "
             "and shapes of bones are left out"),
            ("IN", "In", "Processed with its character"),
            ("OUT", "Out", "Left out"),
        ),
    )  # fmt: skip
