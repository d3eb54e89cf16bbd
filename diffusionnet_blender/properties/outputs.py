"""Outputs of labels: of the preferences, of a scene, and of one call of an operator."""

import bpy
from bpy.props import PointerProperty

from ..scene.options import Outputs
from ..settings import stored_preferences
from .from_options import ONE_CALL, properties_of

OUTPUT_NAMES = tuple(properties_of(Outputs))


class OutputProperties:
    """Outputs, each for one call."""

    __annotations__ = properties_of(Outputs, **ONE_CALL)


class DIFFUSIONNET_PG_outputs(OutputProperties, bpy.types.PropertyGroup):
    """Outputs of the preferences, and those that a scene has changed."""


def _following(name: str):
    """Property of a scene that has the value of the preferences until it is set."""
    kind = OutputProperties.__annotations__[name]
    # Getters and setters of an enum use the number of the item.
    values = [item[0] for item in kind.keywords.get("items", ())] or [False, True]

    def get(self):
        preferences = stored_preferences()
        own = self.own_outputs
        follows = preferences is not None and not own.is_property_set(name)
        return values.index(getattr(preferences.outputs if follows else own, name))

    def set(self, number):
        setattr(self.own_outputs, name, values[number])

    return kind.function(**{**kind.keywords, "get": get, "set": set})


class OutputsOfScene:
    """Outputs of a scene."""

    __annotations__ = {
        "own_outputs": PointerProperty(type=DIFFUSIONNET_PG_outputs, options={"HIDDEN"}),
        **{name: _following(name) for name in OUTPUT_NAMES},
    }


def draw_outputs(layout, properties) -> None:
    """Draw the outputs, in the redo panel, the sidebar and the preferences."""
    layout.use_property_split = True
    layout.use_property_decorate = False
    column = layout.column(heading="Write")
    for name in OUTPUT_NAMES:
        if name == "group_weights":
            row = column.row()
            row.active = properties.vertex_groups
            row.prop(properties, name, expand=True)
        else:
            column.prop(properties, name)
