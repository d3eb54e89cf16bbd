"""Source, target, pins, and the data to move."""

import bpy
from bpy.props import (
    CollectionProperty,
    EnumProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..tasks.match.request import MatchRequest
from ..tasks.transfer.kinds import Kinds
from ..tasks.transfer.request import TransferRequest
from .from_options import ONE_CALL, properties_of
from .model_lists import get_match_model, items_of_match_model, set_match_model
from .polls import is_mesh


class TransferProperties:
    """What to move and how: the same choices for the panel and the operator's redo panel."""

    __annotations__ = properties_of(Kinds, **ONE_CALL) | properties_of(TransferRequest, **ONE_CALL)


TRANSFER_NAMES = tuple(TransferProperties.__annotations__)


class DIFFUSIONNET_PG_pin(bpy.types.PropertyGroup):
    """A point of the source and the point of the target that belongs to it."""

    source_object: PointerProperty(type=bpy.types.Object, name="Source")
    target_object: PointerProperty(type=bpy.types.Object, name="Target")
    source_empty: PointerProperty(type=bpy.types.Object, name="Empty on the Source")
    target_empty: PointerProperty(type=bpy.types.Object, name="Empty on the Target")
    source_vertex: IntProperty(name="Vertex of the Source", default=-1)
    target_vertex: IntProperty(name="Vertex of the Target", default=-1)


class MatchChoices:
    """Options of a match."""

    __annotations__ = properties_of(MatchRequest, ["model"])


class DIFFUSIONNET_PG_transfer(MatchChoices, TransferProperties, bpy.types.PropertyGroup):
    """Settings of the Transfer panel, saved with the scene."""

    source: PointerProperty(
        type=bpy.types.Object,
        name="Source",
        description="Mesh to copy from",
        poll=is_mesh,
    )
    target: PointerProperty(
        type=bpy.types.Object,
        name="Target",
        description="Mesh that receives the data",
        poll=is_mesh,
    )
    model: EnumProperty(
        name="Model",
        description="How the two shapes are matched",
        items=items_of_match_model,
        get=get_match_model,
        set=set_match_model,
    )
    model_name: StringProperty(options={"HIDDEN"})
    pins: CollectionProperty(type=DIFFUSIONNET_PG_pin)
    active_pin: IntProperty(name="Active Pin", min=0)
