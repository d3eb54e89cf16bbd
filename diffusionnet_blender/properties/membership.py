"""Whether an object is processed with its character: `object.diffusionnet`, saved with the file."""

import bpy
from bpy.props import EnumProperty


class DIFFUSIONNET_PG_member(bpy.types.PropertyGroup):
    """What an artist has chosen for an object of a character."""

    membership: EnumProperty(
        name="Membership",
        description="Whether this object is processed with its character",
        items=(
            ("AUTO", "Automatic", "Unless it is hidden, or a copy, collision shape and the like"),
            ("IN", "In", "In any case"),
            ("OUT", "Out", "Left out"),
        ),
        options={"HIDDEN"},
    )
