"""Settings of Refit: the source's body, and how garments are fitted."""

import bpy
from bpy.props import PointerProperty

from ..options import options_of
from ..tasks.refit.request import Fitting
from .from_options import ONE_CALL, properties_of
from .polls import is_mesh


class FittingProperties:
    """How garments are fitted, for one call."""

    __annotations__ = properties_of(Fitting, **ONE_CALL)


class FittingChoices:
    """The same, for the panel."""

    __annotations__ = properties_of(Fitting)


class DIFFUSIONNET_PG_refit(FittingChoices, bpy.types.PropertyGroup):
    """Settings of the Refit panel, saved with the scene."""

    body: PointerProperty(
        type=bpy.types.Object,
        name="Body",
        description="The source's body, on which its garments lie. Empty: it is found",
        poll=is_mesh,
    )


def draw_fitting(layout, chosen) -> None:
    """Draw the body, and how garments are fitted."""
    layout.use_property_split = True
    layout.use_property_decorate = False
    layout.prop(chosen, "body")
    for field, _ in options_of(Fitting):
        layout.prop(chosen, field.name)
