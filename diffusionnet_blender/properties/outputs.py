"""Choice of outputs: of the preferences, of a scene, and of one call of an operator."""

import bpy
from bpy.props import PointerProperty

from ..scene.options import Outputs
from ..settings import stored_preferences
from .from_options import ONE_CALL, properties_of

OUTPUT_NAMES = tuple(properties_of(Outputs))


class OutputProperties:
    """The choices, for one call."""

    __annotations__ = properties_of(Outputs, **ONE_CALL)


class DIFFUSIONNET_PG_outputs(OutputProperties, bpy.types.PropertyGroup):
    """A choice of outputs: the one of the preferences, and a scene's own."""


def _following(name: str):
    """A property of a scene that is as the preferences have it until it is chosen there."""
    kind = OutputProperties.__annotations__[name]
    # Of an enum Blender asks for the number of an item.
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
    """The choices of a scene."""

    __annotations__ = {
        "own_outputs": PointerProperty(type=DIFFUSIONNET_PG_outputs, options={"HIDDEN"}),
        **{name: _following(name) for name in OUTPUT_NAMES},
    }
