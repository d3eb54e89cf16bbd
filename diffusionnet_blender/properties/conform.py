"""Settings of Conform: how a mesh is bent, and what is made of it."""

import bpy

from ..options import options_of
from ..scene.options import Conforming
from ..tasks.conform.request import Bending
from .from_options import ONE_CALL, properties_of


class BendingProperties:
    """How a mesh is bent, and what is made of it, for one call."""

    __annotations__ = properties_of(Bending, **ONE_CALL) | properties_of(Conforming, **ONE_CALL)


class BendingChoices:
    """The same, for the panel."""

    __annotations__ = properties_of(Bending) | properties_of(Conforming)


class DIFFUSIONNET_PG_conform(BendingChoices, bpy.types.PropertyGroup):
    """Settings of the Conform panel, saved with the scene."""


def draw_bending(layout, chosen, source: bpy.types.Object | None) -> None:
    """Draw how a mesh is bent, and what is made of it."""
    layout.use_property_split = True
    layout.use_property_decorate = False
    for field, _ in (*options_of(Bending), *options_of(Conforming)):
        if field.name == "region" and source is not None:
            layout.prop_search(chosen, "region", source, "vertex_groups")
        else:
            layout.prop(chosen, field.name)
