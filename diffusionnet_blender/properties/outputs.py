"""What a run writes."""

import bpy
from bpy.props import BoolProperty, EnumProperty, PointerProperty

from .. import preferences


class OutputProperties:
    """What to write: the same choices for the panel and for the operator's redo panel."""

    attributes: BoolProperty(
        name="Attributes",
        description="Integer attributes with the number of the part, of faces (part) and of "
        "vertices (part_vertex), for geometry nodes and scripts",
        default=True,
        options={"SKIP_SAVE"},
    )
    colours: BoolProperty(
        name="Colors",
        description="Color attribute (part_color) in the colors of the legend, made active",
        default=True,
        options={"SKIP_SAVE"},
    )
    vertex_groups: BoolProperty(
        name="Vertex Groups",
        description="One group a part. A group of the same name that is not from here stays as "
        'it is, and the new one is called "DN ..."',
        default=True,
        options={"SKIP_SAVE"},
    )
    weights: EnumProperty(
        name="Weights",
        description="Weights of the vertex groups",
        items=(
            ("HARD", "Hard", "1 in the group of the part, nothing in the others"),
            ("SOFT", "Soft", "How probable each part is; soft borders"),
        ),
        default="HARD",
        options={"SKIP_SAVE"},
    )
    face_sets: BoolProperty(
        name="Face Sets",
        description="Face sets for Sculpt Mode; they replace those that the mesh has",
        default=False,
        options={"SKIP_SAVE"},
    )
    materials: BoolProperty(
        name="Materials",
        description="A material slot a part, behind those that the object has, and every face "
        "assigned to one of them",
        default=False,
        options={"SKIP_SAVE"},
    )
    confidence: BoolProperty(
        name="Confidence",
        description="Float attribute (part_confidence) that tells how sure the model is at each "
        "vertex, 0 to 1",
        default=False,
        options={"SKIP_SAVE"},
    )


OUTPUT_NAMES = tuple(OutputProperties.__annotations__)


class DIFFUSIONNET_PG_outputs(OutputProperties, bpy.types.PropertyGroup):
    """A choice of outputs: the one of the preferences, and a scene's own."""


def _following(name: str):
    """A property of a scene that is as the preferences have it until it is chosen there."""
    kind = OutputProperties.__annotations__[name]
    # Of an enum Blender asks for the number of an item.
    values = [item[0] for item in kind.keywords.get("items", ())] or [False, True]

    def get(self):
        default = preferences.default_outputs()
        own = self.own_outputs
        return values.index(
            getattr(own if default is None or own.is_property_set(name) else default, name)
        )

    def set(self, number):
        setattr(self.own_outputs, name, values[number])

    return kind.function(**{**kind.keywords, "get": get, "set": set})


class OutputsOfScene:
    """The same choices, of a scene."""


OutputsOfScene.__annotations__ = {
    "own_outputs": PointerProperty(type=DIFFUSIONNET_PG_outputs, options={"HIDDEN"}),
    **{name: _following(name) for name in OUTPUT_NAMES},
}
